"""The projector: tails the log and moves every view in batches. One works, others stand by."""

import asyncio
import logging
from time import perf_counter

from store import connect, listen
from store import log as facts
from store.codec import BadData, UnknownType
from store.errors import Stale, Unavailable, Unfit, translated
from store.views import batch, progress
from streams import counting, lifecycle
from streams.settings import Settings
from telemetry.registry import of_this_process

log = logging.getLogger("quire.projector")

# Facts of one order follow each other closely: a pause lets more of them share one update, which is
# what a view costs. The more there is, the longer; a quiet shop does not wait.
BREATH_A_FACT = 0.0002
LONGEST_BREATH = 0.3
SHORTEST_BREATH = 0.01
POLL_SECONDS = 0.5
BATCH = 5_000
REMEMBERED_DOCUMENTS = 20_000


async def run(settings: Settings) -> None:
    """Project until SIGTERM; a lost database is tried again, with back-off."""
    stop = lifecycle.stopping()
    wait = 0.1
    while not stop.is_set():
        try:
            await _live(settings.postgres_dsn.get_secret_value(), stop)
            wait = 0.1
        except (UnknownType, BadData, Unfit) as fault:
            raise lifecycle.CannotGoOn(f"a fact that no view can show: {fault!r}") from fault
        except (Unavailable, Stale) as fault:
            counting.fault(fault)
            log.warning("the database does not serve, again in %.1f s: %s", wait, fault)
            lifecycle.beat()
            await lifecycle.pause(stop, wait)
            wait = min(wait * 2, 5.0)


async def _live(dsn: str, stop: asyncio.Event) -> None:
    """One life: from a fresh connection until it breaks or the process ends."""
    with translated():
        conn = await connect.connect(dsn, name="quire projector")
    async with conn:
        with translated():
            await listen.listen(conn, listen.LOG)
        lifecycle.ready()  # standing by is work too: the other one projects
        while not stop.is_set():
            lifecycle.beat()
            with translated():
                leads = await progress.lead(conn)
            counting.leads("projector", now=leads)
            if leads:
                break
            await lifecycle.pause(stop, POLL_SECONDS)
        projector = Projector(conn)
        while not stop.is_set():
            lifecycle.beat()
            with translated():
                moved = await projector.step()
                if not moved:
                    await listen.wait(conn, POLL_SECONDS)
            if not stop.is_set():
                await asyncio.sleep(breath_after(moved))


def breath_after(moved: int) -> float:
    """Seconds until the next batch; none to speak of for one that has to catch up."""
    if moved >= BATCH:
        return SHORTEST_BREATH
    return min(LONGEST_BREATH, max(SHORTEST_BREATH, moved * BREATH_A_FACT))


class Projector:
    """Moves the views; what it remembers is dropped as soon as anyone else moved one."""

    def __init__(self, conn: connect.AsyncConnection) -> None:
        self._conn = conn
        self._known = batch.Documents(REMEMBERED_DOCUMENTS)
        self._at: progress.Progress | None = None
        figures = of_this_process()
        self._facts = figures.counter("quire_projector_facts_total")
        self._seconds = figures.histogram("quire_projector_batch_seconds")

    async def step(self) -> int:
        """Take the next facts, if there are any; says how many."""
        if self._at is None:
            self._known.clear()
            self._at = await progress.start(self._conn, batch.VIEWS)
        began = perf_counter()
        following = await facts.tail(self._conn, self._at.position, BATCH)
        if not following:
            return 0
        at, self._at = self._at, None  # until the commit is known, nothing is
        try:
            self._at = await batch.project(self._conn, following, at, self._known)
        except progress.Moved as moved:
            log.info("looking again where the views stand: %s", moved)
            return len(following)
        self._seconds.observe(perf_counter() - began)
        self._facts.inc(len(following))
        return len(following)
