"""From a request to a command in Kafka, once: write it down, publish it, mark it (PROTOCOL 11)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from api.problems import Problem
from api.service import Service
from api.writer import Stored
from bus.message import API, Message
from domain.catalog import TOPICS
from domain.ids import derive
from domain.message import Command
from store import idempotency
from store.codec import encode
from store.idempotency import Entry, Wish

LARGEST_COMMAND = 900_000  # bytes; the fact that comes of it is hardly longer
CALLER = "anonymous"  # until there is a sign-in
PROVIDER = "provider"  # whose notices have ids of their own


@dataclass(frozen=True)
class Origin:
    """Where a wish comes from: the row that it is kept under, and what its id is made of.

    `source` and `extensions` go out with the command.
    """

    caller: str
    key: str
    text: str
    source: str = API
    extensions: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of_caller(caller: str, key: str) -> "Origin":
        """Somebody's request under an Idempotency-Key."""
        return Origin(caller, key, f"api|{caller}|{key}")


@dataclass(frozen=True)
class Ids:
    """The ids of a wish; they come out of its origin and its first time."""

    command_id: UUID
    order_id: str
    at: datetime

    @staticmethod
    def of(origin: str, at: datetime) -> "Ids":
        milliseconds = int(at.timestamp() * 1000)
        return Ids(derive(milliseconds, origin), str(derive(milliseconds, f"order|{origin}")), at)


@dataclass(frozen=True)
class Made:
    """The command of a new wish, what the caller is told, and where its fate shows up."""

    command: Command
    answer: Mapping[str, Any]
    contact_key: tuple[str, bytes] | None = None
    """The wrapped key of a person who had none, to be written down with the wish."""


@dataclass(frozen=True)
class Accepted:
    """A wish that Kafka has."""

    wish: Wish
    replayed: bool

    @property
    def body(self) -> bytes:
        return self.wish.answer or _short_answer(self.wish)

    @property
    def forgotten(self) -> bool:
        """Whether its answer is not kept any more."""
        return self.wish.answer is None

    @property
    def headers(self) -> dict[str, str]:
        """Stand with every answer about it, refusals too."""
        return {"Idempotent-Replayed": "true"} if self.replayed else {}


_SUBJECTS = {TOPICS["inventory"]: "sku", TOPICS["notification"]: "customer_id"}


def _short_answer(wish: Wish) -> bytes:
    """What the row still says when its answer is not kept any more."""
    named = {_SUBJECTS.get(wish.topic, "order_id"): wish.record_key}
    return msgspec.json.encode({**named, "status": "accepted", "command_id": wish.command_id})


def fingerprint(*parts: object) -> bytes:
    """What has to be equal for two requests to be the same one."""
    return sha256(msgspec.json.encode(parts, order="deterministic")).digest()


async def submit(
    service: Service,
    key: str,
    request_hash: bytes,
    make: Callable[[Ids], Awaitable[Made]],
    *,
    caller: str = CALLER,
    waits: bool = False,
) -> Accepted:
    """Accept a caller's wish, or give the answer that its key got before. Who `waits` is answered
    by `api.waiting`, which keeps that answer."""
    return await accept(service, Origin.of_caller(caller, key), request_hash, make, waits=waits)


async def accept(
    service: Service,
    origin: Origin,
    request_hash: bytes,
    make: Callable[[Ids], Awaitable[Made]],
    *,
    waits: bool = False,
) -> Accepted:
    """Accept a wish, or give the answer that it got before.

    A repeat gets the same answer whatever the prices are by now: what `make` made for it is
    dropped, and a problem that it met counts only when the key is new.
    """
    now = service.clock()
    ids = Ids.of(origin.text, now.replace(microsecond=now.microsecond // 1000 * 1000))
    message: Message | None = None
    request_hash = service.vault.fingerprint(request_hash)  # the form holds a contact
    try:
        service.refuse_when_overloaded()
        made = await make(ids)
        message = _message(made.command, ids, origin)
        _refuse_too_large(message)
    except Problem:
        async with service.db() as conn:
            known = await idempotency.find(conn, origin.caller, origin.key)
        if known is None:
            raise
        stored = Stored(known, new=False)
    else:
        wish = _wish(origin, request_hash, made, message, ids)
        entry = Entry(wish._replace(status=None) if waits else wish, made.contact_key)
        stored = await service.writer.add(entry)
    if stored.wish.request_hash != request_hash:
        raise Problem(
            422,
            "idempotency_key_reused",
            "this Idempotency-Key was used for another request",
            hint="Make up a new key for a new wish.",
        )
    await service.sending.send(stored.wish, message if stored.new else None)
    return Accepted(stored.wish, replayed=not stored.new)


def _refuse_too_large(message: Message) -> None:
    """Kafka takes no record beyond 1 MiB: once written down, the wish could never be published, and
    who publishes what is left over would try it again and again instead of all others."""
    if len(message.data) > LARGEST_COMMAND:
        raise Problem(
            413,
            "wish_too_large",
            f"with titles and prices this is longer than {LARGEST_COMMAND} bytes",
            hint="Split it into several.",
        )


def _message(command: Command, ids: Ids, origin: Origin) -> Message:
    return Message(
        id=ids.command_id,
        type=command.kind,
        source=origin.source,
        time=ids.at,
        key=command.key,
        subject=command.stream,
        correlation=getattr(command, "order_id", command.key),
        causation=None,
        data=encode(command),
        extensions=origin.extensions,
    )


def _wish(origin: Origin, request_hash: bytes, made: Made, message: Message, ids: Ids) -> Wish:
    return Wish(
        caller=origin.caller,
        key=origin.key,
        command_id=ids.command_id,
        subject=message.subject,
        request_hash=request_hash,
        state="open",
        topic=TOPICS[made.command.context],
        headers=message.headers(),
        record_key=message.key,
        body=message.data,
        answer=msgspec.json.encode({**made.answer, "command_id": ids.command_id}),
        created_at=ids.at,
    )
