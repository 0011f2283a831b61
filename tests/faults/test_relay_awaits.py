"""The relay killed at every await of ours, and its lock taken away (PROTOCOL 8)."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uvloop

from store.connect import connect
from streams import relay as relaying
from streams import relay_life
from streams.reactions import Routes
from streams.settings import Settings
from tests.faults.forked import KILLED, forked
from tests.integration.relay_world import Read, World, until

Topics = Callable[[str, int], Awaitable[str]]
ROOT = str(Path(__file__).parents[2])
OURS = tuple(f"{ROOT}/{room}/" for room in ("bus", "store", "streams"))
N = 0.1  # the sweeper's, in seconds
LONGEST_LIFE = 1.5  # seconds, in which a relay is set back several times


def place_of_await(waiting: Any) -> str:
    """Where of ours a suspended coroutine stands: the innermost line, and who of the relay's
    process asked for it."""
    asked, found = "", ""
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is not None and frame.f_code.co_filename.startswith(OURS):
            name = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
            found = f"{name}:{frame.f_lineno} {frame.f_code.co_name}"
            asked = found if name.startswith("streams/") else asked
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
    return found if found == asked else f"{asked} > {found}"


class Watched:
    """Steps a coroutine by hand; wherever it waits, before and after, `notice` hears of it."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], notice: Callable[[str], None]) -> None:
        self._coroutine, self._notice = coroutine, notice

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[], Any] = lambda: self._coroutine.send(None)  # noqa: E731
        before = ""
        while True:
            try:
                waits_for = step()
            except StopIteration as end:
                return end.value
            place = place_of_await(self._coroutine)
            new, before = place not in ("", before), place
            if new:  # who waits for a socket does so again and again
                self._notice(f"{place} waits")
            try:
                value = yield waits_for
            except BaseException as thrown:
                step = _thrown(self._coroutine, thrown)
            else:
                step = _sent(self._coroutine, value)
                if new:
                    self._notice(f"{place} goes on")


def _thrown(coroutine: Coroutine[Any, Any, Any], error: BaseException) -> Callable[[], Any]:
    return lambda: coroutine.throw(error)


def _sent(coroutine: Coroutine[Any, Any, Any], value: Any) -> Callable[[], Any]:
    return lambda: coroutine.send(value)


