"""`Prefer: wait`: first the outcome of the wish itself, then the next rest of its order."""

import asyncio
from typing import Any

import msgspec
from fastapi import Response

from api.problems import Problem
from api.service import Service
from api.wishes import Accepted
from store import log
from store.outcomes import Outcome


def accepted(done: Accepted, location: str) -> Response:
    """202 and a place to look."""
    return _response(done, done.body, 202, {"Location": location})


async def answer(
    service: Service, done: Accepted, *, location: str, wait: int, order_id: str, new: bool = False
) -> Response:
    """What became of a wish about an order, when there was the patience for it."""
    if not wait:
        return accepted(done, location)
    until = asyncio.get_running_loop().time() + wait
    outcome = await _outcome(service, done, until)
    if outcome is None or outcome.result not in {"applied", "noop"}:
        return accepted(done, location)
    if not await _shown(service, until):
        return accepted(done, location)
    document = await service.resting.get(order_id, until)
    if document is None:
        return accepted(done, location)
    headers = {"Location": location, "Preference-Applied": f"wait={wait}"}
    return _response(done, document.encode(), 201 if new else 200, headers)


async def answer_stock(service: Service, done: Accepted, *, location: str, wait: int) -> Response:
    """The same for stock: there is nothing to wait for but the view."""
    until = asyncio.get_running_loop().time() + wait
    if wait and await _outcome(service, done, until) and await _shown(service, until):
        headers = {"Location": location, "Preference-Applied": f"wait={wait}"}
        return _response(done, done.body, 200, headers)
    return accepted(done, location)


async def answer_decided(service: Service, done: Accepted, *, location: str, wait: int) -> Response:
    """The same where no view has to follow: the log itself is read."""
    until = asyncio.get_running_loop().time() + wait
    if wait and await _outcome(service, done, until):
        headers = {"Location": location, "Preference-Applied": f"wait={wait}"}
        return _response(done, done.body, 200, headers)
    return accepted(done, location)


async def _outcome(service: Service, done: Accepted, until: float) -> Outcome | None:
    outcome = await service.outcomes.get(done.wish.command_id, until)
    if outcome is not None and outcome.result == "refused":
        code = outcome.code or "refused"
        raise Problem(
            409,
            code,
            f"refused: {code.replace('_', ' ')}",
            hint="Asking again will not help; have a look at it first.",
            headers=done.headers,
            details=_details(outcome.detail),
        )
    return outcome


def _details(text: str | None) -> Any:
    """What the decider said beside the code."""
    try:
        return msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        return {"text": text}


async def _shown(service: Service, until: float) -> bool:
    """Wait until the views show all that the log holds by now."""
    async with service.db() as conn:
        head = await log.head(conn)
    return await service.shown.get(head, until) is not None


def _response(done: Accepted, body: bytes, status: int, headers: dict[str, str]) -> Response:
    return Response(body, status, {**done.headers, **headers}, media_type="application/json")
