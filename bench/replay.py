"""Replaying the log, each fact decoded, against reading the raw table: `python -m bench.replay`.

This is how a view is fed that is built anew. (`quire replay` prints; its time goes into the text.)
"""

from bench.reading import full_log
from bench.rounds import Compared, command, compare
from store import log
from store.connect import connect
from store.feed import Facts, feed

WHAT = "every fact read in order and decoded, against COPY event TO /dev/null BINARY"


async def run(events: int, rounds: int) -> Compared:
    async with (
        full_log(events) as full,
        await connect(full.scratch.app_dsn, name="quire-bench-replay") as conn,
    ):

        async def ours() -> None:
            fed = await feed(conn, _look, 0, await log.head(conn))
            assert fed == full.events, "the replay is complete"

        return await compare("replay", WHAT, 0.5, full.events, rounds, ours, full.copy_out)


def _look(facts: Facts) -> None:
    last = 0
    for stamp, event in facts:
        assert stamp.position > last, "in order"
        assert event.type, "decoded"
        last = stamp.position


if __name__ == "__main__":
    command(run, events=220_000, rounds=3)
