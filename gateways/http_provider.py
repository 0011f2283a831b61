"""The payment provider over HTTP: what goes wrong on the way is an answer, never an exception."""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from urllib.parse import quote

import msgspec

from domain.payment.messages import ProviderAnswer, ProviderRequest
from gateways.breaker import Breaker
from gateways.http_client import Answer, Client, NotSent
from gateways.wire import KEY, body_of

log = logging.getLogger("quire.provider")

CALLS = 32
CONNECT_SECONDS = 1.0
IDLE_SECONDS = 10.0
"""Shorter than the provider keeps a connection, so that none is closed under a request."""

NOT_DONE = {429, 503}

_decode = msgspec.json.Decoder(ProviderAnswer).decode
_encode = msgspec.json.Encoder().encode


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""


class HttpProvider:
    """Keeps its connections, has at most so many calls under way, and stops calling who is down."""

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 4,
        breaker: Breaker | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._seconds = timeout_seconds
        self._breaker = breaker or Breaker(clock)
        self._turn = asyncio.Semaphore(CALLS)
        self._client = Client(
            url,
            connect_seconds=min(CONNECT_SECONDS, timeout_seconds),
            idle_seconds=IDLE_SECONDS,
        )

    async def perform(self, request: ProviderRequest) -> ProviderAnswer:
        async with self._turn:
            if not self._breaker.admits():
                return ProviderAnswer("unreachable", code="not_called")
            answer = await self._call(request)
        if answer.outcome in ("unreachable", "unknown"):
            self._breaker.failed()
            log.warning("%s of %s: %s", request.step, request.order_id, answer.code)
        else:
            self._breaker.succeeded()
        return answer

    def close(self) -> None:
        self._client.close()

    async def _call(self, request: ProviderRequest) -> ProviderAnswer:
        headers = {KEY: quote(request.key, safe="/:"), "Content-Type": "application/json"}
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._client.post(
                    f"/v1/{request.step}", _encode(body_of(request)), headers
                )
        except NotSent:
            return ProviderAnswer("unreachable", code="no_connection")
        except TimeoutError:
            return ProviderAnswer("unknown", code="no_answer_in_time")
        except Exception as fault:  # it may have been sent, and what it did nobody knows
            return ProviderAnswer("unknown", code=type(fault).__name__.lower())
        return _answer(answer)


def _answer(answer: Answer) -> ProviderAnswer:
    if answer.status in NOT_DONE:
        return ProviderAnswer("unreachable", code=f"http_{answer.status}")
    if 400 <= answer.status < 500:  # asking the same again is useless
        return ProviderAnswer("declined", code=_code(answer.body) or f"http_{answer.status}")
    if answer.status != 200:
        return ProviderAnswer("unknown", code=f"http_{answer.status}")
    try:
        return _decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ProviderAnswer("unknown", code="not_an_answer")


def _code(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Problem).code
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
