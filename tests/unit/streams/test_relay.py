"""The relay between two lives."""

from streams.relay import LONGEST_PAUSE, pause_after


def test_the_pause_grows_and_then_stays_however_long_kafka_is_away():
    pauses = [pause_after(failures) for failures in (1, 2, 3, 10, 5_000)]
    assert pauses == [0.2, 0.4, 0.8, LONGEST_PAUSE, LONGEST_PAUSE]
