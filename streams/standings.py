"""How far each reader of the log is behind, told on the timers process' page.

By a process that reads nothing of the log itself: who stands still cannot tell of it.
"""

from store import progress
from store.connect import connect
from store.errors import translated
from store.views.every import VIEWS
from streams.relay_life import RELAY_CHECKPOINT
from telemetry.registry import of_this_process

POSITIONS, SECONDS = "quire_reader_lag_positions", "quire_reader_lag_seconds"
MARKS = {
    RELAY_CHECKPOINT: "relay",
    "seal": "sealer",
    **{view.name: "projector" for view in VIEWS.values()},
}


def tell(dsn: str) -> None:
    """Ask Postgres once for each page, on a connection of its own."""
    figures = of_this_process()
    positions, seconds = figures.gauge(POSITIONS), figures.gauge(SECONDS)

    async def ask() -> None:
        with translated():
            async with await connect(dsn, name="quire metrics", index_only=True) as conn:
                found = await progress.unread(conn, list(MARKS))
        for reader in set(MARKS.values()):
            marks = [unread for mark, unread in found.items() if MARKS[mark] == reader]
            positions.labels(reader).set(max((each.positions for each in marks), default=0))
            seconds.labels(reader).set(max((each.seconds for each in marks), default=0))

    figures.asked(ask, POSITIONS, SECONDS)
