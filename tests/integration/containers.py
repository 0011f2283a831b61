"""The same two servers in containers of the official images, for `--servers containers`.

Each keeps its port when it is killed and started again, as a server that comes back does.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from stack import kafka, postgres
from stack.layout import LOOPBACK, Layout
from stack.ports import free_ports
from stack.secrets import load_or_make
from tests import engine
from tests.integration.servers import Running
from tests.integration.state_dirs import state_dir

READY_SECONDS = 90
CONTROLLER = 9093

testcontainers_config.ryuk_image = engine.REAPER


class Contained(Running):
    """One container, hurt and healed through the engine."""

    def __init__(self, container: DockerContainer) -> None:
        super().__init__()
        self._container: Any = container.get_wrapped_container()

    @property
    def ours(self) -> bool:
        return True

    def kill(self, name: str) -> None:
        self._container.kill()
        self._container.start()

    def signal(self, name: str, signal: str) -> None:
        if signal == "SIGSTOP":
            self._container.pause()
        else:
            self._container.unpause()


@contextmanager
def contained_postgres() -> Generator[tuple[Running, int, Layout]]:
    """Run the image of Postgres on a free port; its passwords stand in the layout's secrets."""
    with state_dir() as layout:
        secrets = load_or_make(layout.secrets)
        [port] = free_ports(1)
        # The image's own start speaks to its server through the socket.
        settings = {
            name: value
            for name, value in postgres.SETTINGS.items()
            if name != "unix_socket_directories"
        }
        flags = [word for each in settings.items() for word in ("-c", "=".join(each))]
        container = DockerContainer(engine.POSTGRES, shm_size="256m")
        container.with_env("POSTGRES_PASSWORD", secrets.admin)
        container.with_command(["postgres", *flags])
        _publish(container, 5432, port)
        with _running(container, lambda: postgres.answers(secrets.admin_dsn(port))) as running:
            yield running, port, layout


@contextmanager
def contained_kafka() -> Generator[tuple[Running, str]]:
    """Run the image of Kafka on a free port, with the settings of a local stack."""
    [port] = free_ports(1)
    bootstrap = f"{LOOPBACK}:{port}"
    settings = kafka.settings(Path("/var/lib/kafka"), port, CONTROLLER) | {
        "listeners": f"PLAINTEXT://:{port},CONTROLLER://:{CONTROLLER}",
        "advertised.listeners": f"PLAINTEXT://{bootstrap}",
        "controller.quorum.voters": f"1@localhost:{CONTROLLER}",
    }
    del settings["controller.quorum.bootstrap.servers"], settings["log.dirs"]
    container = DockerContainer(engine.KAFKA)
    for name, value in settings.items():
        container.with_env(f"KAFKA_{name.upper().replace('.', '_')}", str(value))
    container.with_env("KAFKA_HEAP_OPTS", "-Xms256m -Xmx512m")
    _publish(container, port, port)
    with _running(container, lambda: kafka.answers(bootstrap)) as running:
        yield running, bootstrap


def _publish(container: DockerContainer, inside: int, port: int) -> None:
    ports: dict[str, Any] = container.ports  # the type knows no address beside the port
    ports[f"{inside}/tcp"] = (LOOPBACK, port)


@contextmanager
def _running(
    container: DockerContainer, answers: Callable[[], Awaitable[bool]]
) -> Generator[Running]:
    with container:
        _until(answers)
        running = Contained(container)
        try:
            yield running
        finally:
            running.stop()


def _until(answers: Callable[[], Awaitable[bool]]) -> None:
    async def ask() -> bool:
        return await answers()

    deadline = time.monotonic() + READY_SECONDS
    while not asyncio.run(ask()):
        assert time.monotonic() < deadline, f"no answer within {READY_SECONDS} s"
        time.sleep(0.2)
