"""Our own processes: which there are, and what each is told."""

import asyncio
import sys
from collections.abc import Mapping
from functools import partial

from stack.layout import LOOPBACK, Layout
from stack.process import Spec, file_says_ready

CONTEXTS = ("order", "inventory", "payment", "shipping", "notification")

PROVIDER = "provider"
MAIL = "mail"
WALL = "wall"
EVENTS = "quire.events"
PLACED = "quire.order.placed.v1"
WORDS: Mapping[str, tuple[str, ...]] = {
    PROVIDER: ("provider",),
    MAIL: ("mail",),
    "relay": ("relay",),
    "projector": ("projector",),
    "timers": ("timers",),
    "sealer": ("sealer",),
    **{f"worker-{context}": ("worker", context) for context in CONTEXTS},
    "api": ("api",),
    "intake": ("intake",),
    "source": ("source", "--all"),
    "worker-dead-letters": ("worker", "dead-letters"),
}
SERVES = (PROVIDER, MAIL, "api", "intake")
"""Those that listen anyway."""


def metrics_ports(first: int) -> dict[str, int]:
    """Where each process that serves nothing else tells its metrics; nowhere when `first` is 0."""
    silent = [name for name in WORDS if name not in SERVES]
    return {name: port for port, name in enumerate(silent, first)} if first else {}


def specs(
    layout: Layout,
    env: Mapping[str, str],
    *,
    own_provider: bool = True,
    own_mail: bool = True,
    more: Mapping[str, tuple[str, ...]] | None = None,
    metrics_port: int = 0,
) -> list[Spec]:
    """Say how to run each of them: `quire run WORDS`, ready when it writes so to its file.

    Without `own_provider` or `own_mail` the provider or the mail sink is left out; `more` is run
    besides.
    """
    ports = metrics_ports(metrics_port)
    left_out = {name for name, own in ((PROVIDER, own_provider), (MAIL, own_mail)) if not own}
    wanted = {name: words for name, words in WORDS.items() if name not in left_out}
    wanted |= more or {}
    return [
        _spec(name, words, layout, {**env, "QUIRE_METRICS_PORT": str(ports.get(name, 0))})
        for name, words in wanted.items()
    ]


def mail_env(port: int) -> dict[str, str]:
    """What sends all mail to the sink."""
    return {
        "QUIRE_SMTP_HOST": LOOPBACK,
        "QUIRE_SMTP_PORT": str(port),
        "QUIRE_SMTP_TLS": "none",
        "QUIRE_SMTP_USER": "",
        "QUIRE_SMTP_PASSWORD": "",
    }


def intake_env(port: int) -> dict[str, str]:
    """Where the intake listens, and what takes the partners' records and dead letters there."""
    address = f"http://{LOOPBACK}:{port}/events"
    return {
        "QUIRE_INTAKE_HOST": LOOPBACK,
        "QUIRE_INTAKE_PORT": str(port),
        "QUIRE_SOURCE_SINK": address,
        "QUIRE_REDRIVE_TARGETS": address,
    }


def wall(port: int) -> dict[str, tuple[str, ...]]:
    """The wall, and what tells it: a source for its page and one for its window, as KafkaSource and
    Trigger do in a cluster. What it has to tell comes back to it, as by the Broker there."""
    address = f"http://{LOOPBACK}:{port}"

    def source(name: str, *words: str) -> tuple[str, ...]:
        return ("source", EVENTS, *words, "--sink", f"{address}/{name}", "--group", f"wall-{name}")

    return {
        WALL: ("wall", "--sink", f"{address}/passed"),
        "wall-orders": source("orders"),
        "wall-minutes": source("minutes", "--type", PLACED),
    }


def wall_env(port: int, api: str, targets: str) -> dict[str, str]:
    """Where the wall listens and reads; what it did not take may be posted again there, and what
    others did not at their `targets`."""
    inlets = (f"http://{LOOPBACK}:{port}/{name}" for name in ("orders", "minutes"))
    return {
        "QUIRE_WALL_HOST": LOOPBACK,
        "QUIRE_WALL_PORT": str(port),
        "QUIRE_WALL_API": api,
        "QUIRE_REDRIVE_TARGETS": ",".join((targets, *inlets)),
    }


async def is_healthy(port: int) -> bool:
    """Ask the API whether it is there."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            writer.write(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            status = await reader.readline()
            writer.close()
            await writer.wait_closed()
    except OSError:
        return False
    return b" 200 " in status


def _spec(name: str, words: tuple[str, ...], layout: Layout, env: Mapping[str, str]) -> Spec:
    ready = layout.ready(name)
    port = int(env["QUIRE_API_PORT"])
    return Spec(
        name=name,
        argv=(sys.executable, "-m", "cli.main", "run", *words),
        log=layout.log(name),
        ready=partial(is_healthy, port) if name == "api" else file_says_ready(ready),
        env={**env, "QUIRE_READY_FILE": str(ready), "QUIRE_INSTANCE": name},
        before=partial(ready.unlink, missing_ok=True),
    )
