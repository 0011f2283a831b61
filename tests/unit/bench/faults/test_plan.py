"""The plan of a fault run follows from its seed and touches everybody."""

import pytest

from bench.faults.customers import fate_of
from bench.faults.plan import SERVERS, SESSION_SECONDS, Injury, plan
from stack.processes import WORDS

NAMES = [*WORDS, *SERVERS]


def test_the_same_seed_makes_the_same_plan():
    assert plan(7, 300, NAMES) == plan(7, 300, list(reversed(NAMES)))
    assert plan(7, 300, NAMES) != plan(8, 300, NAMES)


def test_a_longer_run_begins_like_a_shorter_one():
    short = plan(3, 60, NAMES)
    assert plan(3, 120, NAMES)[: len(short)] == short


@pytest.mark.parametrize("seed", range(20))
def test_everybody_is_killed_before_anybody_is_killed_again(seed: int):
    kills = [injury.whom for injury in plan(seed, 300, NAMES) if injury.kind == "kill"]
    assert len(kills) > 2 * len(NAMES)
    assert set(kills[: len(NAMES)]) == set(NAMES)
    assert all(0 <= injury.at < 300 for injury in plan(seed, 300, NAMES))


def test_there_is_every_sort_of_injury():
    made = [injury for seed in range(5) for injury in plan(seed, 300, NAMES)]
    assert {injury.kind for injury in made} == {
        "kill", "freeze", "cut", "hold", "deafen", "delay", "refuse", "script", "extra",
    }  # fmt: skip
    frozen = [injury.seconds for injury in made if injury.kind == "freeze"]
    assert min(frozen) < SESSION_SECONDS < max(frozen)
    scripts = {(injury.script or {}).get("action") for injury in made}
    assert scripts == {None, "approve", "decline", "3ds", "slow", "unavailable", "timeout"}


def test_without_wires_no_connection_is_touched():
    kinds = {injury.kind for injury in plan(1, 300, NAMES, wires=())}
    assert kinds == {"kill", "freeze", "script", "extra"}


def test_an_injury_reads_like_a_sentence():
    text = Injury(12.5, "freeze", "relay", 3.0).text()
    assert text.split() == ["12.50", "s", "freeze", "relay", "for", "3", "s"]


def test_some_customers_change_their_minds():
    fates = [fate_of(1, f"customer-{number}") for number in range(2_000)]
    assert fates == [fate_of(1, f"customer-{number}") for number in range(2_000)]
    assert set(fates) == {"cancel", "cancel_part", "cancel_late", "return", "keep"}
    assert 0.6 < fates.count("keep") / len(fates) < 0.8


def test_containers_are_taken_from_the_network_and_get_no_extra_workers():
    made = plan(1, 300, NAMES, wires=(), contained=True)
    kinds = {injury.kind for injury in made}
    assert kinds == {"kill", "freeze", "disconnect", "script"}
    plain = plan(1, 300, NAMES, wires=())
    assert _firsts(made)["kill"] == _firsts(plain)["kill"], "each sort draws by itself"


def _firsts(made: list[Injury]) -> dict[str, float]:
    return {injury.kind: injury.at for injury in reversed(made)}
