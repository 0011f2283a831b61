"""The API as a process: uvicorn on uvloop, on loopback unless told otherwise."""

import asyncio
import ipaddress
import logging
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.intake.app import create_intake
from api.settings import Settings

log = logging.getLogger("quire.api")

DRAIN_SECONDS = 5


class NotOnLoopback(Exception):
    """There is no sign-in yet, so nobody else may reach the API."""


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
    """Serve the API until SIGTERM."""
    refuse_open(settings.api_host, allowed=settings.allow_open)
    await _serve(create_app(settings), settings.api_host, settings.api_port)


async def run_intake(settings: Settings) -> None:
    """Serve the intake until SIGTERM."""
    refuse_open(settings.intake_host, allowed=settings.allow_open)
    await _serve(create_intake(settings), settings.intake_host, settings.intake_port)


async def _serve(app: FastAPI, host: str, port: int) -> None:
    server = _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http="httptools",
            loop="uvloop",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    loop = asyncio.get_running_loop()

    def stop() -> None:
        app.state.service.feed.close()
        server.should_exit = True

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop)
    log.info("listening on http://%s:%d", host, port)
    await server.serve()


def refuse_open(host: str, *, allowed: bool) -> None:
    """Raises `NotOnLoopback` for an address that others could reach."""
    if allowed or host == "localhost":
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass  # a name may point anywhere
    raise NotOnLoopback(
        f"{host} is not a loopback address, and there is no sign-in:"
        " set QUIRE_ALLOW_OPEN=1 if others shall reach it"
    )
