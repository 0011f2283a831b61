"""The payment provider over HTTP: what goes wrong on the way is an answer, never an exception."""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

import httpx
import msgspec

from domain.payment.messages import ProviderAnswer, ProviderRequest
from gateways.breaker import Breaker
from gateways.wire import KEY, body_of

log = logging.getLogger("quire.provider")

CALLS = 32
CONNECT_SECONDS = 1.0
IDLE_SECONDS = 10.0
"""Shorter than the provider keeps a connection, so that none is closed under a request."""

UNREACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Nothing was sent."""

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
        self._url = url.rstrip("/")
        self._seconds = timeout_seconds
        self._breaker = breaker or Breaker(clock)
        self._turn = asyncio.Semaphore(CALLS)
        self._client: httpx.AsyncClient | None = None

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

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _call(self, request: ProviderRequest) -> ProviderAnswer:
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._connection().post(
                    f"{self._url}/v1/{request.step}",
                    content=_encode(body_of(request)),
                    headers={KEY: request.key, "Content-Type": "application/json"},
                )
        except UNREACHED as fault:
            return ProviderAnswer("unreachable", code=type(fault).__name__)
        except TimeoutError:
            return ProviderAnswer("unknown", code="no_answer_in_time")
        except Exception as fault:  # it may have been sent, and what it did nobody knows
            return ProviderAnswer("unknown", code=type(fault).__name__)
        return _answer(response)

    def _connection(self) -> httpx.AsyncClient:
        """Made at the first call: that is when there is a loop."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=httpx.Timeout(self._seconds, connect=min(CONNECT_SECONDS, self._seconds)),
                limits=httpx.Limits(
                    max_connections=CALLS,
                    max_keepalive_connections=CALLS,
                    keepalive_expiry=IDLE_SECONDS,
                ),
                trust_env=False,
            )
        return self._client


def _answer(response: httpx.Response) -> ProviderAnswer:
    status = response.status_code
    if status in NOT_DONE:
        return ProviderAnswer("unreachable", code=f"http_{status}")
    if 400 <= status < 500:  # asking the same again is useless
        return ProviderAnswer("declined", code=_code(response.content) or f"http_{status}")
    if status != 200:
        return ProviderAnswer("unknown", code=f"http_{status}")
    try:
        return _decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ProviderAnswer("unknown", code="not_an_answer")


def _code(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Problem).code
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
