"""The application: routes, errors, and what they share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import (
    catalogue,
    facts,
    health,
    live,
    ops,
    order_wishes,
    orders,
    place,
    preferences,
    problems,
    revenue,
    stock,
    webhooks,
)
from api.gate import Gate
from api.intake import route as intake
from api.service import Service
from api.settings import Settings
from bus.publisher import Publisher
from gateways.clock import Clock, this_host

ABOUT = """Place orders and follow them. Every wish takes an `Idempotency-Key` and answers 202 with
a `Location`, or with `Prefer: wait=5` what became of it. Every error is a problem document
(RFC 9457) with a stable `code`. Amounts are whole minor units of a currency."""


def create_app(
    settings: Settings, publisher: Publisher | None = None, clock: Clock = this_host
) -> FastAPI:
    """The application; with a `publisher` of one's own it needs no Kafka."""
    service = Service(settings, publisher, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with service.opened():
            yield

    app = FastAPI(title="Quire", description=ABOUT, version="1", lifespan=lifespan, redoc_url=None)
    app.state.service = service
    problems.install(app)
    for router in (
        orders.router,
        place.router,
        order_wishes.router,
        preferences.router,
        facts.router,
        stock.reads,
        stock.router,
        catalogue.reads,
        catalogue.router,
        revenue.router,
        webhooks.router,
        intake.router,
        live.router,
        ops.router,
        health.router,
    ):
        app.include_router(router)
    app.add_middleware(Gate, metrics=service.metrics, max_body_bytes=settings.max_body_bytes)
    return app
