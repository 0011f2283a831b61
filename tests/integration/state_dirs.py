"""Where the tests' servers keep their data: in memory where there is plenty of it.

No test cuts the power, and whom it kills by kill -9 finds all that was written, there as on a disk.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from stack.layout import Layout

MEMORY = Path("/dev/shm")
PLENTY = 4 * 1024**3  # twice what two Postgres and two Kafkas keep at most in a whole run
PREFIX = "quire-test-"


@contextmanager
def state_dir(*, in_memory: bool = False) -> Generator[Layout]:
    """Make a state directory where Postgres' user can pass, and remove it afterwards."""
    place = MEMORY if in_memory and _has_plenty() else None
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=place) as directory:
        Path(directory).chmod(0o755)
        yield Layout.at(Path(directory))


def _has_plenty() -> bool:
    if not os.access(MEMORY, os.W_OK):
        return False
    for left in MEMORY.glob(f"{PREFIX}*"):
        if not Path("/proc", left.name.removeprefix(PREFIX).partition("-")[0]).exists():
            shutil.rmtree(left, ignore_errors=True)  # of one that was killed
    return min(shutil.disk_usage(MEMORY).free, _available()) > PLENTY


def _available() -> int:
    """Bytes that the kernel can give away without swapping."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return 0
