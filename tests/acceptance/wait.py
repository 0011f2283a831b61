"""Waiting for a condition that a user can see."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, TypeVar

T = TypeVar("T")
LOOK_SECONDS = 0.1


def until(look: Callable[[], T], seconds: float = 60, told: Callable[[], Any] | None = None) -> T:
    """Look until what is seen is true; give it. Fails with what `told` says."""
    deadline = monotonic() + seconds
    while not (seen := look()):
        assert monotonic() < deadline, f"not in {seconds} s: {told() if told else seen!r}"
        sleep(LOOK_SECONDS)
    return seen
