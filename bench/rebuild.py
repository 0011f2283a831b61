"""Rebuilding the view of orders, against reading the raw table: `python -m bench.rebuild`."""

from bench.reading import full_log
from bench.rounds import Compared, command, compare
from store.connect import connect
from store.views import batch, progress
from store.views.every import VIEWS
from store.views.shadow import rebuild

WHAT = "order view folded, written, indexed and swapped in, against COPY event TO /dev/null BINARY"


async def run(events: int, rounds: int) -> Compared:
    async with (
        full_log(events) as full,
        await connect(full.scratch.owner_dsn, name="quire-bench-rebuild") as conn,
    ):
        at = await progress.start(conn, batch.VIEWS)
        head = await conn.execute("select max(position) from event")
        row = await head.fetchone()
        assert row is not None, "the log was filled"
        # As if the projector had come to the end of the log: a rebuild goes as far as it.
        await progress.move(conn, batch.VIEWS, at, row[0])

        async def ours() -> None:
            await rebuild(conn, VIEWS["orders"])

        return await compare("rebuild", WHAT, 0.25, full.events, rounds, ours, full.copy_out)


if __name__ == "__main__":
    command(run, events=220_000, rounds=3)
