"""A carrier that may hang, fail or be away: what goes wrong is an answer, never an exception."""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from domain.shipping.messages import CarrierAnswer, CarrierRequest
from gateways.breaker import Breaker
from gateways.carrier import Carrier

log = logging.getLogger("quire.carrier")


class GuardedCarrier:
    """Gives each call so many seconds, and stops calling who fails three times in a row.

    Whether a label was made before its answer was lost nobody knows; it is asked for again under
    the same key, so that "unreachable" is the whole truth either way.
    """

    def __init__(
        self,
        carrier: Carrier,
        *,
        timeout_seconds: float = 4,
        breaker: Breaker | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._carrier = carrier
        self._seconds = timeout_seconds
        self._breaker = breaker or Breaker(clock)

    async def perform(self, request: CarrierRequest) -> CarrierAnswer:
        if not self._breaker.admits():
            return CarrierAnswer("unreachable", code="not_called")
        answer = await self._call(request)
        if answer.outcome == "unreachable":
            self._breaker.failed()
            log.warning("%s of %s: %s", request.step, request.parcel_id, answer.code)
        else:
            self._breaker.succeeded()
        return answer

    async def _call(self, request: CarrierRequest) -> CarrierAnswer:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._carrier.perform(request)
        except TimeoutError:
            return CarrierAnswer("unreachable", code="no_answer_in_time")
        except Exception as fault:  # a bug of an adapter is an outage of its carrier
            return CarrierAnswer("unreachable", code=type(fault).__name__.lower())
