"""Posting an event to an address, and what came of it."""

import asyncio
from typing import NamedTuple
from urllib.parse import urlsplit

from bus.event import Event
from gateways.http_client import Broken, Client, NotSent

CONNECT_SECONDS = 2.0
IDLE_SECONDS = 3.0
"""Shorter than servers keep a connection, so that none is closed under a request."""

NO_ANSWER = -1
LATER = {NO_ANSWER, 404, 408, 409, 429}
LONGEST_REASON = 100


class Failure(NamedTuple):
    """`code` is the status, or -1 when there was no answer; `reason` a word for machines."""

    code: int
    body: bytes
    reason: str

    @property
    def may_pass(self) -> bool:
        """Whether trying again can help, by the rules of Knative's data plane."""
        return self.code in LATER or self.code >= 500


class Poster:
    """Posts to one address, over as many connections as there are posts at once."""

    def __init__(self, address: str, *, timeout_seconds: float) -> None:
        self._seconds = timeout_seconds
        self._path = "" if urlsplit(address).path.rstrip("/") else "/"
        self._client = Client(
            address,
            connect_seconds=min(CONNECT_SECONDS, timeout_seconds),
            idle_seconds=IDLE_SECONDS,
        )

    async def post(self, event: Event) -> Failure | None:
        """None when it was taken; what it was answered is not looked at."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._client.post(self._path, event.data, event.http_headers())
        except (NotSent, Broken) as fault:
            return Failure(NO_ANSWER, str(fault).encode(), "no_connection")
        except TimeoutError:
            return Failure(NO_ANSWER, b"", "no_answer_in_time")
        if 200 <= answer.status < 300:
            return None
        reason = "".join(filter(str.isprintable, answer.reason))[:LONGEST_REASON]
        return Failure(answer.status, answer.body, reason)

    def close(self) -> None:
        self._client.close()
