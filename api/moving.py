"""A person's wishes for parked messages: written down, then their owner is nudged (PROTOCOL 12)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from api.rehearsal import PROCESSORS, understood
from bus.message import OPERATOR, Headers, Message
from bus.publisher import Publisher
from domain.ids import derive
from domain.message import Command
from store import parked, parked_choice, timers, unparking
from store.codec import BadData, UnknownType, decode_command, encode
from store.connect import AsyncConnection
from store.parked import Marked, Parked, dump_headers
from store.parked_choice import Choice

Sleep = Callable[[float], Awaitable[None]]
MOST_AT_ONCE = 1_000


class NotEditable(Exception):
    """What was handed in cannot take the place of the parked message; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Moved(NamedTuple):
    """How many were marked, and the last of them: the rest is after that."""

    marked: int
    last: int


async def move(
    conn: AsyncConnection,
    publisher: Publisher,
    choice: Choice,
    wish: str,
    *,
    by: str,
    because: str = "",
    rate: float = 0,
    seconds: float = float("inf"),
    sleep: Sleep = asyncio.sleep,
) -> Moved:
    """Redrive or discard all that is chosen and still parked, a page at a time, oldest first.

    `rate` is how many a second, 0 for all at once; after so many `seconds` the rest is left.
    What is parked after this began is not meant.
    """
    choice = choice._replace(upto=choice.upto or (await parked_choice.extent(conn, choice)).upto)
    at_once = max(1, int(min(rate, MOST_AT_ONCE))) if rate else MOST_AT_ONCE
    gap = at_once / rate if rate else 0
    loop, count, waited, first = asyncio.get_running_loop(), 0, 0.0, True
    began = loop.time()
    while ids := await parked_choice.numbers(conn, choice, limit=at_once):
        if not first:
            if max(waited + gap, loop.time() - began) > seconds:
                break
            if gap:
                await sleep(gap)
                waited += gap
        now = await timers.now(conn)
        marked = await parked.wish(conn, ids, wish, by=by, because=because, at=now)
        await _nudge(publisher, marked, now)
        count += len(marked)
        choice, first = choice._replace(after=ids[-1]), False
    return Moved(count, choice.after)


async def edit(
    conn: AsyncConnection,
    publisher: Publisher,
    row: Parked,
    data: bytes,
    *,
    by: str,
    because: str,
    kind: str = "",
) -> UUID:
    """Hand an edited message in for `row`; gives its id. Raises NotEditable, and changes nothing
    then. `kind` is what the message is, where the first one does not say or was wrong."""
    now = await timers.now(conn)
    command = _readable(row, kind or row.kind, data)
    message = edited(row, command, now)
    new = row._replace(
        command_id=message.id, headers=dump_headers(message.headers()), body=message.data
    )
    problem = understood(new, PROCESSORS[row.processor])
    if isinstance(problem, tuple):
        raise NotEditable(*problem)
    _refuse_clear_text(row, command)
    if message.data == row.body and message.type == row.kind:
        raise NotEditable("nothing_changed", "the message is what it was")
    handed_in = unparking.Edit(message.id, message.headers(), message.data)
    marked = await unparking.wish_edit(
        conn, row.id, row.command_id, handed_in, by=by, because=because, at=now
    )
    if marked is None:
        raise NotEditable("not_parked", f"message {row.id} was handled meanwhile")
    await _nudge(publisher, [Marked(marked.id, marked.topic, marked.key)], now)
    return message.id


def edited(row: Parked, command: Command, at: datetime) -> Message:
    """The message that takes the place of a parked one.

    Its id is made here, once; whatever the first one was, this one is no timer and names no
    predecessor. What the first one belongs to, it belongs to.
    """
    told = _header(row.record_headers, "ce_correlation")
    return Message(
        id=derive(int(at.timestamp() * 1000), f"edit|{row.command_id}|{uuid4()}"),
        type=command.kind,
        source=OPERATOR,
        time=at,
        key=row.key,
        subject=command.stream,
        correlation=told if told and told.isprintable() else getattr(command, "order_id", row.key),
        causation=row.command_id,
        data=encode(command),
    )


def _header(headers: Headers, name: str) -> str:
    return dict(headers).get(name, b"").decode(errors="replace")


def _readable(row: Parked, kind: str, data: bytes) -> Command:
    if row.processor not in PROCESSORS:
        raise NotEditable("not_editable", f"what {row.processor} parks is no command of ours")
    try:
        return decode_command(kind, data)
    except UnknownType as unknown:
        raise NotEditable("unknown_kind", f"no command is called {kind!r}") from unknown
    except BadData as bad:
        raise NotEditable("bad_data", str(bad)) from bad


def _refuse_clear_text(row: Parked, command: Command) -> None:
    """A contact is sealed before it comes to us; nobody types one in here."""
    contact = getattr(command, "contact", "")
    if contact.encode() not in (row.body or b""):
        raise NotEditable("contact_not_editable", "a contact is sealed, and stays as it was")


async def _nudge(publisher: Publisher, rows: Sequence[Marked], at: datetime) -> None:
    """Each key once; side by side, as Kafka takes them."""
    places = dict.fromkeys((row.topic, row.key) for row in rows)
    await asyncio.gather(*(_nudge_one(publisher, topic, key, at) for topic, key in places))


async def _nudge_one(publisher: Publisher, topic: str, key: str, at: datetime) -> None:
    nudge = Message(
        id=uuid4(), type=parked.NUDGE, source=OPERATOR, time=at, key=key, subject=key,
        correlation=key, causation=None, data=b"{}",
    )  # fmt: skip
    await publisher.publish(topic, nudge)
