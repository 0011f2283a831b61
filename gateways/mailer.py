"""The ways of telling a customer."""

from collections.abc import Mapping
from typing import Protocol

from domain.notification.messages import DeliveryAnswer, DeliveryRequest


class Sender(Protocol):
    """Delivers a message; the same key is delivered once where the channel can. Never raises."""

    async def perform(self, request: DeliveryRequest) -> DeliveryAnswer: ...

    async def close(self) -> None: ...


class SimulatedSender:
    """Says that it sent, and sends nothing."""

    async def perform(self, request: DeliveryRequest) -> DeliveryAnswer:
        return DeliveryAnswer("sent")

    async def close(self) -> None:
        """There is nothing open."""


class Channels:
    """Each channel's own sender; what has none is suppressed."""

    def __init__(self, senders: Mapping[str, Sender]) -> None:
        self._senders = senders

    async def perform(self, request: DeliveryRequest) -> DeliveryAnswer:
        sender = self._senders.get(request.channel)
        if sender is None:
            return DeliveryAnswer("suppressed", f"no_{request.channel}")
        return await sender.perform(request)

    async def close(self) -> None:
        for sender in self._senders.values():
            await sender.close()