def live(settings: Settings, facts: str, commands: dict[str, str], seen: Path) -> None:
    """Relay, and die by kill -9 at the first await that `seen` does not name, which is added; ends
    by itself when there is none."""
    known = set(seen.read_text().splitlines())

    def notice(point: str) -> None:
        if point not in known:
            with seen.open("a") as file:
                file.write(f"{point}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(loop: Any, coroutine: Any, **named: Any) -> "asyncio.Task[Any]":
        async def stepping() -> Any:
            return await Watched(coroutine, notice)

        return asyncio.Task(stepping(), loop=loop, **named)

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(watched)
        stop = asyncio.Event()
        running = asyncio.create_task(relaying.relay(settings, stop, Routes(facts, commands)))
        await asyncio.wait({running}, timeout=LONGEST_LIFE)
        stop.set()
        await running

    relay_life.CHUNK = 10  # so that a life has several
    uvloop.run(main())


@pytest.fixture
async def world(postgres_dsn: str, kafka: str, topics: Topics) -> AsyncGenerator[World]:
    made = await World.make(postgres_dsn, kafka, topics, sweep_after=N)
    async with made.conn:
        yield made


async def exact(world: World) -> None:
    """Each command is there, first times in log order, and those that name one follow it."""
    news, commands = await world.expected()
    assert {read.message.id for read in await world.read(world.routes.facts)} == {
        message.id for message in news
    }
    order_of = {command.id: number for number, command in enumerate(commands)}
    records = await world.commands()
    for place in {read.place for read in records}:
        here = [read for read in records if read.place == place]
        firsts = [order_of[id] for id in dict.fromkeys(read.message.id for read in here)]
        assert firsts == sorted(firsts)
        follows_what_it_names(here)
    assert {read.message.id for read in records} == set(order_of)


def follows_what_it_names(here: list[Read]) -> None:
    """A command is behind the one that it names, whoever sent it again in between."""
    before: set[UUID] = set()
    for read in here:
        assert read.message.prev is None or read.message.prev in before
        before.add(read.message.id)


async def _all_lost(world: World) -> None:
    """As if every partition had been read to its end, and nothing was handled: the sweeper goes
    back again and again."""
    for context, topic in world.routes.commands.items():
        await world.conn.execute(
            "insert into fence (processor, topic, partition, version, next_offset)"
            " select %s, %s, n, 1, 1000000000 from generate_series(0, 2) as n",
            (f"quire-{context}", topic),
        )


async def _nothing_read(world: World) -> None:
    topics = list(world.routes.commands.values())
    await world.conn.execute("delete from fence where topic = any(%s)", (topics,))


async def _converges(world: World) -> None:
    """A relay that lives on, and workers who then handle all that stands there."""
    async with world.running():
        head = await world.orders(1)
        await world.relayed(head)
        sent = {read.message.id for read in await world.commands()}
        await world.conn.execute(
            "insert into outcome (command_id, result) select id, 'applied' from unnest(%s) as id",
            (list(sent),),
        )
        await world.done(head)
    await exact(world)


async def test_killed_at_every_await(world: World, tmp_path: Path):
    """17, 19: kill -9 of relay and sweeper before and after each await, one life each."""
    seen = tmp_path / "seen"
    seen.touch()
    await world.orders(10)
    await _all_lost(world)
    lives, status = 0, KILLED
    while status == KILLED:
        if lives % 10 == 0:
            await world.orders(1)
        routes = (world.routes.facts, dict(world.routes.commands))
        status = await forked(live, world.settings, *routes, seen)
        lives += 1
    assert status == 0
    shown = seen.read_text()
    assert lives == len(shown.splitlines()) + 1 > 60
    for step in ("_one_life", "_relay_chunk", "_send_in_order", "_go_back", "set_back", "sweep"):
        assert f" {step}" in shown, shown
    await _nothing_read(world)
    await _converges(world)


async def test_its_lock_is_taken_away_with_a_second_ready(world: World, admin_dsn: str):
    """17: `pg_terminate_backend` of the relay at work, again and again. In turn the one that held
    the lock is frozen, and goes on with its chunk after the other has sent it; and the one that
    stands by, so that who held the lock has to take it again."""
    holder = await world.process()
    await until(lambda: _live(world, 1))
    await world.relayed(await world.orders(1))
    standby = await world.process()
    relays = (holder, standby)
    async with await connect(admin_dsn, name="admin") as admin:
        for number in range(6):
            await until(lambda: _live(world, 2))
            start, head = await world.position(), await world.orders(25)
            await until(lambda start=start: _beyond(world, start))
            frozen = (holder, standby)[number % 2]
            frozen.send_signal(signal.SIGSTOP)
            assert (await admin.execute(TAKE_AWAY)).rowcount == 1
            await world.relayed(head)
            frozen.send_signal(signal.SIGCONT)
            if frozen is holder:
                holder, standby = standby, holder
    for relay in relays:
        relay.terminate()
    errors = b"".join([(await relay.communicate())[1] for relay in relays])
    assert errors.count(b"holds the lock now") >= 3
    await exact(world)


TAKE_AWAY = (
    "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = 7466"
    " and granted and database = (select oid from pg_database where datname = current_database())"
)


async def _live(world: World, count: int) -> bool:
    """Whether so many relays have the connection on which they hold the lock or ask for it."""
    cursor = await world.conn.execute(
        "select from pg_stat_activity where application_name = 'quire relay'"
        " and datname = current_database()"
    )
    return cursor.rowcount == count


async def _beyond(world: World, position: int) -> bool:
    return await world.position() > position
