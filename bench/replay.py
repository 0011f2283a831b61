"""Replaying the log, each fact decoded, against reading the raw table: `python -m bench.replay`."""

from bench.reading import full_log
from bench.rounds import Compared, command, compare
from store.connect import connect
from store.replaying import all_facts

WHAT = "every fact read in order and decoded, against COPY event TO /dev/null BINARY"


async def run(events: int, rounds: int) -> Compared:
    async with (
        full_log(events) as full,
        await connect(full.scratch.app_dsn, name="quire-bench-replay") as conn,
    ):

        async def ours() -> None:
            count = 0
            async for fact in all_facts(conn):
                assert fact.event is not None
                count += 1
            assert count == full.events, "the replay is complete"

        return await compare("replay", WHAT, 0.5, full.events, rounds, ours, full.copy_out)


if __name__ == "__main__":
    command(run, events=220_000, rounds=3)
