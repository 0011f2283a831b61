"""How a process of ours serves HTTP: uvicorn, ended by SIGTERM with status 0, on loopback."""

import asyncio
import ipaddress
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp


class NotOnLoopback(Exception):
    """There is no sign-in yet, so nobody else may reach what we serve."""


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


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    drain_seconds: int,
    keep_alive_seconds: int = 5,
    before_stop: Callable[[], object] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT; `before_stop` lets go of what would never end by itself."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        loop="uvloop",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=keep_alive_seconds,
        timeout_graceful_shutdown=drain_seconds,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    given_up = False

    def stop() -> None:
        nonlocal given_up
        before_stop()
        server.should_exit = True
        if not server.started:  # it waits for what it needs, and would not look before it has that
            given_up = True
            serving.cancel()

    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop)
    try:
        await serving
    except asyncio.CancelledError:
        if not given_up:
            raise


def refuse_open(host: str, *, allowed: bool) -> None:
    """Raises `NotOnLoopback` for an address that others could reach, unless that is allowed."""
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
