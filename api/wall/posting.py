"""Posts an event of the wall's own to its sink, and says whether that has it."""

import asyncio
import logging

from bus.event import Event
from gateways.http_client import Broken, Client, NotSent

SECONDS = 5.0
CONNECT_SECONDS = 2.0
IDLE_SECONDS = 3.0
LATER = {404, 408, 409, 429}

log = logging.getLogger("quire.wall")


class Sink:
    """One address: in a cluster the Broker, which a SinkBinding puts into K_SINK."""

    def __init__(self, address: str) -> None:
        self._client = Client(address, connect_seconds=CONNECT_SECONDS, idle_seconds=IDLE_SECONDS)

    async def took(self, event: Event) -> bool:
        """Whether it is done with: taken, or refused for good; else it is to be posted again."""
        name = f"{event.attributes['type']} {event.attributes['subject']}"
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._client.post("", event.data, event.http_headers())
        except (NotSent, Broken, TimeoutError) as fault:
            log.warning("%s is not taken yet: %r", name, fault)
            return False
        if 200 <= answer.status < 300:
            return True
        if answer.status >= 500 or answer.status in LATER:
            log.warning("%s is not taken yet: %d", name, answer.status)
            return False
        log.error("%s is refused: %d %r", name, answer.status, answer.body[:500])
        return True

    def close(self) -> None:
        self._client.close()
