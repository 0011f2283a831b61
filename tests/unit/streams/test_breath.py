"""The projector waits for company under load, and for nobody else."""

from streams.projector import BATCH, LONGEST_BREATH, SHORTEST_BREATH, breath_after


def test_the_more_there_is_the_longer_is_the_breath():
    breaths = [breath_after(moved) for moved in (0, 1, 200, 900, BATCH - 1)]
    assert breaths == sorted(breaths)
    assert (breaths[1], breaths[-1]) == (SHORTEST_BREATH, LONGEST_BREATH)


def test_who_has_to_catch_up_does_not_breathe():
    assert breath_after(BATCH) == SHORTEST_BREATH
