"""Trying again until it works: what the world does to us passes, a fault of our own may not."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from store.errors import Stale, Unavailable, Unfit
from streams.counting import fault
from streams.lifecycle import CannotGoOn

TRIES = 5  # of what our own code fails on, before it counts as a fault of the message
LONGEST_PAUSE = 5.0

log = logging.getLogger("quire.engine")
T = TypeVar("T")


class OurFault(Unfit):
    """Our own code fails on it, however often it is tried."""


class Insistence:
    """One attempt at a time, for everybody. After each failure what was remembered is dropped
    (`forget`), and the connection too unless it is sound (`reconnect`)."""

    def __init__(
        self, name: str, forget: Callable[[], None], reconnect: Callable[[], Awaitable[None]]
    ) -> None:
        self._name = name
        self._forget = forget
        self._reconnect = reconnect
        self._turn = asyncio.Lock()
        self.turns = 0
        """How often something was tried."""

    async def __call__(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Tries until it works; only Unfit and CannotGoOn, where trying again is useless, come out.

        What is neither Postgres nor the network is a fault of ours, and is Unfit when it stays.
        """
        failures = ours = 0
        while True:
            self.turns += 1
            async with self._turn:
                try:
                    return await attempt()
                except Stale as error:
                    fault(error)
                    log.info("%s: decided on an old state, deciding again: %s", self._name, error)
                    self._forget()
                except Unavailable as error:
                    fault(error)
                    log.warning("%s: Postgres is not available: %s", self._name, error)
                    self._forget()
                    await self._reconnect()
                except (Unfit, CannotGoOn):
                    raise
                except Exception as error:
                    fault("ours")
                    log.exception("%s: a batch failed, trying again", self._name)
                    self._forget()
                    await self._reconnect()
                    ours += not isinstance(error, OSError)
                    if ours == TRIES:
                        raise OurFault(repr(error)) from error
            failures += 1
            longest = min(LONGEST_PAUSE, 0.02 * 2 ** min(failures, 10))
            await asyncio.sleep(random.uniform(0.5, 1) * longest)
