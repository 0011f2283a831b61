"""`POST /webhooks/payments`: what the payment provider tells us, when it can prove who it is."""

from functools import cache

import msgspec
from fastapi import APIRouter, Request, Response

from api.asked import json_body
from api.hot import told
from api.known import known_document
from api.problems import Problem
from api.service import Service, service_of
from api.wishes import PROVIDER, Ids, Made, fingerprint, submit
from domain.message import Command
from domain.payment.messages import ConfirmAuthentication, RecordProviderNotice
from gateways.signature import HEADER, BadSignature, check, read_secret
from gateways.wire import Notice

router = APIRouter(tags=["webhooks"])

STATUS = {
    "charge.authorized": "authorized",
    "charge.declined": "declined",
    "charge.captured": "captured",
    "charge.voided": "voided",
    "charge.refunded": "refunded",
}
LONGEST_ID = 200
_decode = msgspec.json.Decoder(Notice).decode
_secret = cache(read_secret)


@router.post(
    "/webhooks/payments",
    status_code=202,
    summary="A notice of the payment provider",
    responses=told(401, 404, 413, 415, 422, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        "parameters": [
            {
                "name": HEADER,
                "in": "header",
                "required": True,
                "schema": {"type": "string"},
                "example": "t=1763000000,v1=5257a869e7ec...",
            }
        ],
    },
)
async def payments(request: Request) -> Response:
    """Signed with HMAC-SHA256 over time and body; a notice that comes again changes nothing."""
    service = service_of(request)
    body = await request.body()
    _believe(service, request.headers.get(HEADER, ""), body)
    await json_body(request)
    notice = _read(body)

    async def make(_: Ids) -> Made:
        async with service.db() as conn:
            await known_document(conn, notice.order_id)
        return Made(_command(notice), {"notice_id": notice.id})

    done = await submit(service, notice.id, fingerprint("webhook", notice), make, caller=PROVIDER)
    return Response(done.body, 202, done.headers, media_type="application/json")


def _believe(service: Service, header: str, body: bytes) -> None:
    settings = service.settings
    secret = _secret(
        settings.state_dir / "webhook.key", given=settings.webhook_secret.get_secret_value()
    )
    try:
        check(secret, header, body, service.clock())
    except BadSignature as wrong:
        raise Problem(
            401,
            wrong.code,
            str(wrong),
            hint=f"Sign time and body with the shared secret, in {HEADER}.",
        ) from wrong


def _read(body: bytes) -> Notice:
    try:
        notice = _decode(body)
    except msgspec.DecodeError as wrong:
        raise Problem(422, "notice_not_known", str(wrong)) from wrong
    if not 0 < len(notice.id) <= LONGEST_ID:
        raise Problem(
            422, "notice_not_known", f"a notice has an id of 1 to {LONGEST_ID} characters"
        )
    return notice


def _command(notice: Notice) -> Command:
    if notice.type in STATUS:
        return RecordProviderNotice(
            notice.order_id,
            notice.id,
            notice.reference,
            STATUS[notice.type],
            notice.amount,
            notice.at,
        )
    if not notice.subject.isdecimal():
        raise Problem(422, "notice_not_known", "the subject is not the number of an attempt")
    return ConfirmAuthentication(notice.order_id, int(notice.subject))
