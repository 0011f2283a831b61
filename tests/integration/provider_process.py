"""A payment provider of a test's own: the real process, on a port of the kernel's."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urljoin

import httpx

from gateways.ledger import Entry, read_ledger
from stack.ports import free_ports


class ProviderProcess:
    """Started, killed and started again on the same ledger."""

    def __init__(self, path: Path, **settings: str) -> None:
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self._path = path
        self._ready = path / "provider.ready"
        self._env = {
            **os.environ,
            "QUIRE_STATE_DIR": str(path),
            "QUIRE_PROVIDER_PORT": str(self.port),
            "QUIRE_READY_FILE": str(self._ready),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._ready.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "run", "provider"], env=self._env
        )
        deadline = monotonic() + 30
        while not (self._ready.exists() and self._ready.read_text().startswith("ready")):
            assert self._process.poll() is None, "the provider did not start"
            assert monotonic() < deadline, "the provider is not ready"
            sleep(0.02)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def get(self, path: str, **asked: Any) -> httpx.Response:
        return httpx.get(urljoin(self.url, path), **asked)

    def post(self, path: str, **asked: Any) -> httpx.Response:
        return httpx.post(urljoin(self.url, path), **asked)

    def script(self, action: str, **more: Any) -> None:
        self.post("/v1/scripts", json={"action": action, **more}).raise_for_status()

    def clear(self) -> None:
        httpx.delete(f"{self.url}/v1/scripts").raise_for_status()

    def ledger(self) -> list[Entry]:
        return list(read_ledger(self._path / "provider" / "ledger.jsonl"))

    def approved(self, step: str) -> list[int]:
        return [
            one.amount_minor
            for one in self.ledger()
            if (one.step, one.outcome) == (step, "approved")
        ]

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        return process.wait(timeout=20)


@contextmanager
def running_provider(path: Path, **settings: str) -> Generator[ProviderProcess]:
    provider = ProviderProcess(path, **settings)
    provider.start()
    try:
        yield provider
    finally:
        provider.kill()
