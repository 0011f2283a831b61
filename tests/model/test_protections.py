"""Each protection is needed: a scenario that passes with it has a violating trace without it."""

from dataclasses import fields, replace
from typing import NamedTuple

import pytest

from .doors import World as Door
from .parking import World as Key
from .protections import ALL, Protections
from .scenarios import A, Build, doors, parking, pipeline, stock, timers
from .search import search
from .world import Faults


class Case(NamedTuple):
    protection: str
    violation: str
    scenario: Build
    net: str = ""
    """The protection behind this one, which would catch it: taken away in both searches."""


CASES = [
    Case(
        "fence_compared",
        "decided on a stale state",
        pipeline(A, A, faults=Faults(takeover=1), homes=(0, 0)),
    ),
    Case(
        "fence_before_states",
        "decided on a stale state",
        pipeline(A, A, faults=Faults(takeover=1), homes=(0, 0)),
    ),
    Case(
        "begin_at_smaller",
        "lost",
        pipeline(A, A, faults=Faults(group_ahead=1, worker_crash=1)),
        net="sweeper",
    ),
    Case(
        # A door's commands name none before them: here no net holds.
        "begin_at_smaller",
        "refused wrongly",
        pipeline(A, A, faults=Faults(group_ahead=1, worker_crash=1), chained=False),
    ),
    Case(
        "ack_after_commit",
        "lost",
        pipeline(A, A, faults=Faults(worker_crash=1)),
        net="begin_at_smaller sweeper",
    ),
    Case(
        "cache_after_commit",
        "version gap",
        pipeline(A, A, faults=Faults(rollback=1)),
        net="version_is_next",
    ),
    Case(
        "version_is_next",
        "version gap",
        pipeline(A, A, faults=Faults(rollback=1)),
        net="cache_after_commit",
    ),
    Case("outcome_drops_repeats", "applied twice", pipeline(A, A, faults=Faults(relay_crash=1))),
    Case("outcome_drops_repeats", "applied twice", parking(2, Key(redrives=1, repeats=1))),
    Case("outcome_drops_repeats", "applied twice", doors(Door(sayings=2, crashes=1))),
    Case(
        # The table refuses the batch, and the same batch is decided again and again.
        "batch_drops_repeats",
        "goes round for ever",
        pipeline(A, faults=Faults(relay_crash=1), batch=2),
    ),
    Case("prev_checked", "refused wrongly", pipeline(A, A, faults=Faults(records_lost=1))),
    Case("shared_read_under_lock", "oversold", stock(free=1, workers=2)),
    Case(
        "checkpoint_after_acks",
        "lost",
        pipeline(A, A, faults=Faults(relay_crash=1)),
        net="sweeper",
    ),
    Case(
        # One set-back heals one loss, unless a relay without the lock writes over it.
        "checkpoint_compared",
        "lost",
        pipeline(
            A,
            faults=Faults(records_lost=1, second_relay=1, relay_crash=1),
            relays=2,
            sweeps=1,
        ),
    ),
    Case("sweeper", "lost", pipeline(A, A, faults=Faults(records_lost=1))),
    Case("sweeper", "lost", doors(Door(sayings=2, losses=1))),
    Case(
        "set_back_to_done_point", "refused wrongly", pipeline(A, A, faults=Faults(records_lost=1))
    ),
    Case(
        "drained_before_growth",
        "refused wrongly",
        pipeline(A, A, faults=Faults(growth=1), homes=(0, 1), grown_to=1),
    ),
    Case(
        "done_before_growth",
        "refused wrongly",
        pipeline(A, A, faults=Faults(growth=1, records_lost=1), homes=(0, 1), grown_to=1),
    ),
    Case(
        "landed_before_growth",
        "decided on a stale state",
        pipeline(A, A, faults=Faults(growth=1, relay_crash=1), homes=(0, 1), grown_to=1),
    ),
    Case("parks_behind", "out of order", parking(2, Key(redrives=1))),
    Case("looks_on_assignment", "stuck", parking(2, Key(redrives=1, nudges_lost=1))),
    Case("flag_compared", "stuck", parking(1, Key(redrives=2))),
    Case("timer_armed_checked", "fired though not armed", timers(repeats=1)),
    Case("timer_waits_for_relay", "expired though paid before", timers(repeats=1)),
    Case("id_stable", "applied twice", doors(Door(sayings=2, crashes=1))),
    Case("row_before_publish", "lost", doors(Door(sayings=2, losses=1))),
]


def without(rules: Protections, names: str) -> Protections:
    return replace(rules, **dict.fromkeys(names.split(), False))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.protection)
def test_without_it_there_is_a_trace(case: Case):
    protected = without(ALL, case.net)
    report = search(case.scenario(protected))
    assert report.violation is None, str(report)
    broken = search(case.scenario(without(protected, case.protection)))
    print(f"with {case.protection}: {report}\nwithout: {broken}")
    assert broken.violation == case.violation, str(broken)
    assert broken.trace


def test_every_protection_has_its_case():
    assert {case.protection for case in CASES} == {field.name for field in fields(ALL)}
