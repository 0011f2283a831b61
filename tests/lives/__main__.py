"""Plays random lives by seed until time or number is over: `python -m tests.lives --seed 7`."""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable

from tests.lives.life import live

LEAST = 40  # bytes of a tape


def main() -> int:
    """Each finding is cut down and told on stderr; the last line of stdout counts, as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.lives", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lives", type=int, default=10_000)
    parser.add_argument("--for", dest="seconds", type=float, help="seconds; whatever is left then")
    parser.add_argument(
        "--most", type=int, default=160, help="bytes of a life; longer is more of it"
    )
    parser.add_argument("--findings", type=int, default=1, help="how many to look for")
    wanted = parser.parse_args()
    chance = random.Random(wanted.seed)
    ends = time.monotonic() + (wanted.seconds or float("inf"))
    lived, tapes = 0, list[str]()
    while lived < wanted.lives and time.monotonic() < ends and len(tapes) < wanted.findings:
        data = chance.randbytes(chance.randint(LEAST, wanted.most))
        lived += 1
        if (wrong := _wrong(data)) is not None:
            found = _least(data, lambda one, kind=wrong[:30]: (_wrong(one) or "").startswith(kind))
            tapes.append(found.hex())
            _tell(found)
    print(json.dumps({"ok": not tapes, "seed": wanted.seed, "lives": lived, "findings": tapes}))
    return 1 if tapes else 0


def _wrong(data: bytes) -> str | None:
    try:
        live(data, [])
    except Exception as wrong:
        return f"{type(wrong).__name__}: {wrong}"
    return None


def _least(data: bytes, still: Callable[[bytes], bool]) -> bytes:
    """A shorter, simpler tape with the same fault: bytes are left out, then made zero."""
    size = len(data)
    while size := size // 2:
        at = 0
        while at < len(data):
            shorter = data[:at] + data[at + size :]
            if still(shorter):
                data = shorter
            else:
                at += size
    for at in range(len(data)):
        simpler = data[:at] + b"\0" + data[at + 1 :]
        if still(simpler):
            data = simpler
    return data


def _tell(data: bytes) -> None:
    told: list[str] = []
    try:
        live(data, told)
    except Exception as wrong:
        told.append(f"{type(wrong).__name__}: {wrong}")
    print("\n".join([data.hex(), *(line for line in told if line)]), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
