"""A string of bytes read as choices: shorter and lower bytes are simpler histories."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class TapeEnds(Exception):
    """Nothing is left to choose from."""


class Tape:
    def __init__(self, data: bytes) -> None:
        self._left = iter(data)

    def upto(self, most: int) -> int:
        """A number from 0 to `most`, which is at most 255."""
        byte = next(self._left, None)
        if byte is None:
            raise TapeEnds
        return byte % (most + 1)

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.upto(len(choices) - 1)]
