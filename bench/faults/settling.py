"""Waits until nothing is left to do, and tells what still is when the time is over."""

import asyncio
from time import monotonic
from typing import Any, LiteralString

import psycopg

from bench.faults.arena import Arena
from stack.lag import lags
from stack.supervisor import State
from store.connect import connect

LOOK_SECONDS = 0.5

# Each gives one number: how much is left of it.
_LEFT: dict[str, LiteralString] = {
    "wishes without an outcome": (
        "select count(*) from idempotency i where not exists"
        " (select from outcome o where o.command_id = i.command_id)"
    ),
    "facts that the relay has not passed": (
        "select count(*) from event where position >"
        " coalesce((select position from checkpoint where name = 'relay'), 0)"
    ),
    "facts whose commands have no outcome": (
        "select count(*) from event where position >"
        " coalesce((select position from checkpoint where name = 'sweeper'), 0)"
    ),
    "facts that a view lacks": (
        "select count(*) from event where position >"
        " coalesce((select min(position) from checkpoint where name like 'view/%%'), 0)"
    ),
    "facts without a seal": (
        "select count(*) from event where position >"
        " coalesce((select max(last_position) from seal), 0)"
    ),
}
_ALSO: dict[str, LiteralString] = {
    "open orders": (
        "select count(*) from order_view"
        " where status not in ('completed', 'cancelled', 'rejected', 'expired')"
    ),
    "timers": "select count(*) from timer",
}

Left = dict[str, int]


async def settle(arena: Arena, limit: float, *, closed: bool) -> Left:
    """Wait until nothing is left; gives what is when `limit` seconds are over.

    With `closed`, until each order is closed and no timer is left; else until no wish is open.
    """
    deadline = monotonic() + limit
    left: Left = {"everything": 1}
    while left and monotonic() < deadline:
        left = await _left(arena, closed=closed)
        if left:
            await asyncio.sleep(LOOK_SECONDS)
    return left


async def _left(arena: Arena, *, closed: bool) -> Left:
    away = {
        f"{name} is {each.state}": 1
        for name, each in arena.standings().items()
        if each.state is not State.READY
    }
    if away:
        return away
    try:
        async with (
            asyncio.timeout(20),
            await connect(arena.servers.postgres_dsn, name="quire-faults") as conn,
        ):
            wanted: dict[str, LiteralString] = {**_LEFT, **_ALSO} if closed else _LEFT
            left = {name: await _count(conn, each) for name, each in wanted.items()}
    except (psycopg.Error, TimeoutError):
        return {"Postgres does not answer": 1}
    left = {name: count for name, count in left.items() if count}
    if not left:
        behind = await lags(arena.servers.postgres_dsn, arena.servers.kafka)
        left = {f"{name} is behind": lag.records for name, lag in behind.items() if lag.records}
    return left


async def _count(conn: Any, statement: LiteralString) -> int:
    cursor = await conn.execute(statement)
    row = await cursor.fetchone()
    return int(row[0])
