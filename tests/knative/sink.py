"""A stand-in for Knative's KafkaSinks: POST /NAMESPACE/NAME writes a record, key = partitionkey.

Written after what the real receiver was seen to do: binary and structured mode give 202 once all
replicas have the record, 503 when they do not, a batch or anything that is no event 400, a sink
that is not there 404.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import uvicorn
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.exceptions import BaseCloudEventException
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bus.publisher import KafkaPublisher, PublishFailed

WRONG = (BaseCloudEventException, ValueError, TypeError, KeyError)


def sinks(publisher: KafkaPublisher, topics: Mapping[str, str]) -> Starlette:
    """The application; `topics` by the names of the sinks."""

    async def take(request: Request) -> Response:
        topic = topics.get(request.path_params["name"])
        if topic is None:
            return Response(status_code=404)
        try:
            event = from_http(
                HTTPMessage(dict(request.headers), await request.body()), JSONFormat(), CloudEvent
            )
        except WRONG:
            return Response(status_code=400)
        try:
            await publisher.publish_record(topic, *_record(event))
        except PublishFailed:
            return Response(status_code=503)
        return Response(status_code=202)

    return Starlette(routes=[Route("/{namespace}/{name}", take, methods=["POST"])])


def _record(event: BaseCloudEvent) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    told = {name: _text(value) for name, value in event.get_attributes().items()}
    kind = told.pop("datacontenttype", "")
    headers = [(f"ce_{name}", text.encode()) for name, text in told.items()]
    data = event.get_data()
    assert data is None or isinstance(data, bytes)
    return (
        told.get("partitionkey", "").encode(),
        data or b"",
        [("content-type", kind.encode()), *headers],
    )


def _text(value: object) -> str:
    told = getattr(value, "isoformat", None)
    return told().replace("+00:00", "Z") if told else str(value)


@asynccontextmanager
async def running(bootstrap: str, topics: Mapping[str, str], port: int = 0) -> AsyncGenerator[str]:
    """Sinks that listen on loopback; gives their address, with {sink} for the name of one."""
    publisher = KafkaPublisher(bootstrap)
    await publisher.start()
    try:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            config = uvicorn.Config(
                sinks(publisher, topics), log_config=None, ws="none", lifespan="off"
            )
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve([listener]))
            while not server.started:
                await asyncio.sleep(0.005)
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}/quire/{{sink}}"
            finally:
                server.should_exit = True
                await task
    finally:
        await publisher.stop()
