"""Takes events in: each gets rows of its own, then its commands go to Kafka (PROTOCOL 11).

A batch is looked at as a whole first, so that one bad event keeps all of them out. What goes wrong
after that leaves some done, and a repeat does the rest.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from api.intake.making import Make, look, makers
from api.intake.mappers import PLAIN, Asked, asked, place_of
from api.intake.reading import Received
from api.problems import Problem
from api.service import Service
from api.wishes import Origin, accept, fingerprint
from bus.message import INTAKE, OWN
from store import idempotency

TRANSPORT = ("knative", "kafkaheader")
"""How the extensions begin that tell of the way an event took."""

DROPPED = OWN | {"key", "sourcename", "datacontentencoding"}


class Event(NamedTuple):
    """An event that is understood."""

    origin: Origin
    asked: Asked
    request_hash: bytes

    def part(self, number: int) -> Origin:
        """Where one of its commands comes from."""
        if not number:
            return self.origin
        kind, _, source = self.origin.caller.partition(":")
        return replace(
            self.origin, caller=f"{kind}.{number}:{source}", text=f"{number}|{self.origin.text}"
        )


async def take(service: Service, received: Sequence[Received]) -> None:
    """Return when Kafka has the commands of all events; raises a Problem.

    409 and 503 mean later, others never. What came before, by source and id, is done already.
    """
    events = [understood(each, number, len(received)) for number, each in enumerate(received)]
    if len(events) > 1:
        await asyncio.gather(*(_look(service, event) for event in events))
    await _all([_accept(service, event) for event in events])


def understood(received: Received, number: int = 0, count: int = 1) -> Event:
    """What an event asks for, and the row that it is kept under; pure. Raises a Problem."""
    try:
        wanted = asked(received)
        origin = origin_of(received)
    except Problem as problem:
        if count > 1:
            problem.more["event"] = number
        raise
    return Event(origin, wanted, fingerprint("event", type(wanted).__name__, wanted))


def origin_of(event: Received) -> Origin:
    """The row and the id of an event: its source and id, of a plain record its place.

    A length stands in front, so that no two events come out the same.
    """
    extensions = tuple(
        (name, value)
        for name, value in event.extensions.items()
        if name not in DROPPED and not name.startswith(TRANSPORT)
    )
    if event.type == PLAIN:
        place = place_of(event)
        key = f"{place.topic}/{place.at}"
        text = f"record|{len(place.source)}|{place.source}|{key}"
        return Origin(f"record:{place.source}", key, text, INTAKE, extensions)
    text = f"intake|{len(event.source)}|{event.source}|{event.id}"
    return Origin(f"event:{event.source}", event.id, text, INTAKE, extensions)


async def _look(service: Service, event: Event) -> None:
    """One that came before is not looked at again: prices may have changed since."""
    try:
        await look(service, event.asked)
    except Problem:
        async with service.db() as conn:
            known = await idempotency.find(conn, event.origin.caller, event.origin.key)
        if known is None:
            raise


async def _accept(service: Service, event: Event) -> None:
    """Its first command alone: if that one is refused there is none."""
    first, *others = makers(service, event.asked)
    await _once(service, event, 0, first)
    await _all([_once(service, event, n, make) for n, make in enumerate(others, 1)])


async def _once(service: Service, event: Event, number: int, make: Make) -> None:
    try:
        await accept(service, event.part(number), event.request_hash, make)
    except Problem as problem:
        if problem.code != "idempotency_key_reused":
            raise
        raise Problem(
            422,
            "event_id_reused",
            "another event came with this id from this source",
            hint="An id names one event. Of a topic that was made anew, rename the source.",
        ) from problem


async def _all(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Wait for each, then say what went wrong with the first that did."""
    for done in await asyncio.gather(*works, return_exceptions=True):
        if done is not None:
            raise done
