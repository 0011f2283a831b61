"""The owner of some partitions of one topic: it takes batches and lets go of them only when done.

Every clause of PROTOCOL.md's "Owner of a partition" is here, in batch.py, or in store/commit.py.
"""

import asyncio
import functools
import logging
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from gateways.clock import Clock, this_host
from store import fences, outcomes, parked, shelf, timers
from store.commit import Step, begin, commit, rollback
from store.connect import AsyncConnection, connect
from store.errors import Stale, Unfit, translated
from store.fences import Fence
from store.log import read_streams
from store.parked import NUDGE
from store.tasks import end
from streams.batch import Batch, Undecidable
from streams.context import Context, Record
from streams.counting import Batches
from streams.incoming import Incoming, read
from streams.insistence import Insistence, OurFault
from streams.lifecycle import CannotGoOn
from streams.memory import Memory
from streams.partitions import check_plan
from streams.redriving import BrokeAgain, Problem, Turn, problem_of
from streams.settings import Settings
from streams.shelves import skus_to_lock
from streams.verdict import Known

log = logging.getLogger("quire.engine")


class Engine:
    """Handles the batches of one context: `own` first, then `handle` returns when all of a batch
    is committed, or not ours any more. Both raise CannotGoOn only."""

    def __init__(self, context: Context, settings: Settings, *, clock: Clock = this_host) -> None:
        self.context = context
        self._settings = settings
        self._clock = clock
        self._conn: AsyncConnection | None = None
        self.owned: set[int] = set()
        self._fences: dict[int, Fence] = {}
        self._parked_keys: set[str] = set()
        self._relayed: dict[int, UUID] = {}
        self._memory = Memory(context.initial, context.evolve, settings.cached_streams)
        self._background: set[asyncio.Task[None]] = set()
        self._count = Batches(context.name)
        self._insist = Insistence(context.name, self._forget, self._drop_connection)

    @property
    def turns(self) -> int:
        """How often something was tried."""
        return self._insist.turns

    @property
    def next_offsets(self) -> dict[int, int]:
        """Up to where each partition is handled."""
        return {p: f.next_offset for p, f in self._fences.items() if p in self.owned}

    async def own(
        self, committed: Mapping[int, int | None], *, count: int | None = None
    ) -> dict[int, int]:
        """Takes these partitions, each with its group's offset, and says where to begin.

        `count` is how many the topic has; raises CannotGoOn when that is not the plan.
        """
        self.owned = set(committed)
        if not committed:
            return {}

        async def take() -> dict[int, int]:
            self._forget()
            conn = await self._connection()
            if count is not None:
                await check_plan(conn, {self.context.topic: count})
            await self._refresh(conn)
            # Faust may commit ahead of the work, so never later than the fence (PROTOCOL 1).
            return {p: min(committed[p] or 0, self._fences[p].next_offset) for p in committed}

        try:
            starts = await self._insist(take)
        except Unfit as error:
            raise CannotGoOn(f"cannot take partitions: {error}") from error
        redriving = asyncio.create_task(self._redrive_movable())
        self._background.add(redriving)
        redriving.add_done_callback(self._background.discard)
        return starts

    def disown(self, partitions: Iterable[int]) -> None:
        """Lets go of partitions: what is left of their batches is another's to handle."""
        self.owned -= set(partitions)

    async def handle(self, batch: Sequence[Record]) -> None:
        """Handles a batch, again and again until it is done."""
        incoming = [read(one, self.context.topic, self.context.name) for one in batch]
        await self._handle(incoming)
        nudged = {one.key: one.partition for one in incoming if one.kind == NUDGE}
        for key, partition in nudged.items():
            await self._redrive(key, partition)

    async def close(self) -> None:
        await end(*self._background)
        if self.context.outside is not None:
            await self.context.outside.close()
        if self._conn is not None:
            await self._conn.close()

    async def _handle(self, batch: Sequence[Incoming]) -> None:
        try:
            await self._insist(lambda: self._attempt(batch))
        except Unfit as error:
            if len(batch) == 1:
                await self._give_up(batch[0], error)
                return
            middle = len(batch) // 2
            await self._handle(batch[:middle])
            await self._handle(batch[middle:])

    async def _give_up(self, one: Incoming, error: Unfit) -> None:
        cause = "cannot_handle" if isinstance(error, OurFault) else "not_storable"
        if one.problem is not None and one.problem[0] == cause:  # it is not this message's fault
            raise CannotGoOn(f"{one.id} cannot even be parked: {error}") from error
        one.give_up(cause, str(error))
        await self._handle([one])

    async def _attempt(self, batch: Sequence[Incoming]) -> None:
        ours = [one for one in batch if one.partition in self.owned]
        if not ours:
            return
        with self._count.timed(ours[0], self._clock):
            conn = await self._connection()
            with translated():
                work = await self._prepare(conn, ours)
            kept = work.sift(ours)
            next_offsets = {one.partition: one.offset + 1 for one in ours}
            await self._decide_and_commit(conn, work, kept, next_offsets)
        self._relayed = work.relayed
        self._count.dropped(ours, len(kept), len(work.gaps))

    async def _decide_and_commit(
        self,
        conn: AsyncConnection,
        work: Batch,
        kept: Sequence[Incoming],
        next_offsets: Mapping[int, int],
        turn: Turn | None = None,
    ) -> None:
        locks = self.context.shared_stock and bool(kept)
        try:
            if locks:
                with translated():
                    if turn is None:
                        await begin(conn)
                    skus = skus_to_lock(
                        (one.command, self._memory.state(one.command.stream))
                        for one in kept
                        if one.command is not None
                    )
                    work.lock(await shelf.lock(conn, sorted(skus)))
            verdicts = await work.decide(kept)
            steps = [
                Step(partition, self._fences[partition].version, offset)
                for partition, offset in sorted(next_offsets.items())
            ]
            decided = work.written(verdicts, steps)
            if turn is not None:
                turn.settle(work, decided)
            await commit(conn, decided, begun=locks or turn is not None)
        except (Stale, Unfit):
            await rollback(conn)
            raise
        for partition, offset in next_offsets.items():
            self._fences[partition] = Fence(self._fences[partition].version + 1, offset)
        self._parked_keys = work.parked_keys
        work.remember()
        self._count.committed(decided)

    async def _prepare(self, conn: AsyncConnection, batch: Sequence[Incoming]) -> Batch:
        """Reads what deciding needs: outcomes, armed timers, and the states not remembered."""
        if not self._fences:
            await self._refresh(conn)
        ids = {one.id for one in batch}
        ids |= {one.message.prev for one in batch if one.message and one.message.prev}
        settled = await outcomes.find(conn, list(ids))
        # By the message's own subject: what cannot be decoded has a timer all the same.
        timed = [one.message.subject for one in batch if one.is_timer and one.message]
        armed = await timers.armed(conn, timed) if timed else {}
        streams = [s for one in batch if one.command for s in self.context.reads(one.command)]
        missing = self._memory.missing(streams)
        if missing:
            facts = await read_streams(conn, missing)
            for stream in missing:
                self._memory.learn(stream, facts.get(stream, ()))
        known = Known(settled, armed, self._parked_keys, self._relayed)
        return Batch(self.context, self._memory, known, self._settings.periods(), self._clock())

    async def _redrive_movable(self) -> None:
        """What somebody wished while nobody owned the partition (PROTOCOL 12)."""

        async def movable() -> dict[str, int]:
            with translated():
                return await parked.movable(await self._connection(), self.context.processor)

        try:
            found = await self._insist(movable)
        except Unfit:
            log.exception("%s: nobody looked for wishes", self.context.name)
            return
        for key, partition in found.items():
            await self._redrive(key, partition)

    async def _redrive(self, key: str, partition: int) -> None:
        problem: Problem | None = None
        while True:
            try:
                if not await self._insist(
                    functools.partial(self._redrive_first, key, partition, problem)
                ):
                    return
                problem = None
            except Unfit as error:
                if problem is not None:
                    log.exception("%s: %s stays parked as it is", self.context.name, key)
                    return
                problem = problem_of(error)

    async def _redrive_first(self, key: str, partition: int, problem: Problem | None) -> bool:
        """Redrives, discards or replaces the first parked message of a key, if somebody wished it.

        `problem` is why it could not be written just now; then it stays parked.
        """
        if partition not in self.owned:
            return False
        conn = await self._connection()
        turn = await self._turn(conn, key, problem)
        if turn is None:
            return False
        try:
            with translated():
                work = await self._prepare(conn, [turn.before, turn.one])
            next_offsets = {partition: self._fences[partition].next_offset}
            await self._decide_and_commit(conn, work, turn.kept, next_offsets, turn)
        except (Stale, Unfit) as error:
            await rollback(conn)
            if isinstance(error, Undecidable):
                raise BrokeAgain(turn.one) from error
            raise
        with translated():
            if await parked.first(conn, self.context.processor, key) is not None:
                return True
        self._parked_keys.discard(key)  # in the same turn: nobody may park behind nothing
        return False

    async def _turn(self, conn: AsyncConnection, key: str, problem: Problem | None) -> Turn | None:
        """The first parked message of a key, held in a transaction; None, and no transaction, when
        nobody wished it."""
        try:
            with translated():
                await begin(conn)
                row = await parked.hold_first(conn, self.context.processor, key)
        except Stale:
            await rollback(conn)
            raise
        if row is None or not row.may_move:
            await rollback(conn)
            return None
        return Turn.of(row, self.context.name, problem)

    async def _refresh(self, conn: AsyncConnection) -> None:
        with translated():
            context = self.context
            self._fences = await fences.read(
                conn, context.processor, context.topic, sorted(self.owned)
            )
            self._parked_keys = await parked.keys(conn, context.processor)

    def _forget(self) -> None:
        self._memory.clear()
        self._fences = {}
        self._relayed = {}

    async def _connection(self) -> AsyncConnection:
        if self._conn is None:
            with translated():
                self._conn = await connect(
                    self._settings.postgres_dsn.get_secret_value(),
                    name=self.context.processor,
                    index_only=True,
                )
        return self._conn

    async def _drop_connection(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            await conn.close()
