"""A real Postgres and a real Kafka for the tests, started as `quire up` starts them."""

import asyncio
import os
from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from signal import Signals
from threading import Thread
from typing import Any

from stack import kafka, postgres
from stack.layout import LOOPBACK, Layout
from stack.ports import free_ports
from stack.process import Spec
from stack.secrets import load_or_make
from stack.supervisor import Supervisor
from tests.integration.state_dirs import state_dir

SHORT_WAL = ("-c", "min_wal_size=64MB", "-c", "max_wal_size=256MB")


class Running:
    """A supervisor on a loop of its own, beside the loops of the tests."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="servers", daemon=True)
        self._thread.start()
        self.supervisor = Supervisor(print)

    @property
    def ours(self) -> bool:
        """Whether there is anything that we may kill."""
        return bool(self.supervisor.standings)

    def start(self, specs: Sequence[Spec]) -> None:
        self._do(self.supervisor.start(specs))

    def kill(self, name: str) -> None:
        """End a server by kill -9; the supervisor starts it again."""
        self._loop.call_soon_threadsafe(self.supervisor.kill, name)

    def signal(self, name: str, signal: str) -> None:
        """Freeze or thaw a server: SIGSTOP, SIGCONT."""
        for standing in self.supervisor.standings:
            if standing.name == name and standing.pid is not None:
                os.kill(standing.pid, Signals[signal])

    def stop(self) -> None:
        self._do(self.supervisor.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, object]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()


@contextmanager
def running_postgres() -> Generator[tuple[Running, int, Layout]]:
    """Run a Postgres on a free port; its passwords stand in the layout's secrets."""
    with state_dir(in_memory=True) as layout:
        [port] = free_ports(1)
        spec = postgres.prepare(layout.postgres, port, load_or_make(layout.secrets))
        spec = replace(spec, argv=(*spec.argv, *SHORT_WAL))
        with running(spec) as server:
            yield server, port, layout


@contextmanager
def running_kafka() -> Generator[tuple[Running, str]]:
    """Run a Kafka on a free port."""
    with state_dir(in_memory=True) as layout:
        port, controller = free_ports(2)
        spec = kafka.prepare(layout.kafka, port, controller, print)
        with running(spec) as server:
            yield server, f"{LOOPBACK}:{port}"


@contextmanager
def running(spec: Spec) -> Generator[Running]:
    """Run a server; nobody reads its data afterwards, so it is not asked to put them in order."""
    server = Running()
    try:
        server.start([replace(spec, stop_signal=spec.orphan_signal, stop_note="")])
        yield server
    finally:
        server.stop()
