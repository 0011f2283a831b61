"""Verifying the whole log, against reading the raw table: `python -m bench.verify`.

All that `quire audit verify` does: hashes, versions, seals, invariants, stock rows.
"""

from bench.reading import full_log
from bench.rounds import Compared, command, compare
from store.verify import verify

WHAT = (
    "hash chains, versions, seals and invariants of every fact,"
    " against COPY event TO /dev/null BINARY"
)


async def run(events: int, rounds: int) -> Compared:
    async with full_log(events) as full:

        async def ours() -> None:
            report = verify(full.scratch.app_dsn, full.key)
            assert report.events == full.events, "all of it was verified"
            assert report.sealed_to == report.events, "and all of it is sealed"
            assert report.ok, report.findings[:3]

        return await compare("verify", WHAT, 0.2, full.events, rounds, ours, full.copy_out)


if __name__ == "__main__":
    command(run, events=220_000, rounds=3)
