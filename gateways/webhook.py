"""Notifications as signed requests, as standardwebhooks.com describes them. No personal data."""

import base64
import binascii
import hashlib
import hmac
import logging
from collections.abc import Callable
from time import monotonic, time
from urllib.parse import urlsplit

import httpx
import msgspec

from domain.notification.messages import DeliveryAnswer, DeliveryRequest
from gateways.breaker import Breaker

log = logging.getLogger("quire.webhook")
PREFIX = "whsec_"
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_LATER = {408, 425, 429}  # the client errors that ask for another try


class WebhookNotUsable(Exception):
    """The configured address or secret cannot be used; says why."""


class WebhookSender:
    """Posts to the one address that the shop configured, and follows no redirect from there."""

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        seconds: float = 4,
        breaker: Breaker | None = None,
        clock: Callable[[], float] = time,
    ) -> None:
        self._url = _checked(url)
        self._key = _key(secret)
        self._seconds = seconds
        self._breaker = breaker or Breaker(monotonic)
        self._clock = clock
        self._client: httpx.AsyncClient | None = None

    async def perform(self, request: DeliveryRequest) -> DeliveryAnswer:
        if not self._breaker.admits():
            return DeliveryAnswer("unreachable", "webhook_away")
        body = msgspec.json.encode(
            {
                "type": f"quire.{request.template}",
                "data": {
                    "notification_id": request.notification_id,
                    "order_id": request.order_id,
                    "customer_id": request.customer_id,
                    "language": request.language,
                    **request.facts,
                },
            }
        )
        try:
            response = await self._http().post(
                self._url, content=body, headers=self._headers(request.key, body)
            )
        except httpx.HTTPError as error:
            log.info("the webhook does not answer: %s", type(error).__name__)
            self._breaker.failed()
            return DeliveryAnswer("unreachable", "webhook_away")
        return self._answer(response.status_code)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _answer(self, status: int) -> DeliveryAnswer:
        if 200 <= status < 300:
            self._breaker.succeeded()
            return DeliveryAnswer("sent")
        if 400 <= status < 500 and status not in _LATER:
            self._breaker.succeeded()
            return DeliveryAnswer("failed", f"webhook_{status}")
        self._breaker.failed()
        return DeliveryAnswer("unreachable", f"webhook_{status}")

    def _headers(self, key: str, body: bytes) -> dict[str, str]:
        id, at = header_id(key), str(int(self._clock()))
        return {
            "content-type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": at,
            "webhook-signature": sign(self._key, id, at, body),
        }

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:  # not before there is a loop
            self._client = httpx.AsyncClient(timeout=self._seconds, follow_redirects=False)
        return self._client


def header_id(key: str) -> str:
    """The notification's key as a header can hold it: the same for every repeat."""
    return f"msg_{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def sign(key: bytes, id: str, at: str, body: bytes) -> str:
    """HMAC-SHA256 over `id.at.body`; who checks it refuses old times as well."""
    signed = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return url
    raise WebhookNotUsable(
        "QUIRE_NOTIFY_WEBHOOK_URL has to begin with https:// (http:// only on loopback)"
    )


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if len(key) < 24:
        raise WebhookNotUsable("QUIRE_NOTIFY_WEBHOOK_SECRET has to be base64 of at least 24 bytes")
    return key
