"""Small worlds by name: each takes the protections that hold in it and is searched completely."""

from collections.abc import Callable, Mapping
from typing import Any

from .doors import Doors
from .doors import World as Door
from .parking import Parking
from .parking import World as Key
from .pipeline import Pipeline
from .protections import Protections
from .search import Model
from .stock import Stock
from .timers import Timers
from .world import Faults, Scenario

Build = Callable[[Protections], Model[Any]]


def pipeline(
    *facts: tuple[int, int],
    faults: Faults,
    homes: tuple[int, ...] = (0,),
    relays: int = 1,
    batch: int = 1,
    sweeps: int = 9,
    grown_to: int = 0,
    chained: bool = True,
) -> Build:
    return lambda rules: Pipeline(
        Scenario(facts, faults, homes, relays, batch, sweeps, rules, grown_to, chained)
    )


def parking(messages: int, first: Key) -> Build:
    return lambda rules: Parking(messages, first, rules)


def doors(first: Door) -> Build:
    return lambda rules: Doors(first, rules)


def stock(free: int, workers: int) -> Build:
    return lambda rules: Stock(free, workers, rules)


def timers(repeats: int) -> Build:
    return lambda rules: Timers(repeats, rules)


A = (0, 0)  # the next fact of the one key in partition 0
B = (1, 1)  # and in partition 1

LARGE: Mapping[str, Build] = {
    "a relay crashes twice, a second one starts": pipeline(
        A, A, faults=Faults(second_relay=1, relay_crash=2), relays=2
    ),
    "a relay crashes over two partitions": pipeline(
        A, B, A, faults=Faults(relay_crash=1, worker_crash=1), homes=(0, 1)
    ),
    "two takeovers and a lost answer": pipeline(
        A, A, faults=Faults(takeover=2, lost_answer=1), homes=(0, 0)
    ),
    "a takeover, a crash and a lost answer": pipeline(
        A, A, A, faults=Faults(takeover=1, worker_crash=1, lost_answer=1), homes=(0, 0)
    ),
    "batches of two keys": pipeline(
        A, (0, 1), A, faults=Faults(relay_crash=1, worker_crash=1, lost_answer=1), batch=2
    ),
    "records lost twice": pipeline(A, A, faults=Faults(records_lost=2, relay_crash=1)),
    "records lost in one of two partitions": pipeline(
        A, B, A, B, faults=Faults(records_lost=1), homes=(0, 1)
    ),
    "records lost under a second relay": pipeline(
        A, A, faults=Faults(records_lost=1, second_relay=1), relays=2
    ),
    "records lost and a zombie": pipeline(
        A, A, faults=Faults(records_lost=1, takeover=1, lost_answer=1), homes=(0, 0)
    ),
    "records lost and the group ahead": pipeline(
        A, A, faults=Faults(records_lost=1, group_ahead=1, worker_crash=1, relay_crash=1)
    ),
    "commands of a door, the group ahead": pipeline(
        A, A, faults=Faults(group_ahead=1, worker_crash=1, relay_crash=1), chained=False
    ),
    "a rollback and a zombie": pipeline(
        A, A, A, faults=Faults(rollback=1, takeover=1), homes=(0, 0), batch=2
    ),
    "the topic grows": pipeline(
        A, A, A, faults=Faults(growth=1, relay_crash=1), homes=(0, 1), grown_to=1
    ),
    "the topic grows after a loss": pipeline(
        A, A, faults=Faults(growth=1, records_lost=1, relay_crash=1), homes=(0, 1), grown_to=1
    ),
    "the topic grows after a lost answer": pipeline(
        A, A, faults=Faults(growth=1, lost_answer=1), homes=(0, 1), grown_to=1
    ),
    "redriven twice": parking(3, Key(redrives=2)),
    "redriven by a zombie": parking(2, Key(redrives=2, takeovers=1)),
    "redriven while repeated": parking(2, Key(redrives=1, takeovers=1, repeats=1)),
    "discarded by a zombie": parking(3, Key(redrives=1, discards=1, takeovers=1)),
    "discarded while redriven, a nudge lost": parking(
        2, Key(redrives=2, discards=1, nudges_lost=1)
    ),
    "a timer announced four times": timers(repeats=3),
    "said three times at the door": doors(Door(sayings=3, crashes=2, losses=1)),
    "three owners want two pieces": stock(free=2, workers=3),
}
