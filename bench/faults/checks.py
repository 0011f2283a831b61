"""Holds what is there after a run to account: by the commands that anyone can type, and by SQL."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, LiteralString, NamedTuple

import msgspec

from bench.faults.arena import Arena
from bench.faults.report import Finding, Report
from bench.faults.settling import settle
from gateways.ledger import read_ledger
from gateways.letter import message_id
from gateways.mailbox import id_of
from stack.supervisor import State
from store.connect import AsyncConnection, connect
from store.views.document import decode
from streams.settings import Settings

SHOWN = 20  # findings of one sort; there may be thousands of the same cause
CLOSED = {"completed", "cancelled", "rejected", "expired"}
ONCE = ("quire.order.placed.v1", "quire.order.confirmed.v1", "quire.inventory.reserved.v1")

# What the orders' own facts say is on the shelves; the inventory's facts are not asked.
_COUNTED: LiteralString = """
with moved(sku, units) as (
  select data->>'sku', (data->>'quantity')::bigint from event where type = 'quire.stock.received.v1'
  union all
  select data->>'sku', (data->>'delta')::bigint from event where type = 'quire.stock.adjusted.v1'
  union all
  select line->>'sku',
         (line->>'quantity')::bigint * case type when 'quire.order.shipped.v1' then -1 else 1 end
    from event, json_array_elements(data->'lines') line
   where type in ('quire.order.shipped.v1', 'quire.order.return_settled.v1')
      or type = 'quire.order.parcel_lost.v1' and data->>'cause' = 'returned_to_sender'
  union all
  select line->>'sku', -(line->>'quantity')::bigint
    from event, json_array_elements(data->'unsellable') line
   where type = 'quire.order.return_settled.v1'
), counted as (select sku, sum(units) as units from moved group by sku)
select coalesce(c.sku, s.sku), coalesce(c.units, 0)::bigint, coalesce(s.on_hand, 0)
  from counted c full join stock_level s on s.sku = c.sku
 where coalesce(c.units, 0) <> coalesce(s.on_hand, 0) order by 1
