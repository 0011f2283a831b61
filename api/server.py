"""The API and the intake as processes: uvicorn on uvloop, on loopback unless told otherwise."""

import logging

from fastapi import FastAPI

from api.app import create_app
from api.intake.app import create_intake
from api.settings import Settings, WallSettings
from api.wall.app import create_wall
from gateways.serving import refuse_open, serve

log = logging.getLogger("quire.api")

DRAIN_SECONDS = 5


async def run(settings: Settings) -> None:
    """Serve the API until SIGTERM."""
    refuse_open(settings.api_host, allowed=settings.allow_open)
    await _serve(create_app(settings), settings.api_host, settings.api_port)


async def run_intake(settings: Settings) -> None:
    """Serve the intake until SIGTERM."""
    refuse_open(settings.intake_host, allowed=settings.allow_open)
    await _serve(create_intake(settings), settings.intake_host, settings.intake_port)


async def run_wall(settings: WallSettings, sink: str = "") -> None:
    """Serve the wall until SIGTERM; `sink` takes what it has to tell."""
    refuse_open(settings.wall_host, allowed=settings.allow_open)
    app = create_wall(settings, sink)
    log.info("listening on http://%s:%d", settings.wall_host, settings.wall_port)
    await serve(
        app,
        settings.wall_host,
        settings.wall_port,
        drain_seconds=DRAIN_SECONDS,
        before_stop=app.state.wall.feed.close,
    )


async def _serve(app: FastAPI, host: str, port: int) -> None:
    def let_go_of_readers() -> None:
        app.state.service.feed.close()

    log.info("listening on http://%s:%d", host, port)
    await serve(app, host, port, drain_seconds=DRAIN_SECONDS, before_stop=let_go_of_readers)
