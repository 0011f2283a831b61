"""From a request to a command in Kafka, once: write it down, publish it, mark it (PROTOCOL 11)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from api.problems import Problem
from api.service import Service
from bus.message import API, Message
from domain.catalog import TOPICS
from domain.ids import derive
from domain.message import Command
from store import idempotency
from store.codec import encode
from store.connect import AsyncConnection
from store.idempotency import Wish

CALLER = "anonymous"  # until there is a sign-in


@dataclass(frozen=True)
class Ids:
    """The ids of a wish; they come out of its key and its first time."""

    command_id: UUID
    order_id: str
    at: datetime

    @staticmethod
    def of(key: str, at: datetime) -> "Ids":
        milliseconds = int(at.timestamp() * 1000)
        return Ids(
            derive(milliseconds, f"api|{CALLER}|{key}"),
            str(derive(milliseconds, f"order|{CALLER}|{key}")),
            at,
        )


@dataclass(frozen=True)
class Made:
    """The command of a new wish, what the caller is told, and where its fate shows up."""

    command: Command
    answer: Mapping[str, Any]


@dataclass(frozen=True)
class Accepted:
    """A wish that Kafka has."""

    wish: Wish
    replayed: bool

    @property
    def body(self) -> bytes:
        return self.wish.answer or b"{}"


def fingerprint(*parts: object) -> bytes:
    """What has to be equal for two requests to be the same one."""
    return sha256(msgspec.json.encode(parts, order="deterministic")).digest()


async def submit(
    service: Service,
    key: str,
    request_hash: bytes,
    make: Callable[[AsyncConnection, Ids], Awaitable[Made]],
) -> Accepted:
    """Accept the wish, or give the answer that its key got before.

    `make` is asked only for a key that is new, so that a repeat gets the same answer whatever the
    prices are by now.
    """
    async with service.db() as conn:
        wish = await idempotency.find(conn, CALLER, key)
        known = wish is not None
        if wish is None:
            service.refuse_when_overloaded()
            wish = await _open(conn, key, request_hash, make)
            if not await idempotency.add(conn, wish):
                known = True
                wish = await idempotency.find(conn, CALLER, key)
                assert wish is not None, "rows are not deleted while they can be asked for"
    if wish.request_hash != request_hash:
        raise Problem(
            422,
            "idempotency_key_reused",
            "this Idempotency-Key was used for another request",
            hint="Make up a new key for a new wish.",
        )
    if wish.state == "open":
        await _publish(service, wish)
    return Accepted(wish, known)


async def _open(
    conn: AsyncConnection,
    key: str,
    request_hash: bytes,
    make: Callable[[AsyncConnection, Ids], Awaitable[Made]],
) -> Wish:
    now = datetime.now(UTC)
    ids = Ids.of(key, now.replace(microsecond=now.microsecond // 1000 * 1000))
    made = await make(conn, ids)
    command = made.command
    message = Message(
        id=ids.command_id,
        type=command.kind,
        source=API,
        time=ids.at,
        key=command.key,
        subject=command.stream,
        correlation=getattr(command, "order_id", command.key),
        causation=None,
        data=encode(command),
    )
    return Wish(
        caller=CALLER,
        key=key,
        command_id=ids.command_id,
        subject=command.stream,
        request_hash=request_hash,
        state="open",
        topic=TOPICS[command.context],
        headers=message.headers(),
        record_key=message.key,
        body=message.data,
        answer=msgspec.json.encode({**made.answer, "command_id": ids.command_id}),
        created_at=ids.at,
    )


async def _publish(service: Service, wish: Wish) -> None:
    """From the row, so that every repeat sends the very same message."""
    message = Message.from_record(wish.record_key.encode(), wish.body, wish.headers)
    await service.publisher.publish(wish.topic, message)
    async with service.db() as conn:
        await idempotency.answered(conn, CALLER, wish.key, wish.answer or b"")
