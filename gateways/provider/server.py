"""The provider as a process: uvicorn on loopback."""

import asyncio
import logging
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from gateways.ledger import Ledger
from gateways.provider.app import Provider
from gateways.provider.notices import Notices
from gateways.settings import Settings
from gateways.signature import read_secret

log = logging.getLogger("quire.provider")

LOOPBACK = "127.0.0.1"
DRAIN_SECONDS = 3
KEEP_ALIVE_SECONDS = 30
"""Longer than any client keeps a connection: who closes first must not be the server."""


class _Server(uvicorn.Server):
    """Leaves the signals to us, so that SIGTERM ends with status 0, and says when it serves."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: object = None) -> None:
        await super().startup()
        ready = os.environ.get("QUIRE_READY_FILE")
        if ready and self.started:
            Path(ready).write_text(f"ready {os.getpid()}\n")


async def run(settings: Settings) -> None:
    """Serve until SIGTERM."""
    home = settings.state_dir / "provider"
    url = f"http://{LOOPBACK}:{settings.provider_port}"
    ledger = Ledger(home / "ledger.jsonl", url=url, periods=settings.periods())
    secret = read_secret(
        settings.state_dir / "webhook.key", given=settings.webhook_secret.get_secret_value()
    )
    notices = Notices(home / "notices.jsonl", settings.webhook_url, secret)
    provider = Provider(ledger, notices, delay_seconds=settings.provider_delay_seconds)
    server = _Server(
        uvicorn.Config(
            provider.app(),
            host=LOOPBACK,
            port=settings.provider_port,
            http="httptools",
            loop="uvloop",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )

    def stop() -> None:
        server.should_exit = True

    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop)
    log.info("listening on %s", url)
    await server.serve()
