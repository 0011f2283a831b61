"""`Prefer: wait`: first the outcome of the wish itself, then the next rest of its order.

The first answer that is given under a key is kept before it goes out, and everybody who asks again
gets it: whoever got a 202 once always gets that 202.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
from fastapi import Response

from api.problems import Problem
from api.service import Service
from api.wishes import Accepted
from store import idempotency, log
from store.idempotency import ACCEPTED
from store.outcomes import Outcome

REFUSED = 409


class Answer(NamedTuple):
    """A status and its body; without one it is what a 202 says, or follows from the outcome."""

    status: int
    body: bytes | None = None


class Asking(NamedTuple):
    """Who waits for what became of a wish: up to `until`, by the loop's clock."""

    service: Service
    done: Accepted
    location: str
    wait: int
    until: float

    @staticmethod
    def of(service: Service, done: Accepted, location: str, wait: int) -> "Asking":
        until = asyncio.get_running_loop().time() + wait
        return Asking(service, done, location, wait, until)


async def answer(
    service: Service, done: Accepted, *, location: str, wait: int, order_id: str, new: bool = False
) -> Response:
    """What became of a wish about an order, when there was the patience for it."""

    async def at_rest(asking: Asking) -> Answer:
        if not await _shown(asking):
            return Answer(ACCEPTED)
        document = await service.resting.get(order_id, asking.until)
        if document is None:
            return Answer(ACCEPTED)
        return Answer(201 if new else 200, document.encode())

    return await _first(Asking.of(service, done, location, wait), at_rest)


async def answer_stock(service: Service, done: Accepted, *, location: str, wait: int) -> Response:
    """The same for stock: there is nothing to wait for but the view."""

    async def shown(asking: Asking) -> Answer:
        return Answer(200 if await _shown(asking) else ACCEPTED)

    return await _first(Asking.of(service, done, location, wait), shown)


async def answer_decided(service: Service, done: Accepted, *, location: str, wait: int) -> Response:
    """The same where no view has to follow: the log itself is read."""

    async def decided(_: Asking) -> Answer:
        return Answer(200)

    return await _first(Asking.of(service, done, location, wait), decided)


async def _first(asking: Asking, find_out: Callable[[Asking], Awaitable[Answer]]) -> Response:
    """The answer that was given under this key before, else the one that is found out now."""
    wish = asking.done.wish
    if wish.status is not None:
        return await _told(asking, Answer(wish.status, wish.answer))
    found = Answer(ACCEPTED)
    outcome = None
    if asking.wait:
        outcome = await asking.service.outcomes.get(wish.command_id, asking.until)
    if outcome is not None and outcome.result == "refused":
        found = Answer(REFUSED)
    elif outcome is not None and outcome.result in {"applied", "noop"}:
        found = await find_out(asking)
    return await _told(asking, await _kept(asking, found))


async def _kept(asking: Asking, found: Answer) -> Answer:
    """Keeps it, unless somebody who asked at the same time was answered first."""
    key = asking.done.wish[:2]
    async with asking.service.db() as conn:
        if await idempotency.settle(conn, key, *found):
            return found
        wish = await idempotency.find(conn, *key)
    if wish is None or wish.status is None:
        return found
    return Answer(wish.status, wish.answer)


async def _told(asking: Asking, given: Answer) -> Response:
    done = asking.done
    headers = {**done.headers, "Location": asking.location}
    if given.status == REFUSED:
        outcome = await asking.service.outcomes.get(done.wish.command_id, asking.until)
        if outcome is not None:
            raise _refusal(outcome, done.headers)
    if given.status not in {200, 201} or done.forgotten:
        return Response(done.body, ACCEPTED, headers, media_type="application/json")
    if asking.wait:
        headers["Preference-Applied"] = f"wait={asking.wait}"
    body = given.body or done.body
    return Response(body, given.status, headers, media_type="application/json")


def _refusal(outcome: Outcome, headers: dict[str, str]) -> Problem:
    code = outcome.code or "refused"
    return Problem(
        REFUSED,
        code,
        f"refused: {code.replace('_', ' ')}",
        hint="Asking again will not help; have a look at it first.",
        headers=headers,
        details=_details(outcome.detail),
    )


def _details(text: str | None) -> Any:
    """What the decider said beside the code."""
    try:
        return msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        return {"text": text}


async def _shown(asking: Asking) -> bool:
    """Wait until the views show all that the log holds by now."""
    async with asking.service.db() as conn:
        head = await log.head(conn)
    return await asking.service.shown.get(head, asking.until) is not None
