"""A short set of all benchmarks: `python -m bench`; figures go to bench/results as JSON."""

import subprocess
import sys
import tempfile
from random import randrange

import msgspec

from bench.rounds import RESULTS
from stack.ports import taken

SMALL = ("append", "rebuild", "replay", "verify", "api", "start")
LOADS = {
    "core": ("--rate", "300", "--for", "15s"),
    "core-half": ("--rate", "150", "--for", "15s"),
    "door": ("--rate", "150", "--for", "10s", "--entry", "http"),
    "life": ("--rate", "80", "--for", "10s", "--until", "delivered"),
}


def main() -> None:
    """Run each in a process of its own; names on the command line choose some."""
    wanted = sys.argv[1:] or [*SMALL, *LOADS]
    for name in wanted:
        sys.stderr.write(f"== {name}\n")
        if name in LOADS:
            _load(name)
        else:
            words = (sys.executable, "-m", f"bench.{name}", "--save", "--json")
            subprocess.run(words, check=True)


def _load(name: str) -> None:
    """Run it on a stack of its own, which is thrown away."""
    port = _port_base()
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as directory:
        where = ("--state-dir", directory, "--port-base", str(port))
        words = (sys.executable, "-m", "cli.main", "bench", *LOADS[name], *where, "--json")
        done = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    sys.stdout.buffer.write(done.stdout)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_bytes(msgspec.json.format(done.stdout.strip()) + b"\n")


def _port_base() -> int:
    """Four free ports in a row, below those that the kernel gives to clients."""
    return next(
        base
        for base in (randrange(20_000, 30_000, 4) for _ in range(100))
        if not any(map(taken, range(base, base + 4)))
    )


if __name__ == "__main__":
    main()
