"""Projector and relay wait for company under load, and for nobody else."""

from streams import relay_life
from streams.projector import BATCH, LONGEST_BREATH, SHORTEST_BREATH, breath_after


def test_the_more_there_is_the_longer_is_the_breath():
    breaths = [breath_after(moved) for moved in (0, 1, 200, 900, BATCH - 1)]
    assert breaths == sorted(breaths)
    assert (breaths[1], breaths[-1]) == (SHORTEST_BREATH, LONGEST_BREATH)


def test_who_has_to_catch_up_does_not_breathe():
    assert breath_after(BATCH) == SHORTEST_BREATH


def test_the_relay_breathes_longer_under_load_only():
    breaths = [relay_life.breath_after(relayed) for relayed in (1, 200, 300, relay_life.CHUNK - 1)]
    assert breaths[:2] == [relay_life.SHORTEST_BREATH] * 2
    assert breaths[1] < breaths[2] < breaths[3] == relay_life.LONGEST_BREATH