"""
_ORDERS: LiteralString = "select order_id, document from order_view"
_TWICE: LiteralString = (
    "select stream, type, count(*) from event where type = any(%b::text[]) and not imported"
    " group by 1, 2 having count(*) > 1"
)
_SENT: LiteralString = (
    "select stream, count(*) from event where type = 'quire.notification.sent.v1'"
    " and data->>'channel' = 'email' group by 1"
)
_TIMERS: LiteralString = (
    "select t.stream, t.name from timer t join order_view v on v.order_id = t.correlation"
    " where v.status in ('completed', 'cancelled', 'rejected', 'expired')"
)
_PARKED: LiteralString = "select id, processor, key, cause, error from parked order by id"


class Checked(NamedTuple):
    """What was found, and some figures beside."""

    findings: list[Finding]
    lost: int
    twice: int
    ends: dict[str, int]
    mails_repeated: int
    facts: int


async def check(arena: Arena, accepted: Collection[str], say: Callable[[str], None]) -> Checked:
    """Look at everything. `accepted` are the orders that the load saw accepted."""
    found: list[Finding] = []
    dsn = arena.servers.postgres_dsn
    async with await connect(dsn, name="quire-faults") as conn:
        say("checking: orders, stock, mails, timers, parked messages")
        lost, ends = await _orders(conn, arena, accepted, found)
        twice = await _twice(conn, arena, found)
        await _rows(conn, _COUNTED, "stock_differs", "counted {1}, on hand {2}", found)
        await _rows(conn, _TIMERS, "timer_of_closed_order", "{1}", found)
        await _rows(conn, _PARKED, "parked", "{1}, key {2}, {3}: {4}", found)
        repeated = await _mails(conn, arena, found)
    for name, standing in arena.standings().items():
        if standing.state is State.FAILED:
            found.append(Finding("stopped_for_good", name, arena.log_of(name)))
    say("checking: hashes, seals, invariants, money, views")
    facts = await _verbs(arena, found)
    return Checked(found, lost, twice, ends, repeated, facts)


async def only(arena: Arena, limit: float, say: Callable[[str], None]) -> Report:
    """The checks alone, of a stack that nobody hurt."""
    left = await settle(arena, limit, closed=arena.own)
    late = [Finding("not_settled", name, str(count)) for name, count in left.items()]
    checked = await check(arena, (), say)
    findings = [*late, *checked.findings]
    return Report(
        ok=not findings,
        kills=0,
        orders=sum(checked.ends.values()),
        lost=checked.lost,
        twice=checked.twice,
        slowest_recovery_s=0.0,
        findings=findings,
        ends=checked.ends,
        mails_repeated=checked.mails_repeated,
        facts=checked.facts,
    )


async def _orders(
    conn: AsyncConnection, arena: Arena, accepted: Collection[str], found: list[Finding]
) -> tuple[int, dict[str, int]]:
    cursor = await conn.execute(_ORDERS)
    shown = {row[0]: decode(row[1]) for row in await cursor.fetchall()}
    cursor = await conn.execute(
        "select distinct substr(stream, 7) from event where type = %s", (ONCE[0],)
    )
    placed = {row[0] for row in await cursor.fetchall()}
    lost = 0
    for order_id in sorted({*accepted, *placed}):
        order = shown.get(order_id)
        if order is None:
            detail = "in the log, not in the view" if order_id in placed else "not in the log"
        elif order.status in CLOSED if arena.own else order.resting:
            continue
        else:
            detail = f"{order.status}, {order.fulfilment}, {order.payment}"
        lost += 1
        _add(found, "not_at_rest" if order else "lost", order_id, detail)
    return lost, dict(Counter(order.status for order in shown.values()))


async def _twice(conn: AsyncConnection, arena: Arena, found: list[Finding]) -> int:
    """What was done a second time for one wish, by the log and by the provider."""
    cursor = await conn.execute(_TWICE, (list(ONCE),))
    again = [(row[0], f"{row[1]} {row[2]} times") for row in await cursor.fetchall()]
    moves = Counter(
        (entry.order_id, entry.step, entry.subject)
        for entry in read_ledger(arena.ledger())
        if entry.outcome == "approved" and entry.subject
    )
    again += [
        (order_id, f"{step} {subject} {count} times at the provider")
        for (order_id, step, subject), count in moves.items()
        if count > 1
    ]
    for subject, detail in again:
        _add(found, "twice", subject, detail)
    return len(again)


async def _mails(conn: AsyncConnection, arena: Arena, found: list[Finding]) -> int:
    """One mail a notification, and one notification a mail; gives how many came again."""
    box = arena.mails()
    sender: str = Settings.model_fields["smtp_sender"].default
    cursor = await conn.execute(_SENT)
    rows = await cursor.fetchall()
    if box is None:
        return 0  # mail is simulated here
    known: set[str] = set()
    for stream, count in rows:
        notification_id = stream.removeprefix("notification-")
        if count > 1:
            _add(found, "sent_twice", notification_id, f"{count} facts")
        name = id_of(message_id(notification_id, sender))
        known.add(name)
        if name not in box:
            _add(found, "mail_missing", notification_id, "sent by the log, not in the box")
    for name in sorted(box.keys() - known):
        _add(found, "mail_without_fact", name, "in the box, not sent by the log")
    return sum(times > 1 for times in box.values())


async def _rows(
    conn: AsyncConnection, statement: LiteralString, code: str, detail: str, found: list[Finding]
) -> None:
    cursor = await conn.execute(statement)
    for row in await cursor.fetchall():
        _add(found, code, str(row[0]), detail.format(*row))


async def _verbs(arena: Arena, found: list[Finding]) -> int:
    """The same commands that an operator has; gives how many facts there are."""
    # A stack that is not ours goes on living: what is fresh is under way.
    fresh = ("--settle-seconds", "0" if arena.own else "60")
    verify = await _verb(arena, "audit", "verify", *fresh)
    for one in verify["findings"]:
        _add(found, one["code"], one["subject"], f"position {one['position']}: {one['detail']}")
    reconcile = await _verb(arena, "audit", "reconcile", *fresh)
    for one in reconcile["differences"]:
        detail = f"{one['step']} {one['subject']}: log {one['log']}, provider {one['provider']}"
        _add(found, one["code"], one["order_id"], detail)
    compare = await _verb(arena, "projections", "compare")
    for one in compare["first"]:
        detail = f"shows {one['shown']}, log {one['folded']}"
        _add(found, "view_differs", f"{one['view'].removeprefix('view/')} {one['key']}", detail)
    return int(verify["events"])


async def _verb(arena: Arena, *words: str) -> dict[str, Any]:
    where = ("--state-dir", str(arena.state_dir), "--json")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", *words, *where),
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
        env={**os.environ, **arena.env},
    )
    out, err = await process.communicate()
    if process.returncode not in (0, 1):
        told = (out or err).decode()[-500:]
        raise CheckFailed(f"quire {' '.join(words)} ended with {process.returncode}: {told}")
    return msgspec.json.decode(out)


class CheckFailed(Exception):
    """A check could not be made."""


def _add(found: list[Finding], code: str, subject: str, detail: str) -> None:
    if sum(one.code == code for one in found) < SHOWN:
        found.append(Finding(code, subject, detail))
