"""An import from its checkpoint to the end of the file, some hundred invoices a transaction."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from psycopg import AsyncConnection

from cli.importing.history import SOURCE, History
from cli.importing.importer import Importer
from cli.importing.invoices import Invoice, Survey, invoices, survey
from cli.importing.reader import Reject, read
from cli.importing.rejects import RejectFile
from cli.importing.source import Source
from cli.importing.totals import Totals, load, save
from store import checkpoints, importing
from store.checkpoints import Checkpoint
from store.errors import Stale

INVOICES = 300
LINES = 4_000
_TRIES = 5
_STREAMS = ("order-uci-", "reservation-uci-", "payment-uci-")

Progress = Callable[[int], None]


class Unfinished(Exception):
    """An earlier import of this file stopped half-way, and nobody asked to resume it."""


class Batch(NamedTuple):
    """Some invoices and unreadable lines; `end` is the file's last line when they are handled."""

    items: list[Invoice | Reject]
    end: int

    @property
    def invoices(self) -> list[Invoice]:
        return [item for item in self.items if isinstance(item, Invoice)]


class Session:
    """One file going into one log."""

    def __init__(self, conn: AsyncConnection, source: Source, *, dry_run: bool = False) -> None:
        self._conn = conn
        self._source = source
        self._dry_run = dry_run
        self._name = f"{SOURCE}:{source.digest[:32]}"
        self._survey = Survey()
        self.already = False

    async def run(self, *, resume: bool, rejects: RejectFile, progress: Progress) -> Totals:
        """Import what is not imported yet; raises Unfinished, NotReadable."""
        self._survey = survey(read(self._source.file))
        if not self._dry_run and not await importing.take_turn(self._conn):
            raise Unfinished("another import is running")
        last = self._survey.last
        mark = await self._mark()
        if mark.position > last:
            self.already = True
            return load(mark.state) if resume else Totals()
        if mark.position and not resume and not self._dry_run:
            raise Unfinished(f"it was imported up to line {mark.position} of {last}")
        rejects.keep(mark.position, self._survey.ends)
        importer = await self._load(mark)
        for batch in self._batches(mark.position):
            importer = await self._handle(importer, batch, rejects)
            progress(batch.end)
        importer = await self._handle(importer, Batch([], last + 1), rejects)
        return importer.totals

    async def _mark(self) -> Checkpoint:
        if self._dry_run:
            return Checkpoint(0, None)
        return await checkpoints.read(self._conn, self._name)

    async def _load(self, mark: Checkpoint) -> Importer:
        """Read back what earlier imports wrote, and the needs that this file has met already."""
        history = History()
        importer = Importer(history, self._survey.needs.copy())
        placed: dict[str, datetime] = {}
        for prefix in _STREAMS:
            async for fact in importing.past(self._conn, prefix):
                history.remember(fact)
                order_id = fact.stream.partition("-")[2]
                if not fact.imported:
                    importer.sold.live.add(order_id)
                if prefix == _STREAMS[0] and fact.version == 1:
                    placed[order_id] = fact.occurred_at
        for order_id, at in sorted(placed.items(), key=lambda item: item[1]):
            importer.know(order_id, at)
        importer.totals = load(mark.state)
        importer.done = await importing.threads(self._conn, SOURCE)
        for item in self._items() if mark.position else ():
            if isinstance(item, Invoice) and item.end <= mark.position:
                importer.skip(item)
        return importer

    async def _handle(self, importer: Importer, batch: Batch, rejects: RejectFile) -> Importer:
        """Decide and append one batch; when others were faster, read again and decide again."""
        for _ in range(_TRIES):
            try:
                await self._commit(importer, batch, rejects)
            except Stale:
                mark = await self._mark()
                rejects.keep(mark.position, self._survey.ends)
                importer = await self._load(mark)
            else:
                return importer
        raise Stale(f"five times others wrote to what line {batch.end} touches")

    async def _commit(self, importer: Importer, batch: Batch, rejects: RejectFile) -> None:
        history = importer.history
        skus = sorted(importer.skus(batch.invoices))
        async with importing.batch(self._conn, skus, keep=not self._dry_run) as shelves:
            mark = await self._mark()
            before = history.stock if self._dry_run else {}
            history.begin({**shelves.rows, **before}, datetime.now(UTC))
            importer.rejects = []
            for item in batch.items:
                if isinstance(item, Invoice):
                    importer.handle(item)
                else:
                    importer.totals.lines += 1
                    importer.reject(item)
            if not batch.items:
                importer.hand_over(None)
            importer.totals.events += len(history.facts)
            rejects.write(importer.rejects)
            if self._dry_run:
                return
            rows = {sku: history.stock[sku] for sku in history.touched}
            done = save(importer.totals)
            await checkpoints.move(self._conn, self._name, mark.position, batch.end, done)
            await importing.append(self._conn, history.facts, rows)

    def _items(self) -> Iterator[Invoice | Reject]:
        return invoices(read(self._source.file), self._survey.ends)

    def _batches(self, after: int) -> Iterator[Batch]:
        """Cut the file where enough invoices, or enough lines, have come together."""
        items: list[Invoice | Reject] = []
        lines = end = 0
        for item in self._items():
            here = item.end if isinstance(item, Invoice) else item.number
            if here <= after:
                continue
            items.append(item)
            lines += len(item.lines) if isinstance(item, Invoice) else 1
            end = here
            if len(items) >= INVOICES or lines >= LINES:
                yield Batch(items, end)
                items, lines = [], 0
        if items:
            yield Batch(items, end)
