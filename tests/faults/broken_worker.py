"""`quire` with a worker that has a bug where nobody catches it, for a test."""

from collections.abc import Sequence
from typing import Any

from cli.main import main
from streams.engine import Engine


async def _breaks(self: Engine, batch: Sequence[Any]) -> None:
    raise RuntimeError("a bug of ours")


if __name__ == "__main__":
    Engine.handle = _breaks
    main()
