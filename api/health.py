"""Is it there, can it work, and how does it do."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from fastapi import APIRouter, Request, Response

from api.hot import HotRoute, told
from api.service import Service, service_of
from bus import topics
from bus.publisher import PublishFailed
from domain.catalog import TOPICS
from store import log
from store.errors import Unavailable
from telemetry.page import TYPE

router = APIRouter(tags=["health"], route_class=HotRoute)

SECONDS = 1.0
_given_up: set[asyncio.Future[None]] = set()


@router.get("/healthz", summary="The process is there", responses=told(answer=200))
async def healthz(_: Request) -> Response:
    return Response(b'{"status":"ok"}', media_type="application/json")


@router.get(
    "/readyz",
    summary="Postgres and Kafka, or the sink, answered within 1 s",
    responses=told(answer=200),
)
async def readyz(request: Request) -> Response:
    """503 names what did not answer."""
    service = service_of(request)
    bus = ("sink", _sink) if service.sinks else ("kafka", _kafka)
    names = ("postgres", bus[0])
    answers = await asyncio.gather(_answers(service, _postgres), _answers(service, bus[1]))
    status = 200 if all(answers) else 503
    body = {
        "status": "ready" if status == 200 else "not_ready",
        **{name: "ok" if ok else "no_answer" for name, ok in zip(names, answers, strict=True)},
    }
    return Response(msgspec.json.encode(body), status, media_type="application/json")


@router.get("/metrics", summary="Prometheus metrics", responses=told(answer=200))
async def metrics(request: Request) -> Response:
    text = service_of(request).metrics.text()
    return Response(text, media_type=TYPE)


async def _answers(service: Service, ask: Callable[[Service], Awaitable[None]]) -> bool:
    """Nobody waits for a question to end that was given up: psycopg takes 5 s and more for that
    when Postgres hangs, and the probe would hear nothing."""
    asking = asyncio.ensure_future(ask(service))
    done, _ = await asyncio.wait({asking}, timeout=SECONDS)
    if not done:
        asking.cancel()
        _given_up.add(asking)
        asking.add_done_callback(_forget)
        return False
    try:
        asking.result()
    except (Unavailable, topics.KafkaUnavailable, PublishFailed):
        return False
    return True


def _forget(asking: asyncio.Future[None]) -> None:
    _given_up.discard(asking)
    if not asking.cancelled():
        asking.exception()  # heard, and of no interest any more


async def _postgres(service: Service) -> None:
    async with service.db() as conn:
        await log.head(conn)


async def _sink(service: Service) -> None:
    assert service.sinks is not None
    await service.sinks.look(TOPICS["order"])


async def _kafka(service: Service) -> None:
    topic = TOPICS["order"]
    counts = await topics.partition_counts(service.settings.kafka, [topic])
    if not counts.get(topic):
        raise topics.KafkaUnavailable(f"there is no topic {topic}")
