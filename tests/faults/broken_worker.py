"""`quire` with a worker that has a bug where nobody catches it, for a test."""

from collections.abc import Sequence
from typing import Any

from cli.main import main as quire
from streams.engine import Engine


async def _breaks(self: Engine, batch: Sequence[Any]) -> None:
    raise RuntimeError("a bug of ours")


def main() -> None:
    Engine.handle = _breaks
    quire()
