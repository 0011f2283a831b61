"""Appending through the store, against a plain COPY of the same rows: `python -m bench.append`.

Both write into the same table with the same indexes and commit each batch of 500 to disk. Ours
also takes the lock that puts positions in the order of commits, and wakes the readers.
"""

from collections.abc import Iterator, Sequence

from bench.rounds import Compared, command, compare
from bench.scratch import copy, servers
from bench.story import Story
from store.commit import Decided, commit
from store.connect import connect
from store.log import NewEvent

BATCH = 500


async def run(events: int, rounds: int) -> Compared:
    async with (
        servers() as scratch,
        await connect(scratch.app_dsn, name="quire-bench-ours", index_only=True) as ours,
        await connect(scratch.owner_dsn, name="quire-bench-copy") as other,
    ):
        # Every turn writes facts of its own, made before: no two may be of one stream's version.
        stories = _batches(2 * rounds + 2, events)

        async def through_the_store() -> None:
            for batch in next(stories):
                await commit(ours, Decided("bench", "bench", [], events=list(batch)), begun=False)

        async def by_copy() -> None:
            for batch in next(stories):
                await copy(other, batch)

        await through_the_store()
        await by_copy()
        what = f"batches of {BATCH} through the store, against COPY of the same rows"
        return await compare("append", what, 0.8, events, rounds, through_the_store, by_copy)


def _batches(stories: int, count: int) -> Iterator[list[Sequence[NewEvent]]]:
    made: list[list[Sequence[NewEvent]]] = []
    for number in range(stories):
        events = [
            event._replace(stream=f"{event.stream}-{number}")
            for event in Story(f"append-{number}").events(count)
        ][:count]
        made.append([events[begin : begin + BATCH] for begin in range(0, count, BATCH)])
    return iter(made)


if __name__ == "__main__":
    command(run, events=10_000, rounds=5)
