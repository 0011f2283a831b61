"""`POST /events`: what partners and Knative tell us, as CloudEvents."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api.hot import told
from api.intake.mappers import GOODS_RECEIPT, ORDER, SCAN
from api.intake.reading import events_of
from api.intake.taking import take
from api.service import service_of

router = APIRouter(tags=["events"])


def _header(name: str, example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": "In binary mode",
        "schema": {"type": "string"},
        "example": example,
    }


_EVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"type": "string", "enum": ["1.0"]},
        "id": {"type": "string"},
        "source": {"type": "string"},
        "type": {"type": "string", "enum": [ORDER, SCAN, GOODS_RECEIPT]},
        "data": {"type": "object"},
    },
}


@router.post(
    "/events",
    status_code=202,
    summary="Events from outside",
    responses={
        202: {"description": "Taken in, now or before; no body"},
        **told(400, 409, 413, 415, 422, 503),
    },
    openapi_extra={
        "requestBody": {
            "required": False,
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "application/cloudevents+json": {"schema": _EVENT},
                "application/cloudevents-batch+json": {
                    "schema": {"type": "array", "items": _EVENT}
                },
            },
        },
        "parameters": [
            _header("ce-specversion", "1.0"),
            _header("ce-id", "A-1001"),
            _header("ce-source", "//partner.example/shop"),
            _header("ce-type", ORDER),
        ],
    },
)
async def receive(request: Request) -> Response:
    """CloudEvents in binary, structured or batched mode, and plain records of KafkaSource.

    The same id from the same source is the same event, however often it comes. 409 and 503 mean
    later; any other problem means that sending it again is useless.
    """
    await take(service_of(request), events_of(request.headers.raw, await request.body()))
    return Response(status_code=202)
