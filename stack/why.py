"""Why a process of ours is not well, as its log told last."""

from collections.abc import Iterator
from pathlib import Path
from time import time

from stack.process import last_lines

LAST_WORDS = ("stopped for good: ", "quire: ")
FULL = ("the disk of Postgres is full", "Kafka cannot write to its disk")
FRESH_SECONDS = 60.0


def last_words(log: Path) -> str:
    """What it said when it stopped for good; empty when it said nothing."""
    for line in reversed(last_lines(log).splitlines()):
        for words in LAST_WORDS:
            if words in line:
                return line.split(words, 1)[1]
    return ""


def full_disks(logs: Path) -> Iterator[str]:
    """The disks that our processes complained of within the last minute."""
    fresh = [log for log in logs.glob("*.log") if time() - log.stat().st_mtime < FRESH_SECONDS]
    told = [last_lines(log, 5) for log in fresh]
    return (words for words in FULL if any(words in lines for lines in told))
