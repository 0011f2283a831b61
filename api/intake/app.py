"""The intake as an application of its own: events in from outside, and nothing else."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import health, problems, webhooks
from api.gate import Gate
from api.intake import route
from api.service import Service
from api.settings import Settings
from bus.publisher import Publisher

ABOUT = """Takes CloudEvents at `POST /events`, and notices of the payment provider. It keeps no
state but the rows that make a repeat harmless, so any number of them may run, or none."""


def create_intake(settings: Settings, publisher: Publisher | None = None) -> FastAPI:
    """The application; with a `publisher` of one's own it needs no Kafka."""
    service = Service(settings, publisher)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with service.opened(reads=False):
            yield

    app = FastAPI(
        title="Quire intake", description=ABOUT, version="1", lifespan=lifespan, redoc_url=None
    )
    app.state.service = service
    problems.install(app)
    for router in (route.router, webhooks.router, health.router):
        app.include_router(router)
    app.add_middleware(
        Gate,
        metrics=service.metrics,
        max_body_bytes=settings.max_body_bytes,
        shortcuts=False,
    )
    return app
