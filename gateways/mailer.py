"""The ways of telling a customer."""

from typing import Protocol

from domain.notification.messages import DeliveryAnswer, DeliveryRequest


class Sender(Protocol):
    """Delivers a message; the same key is delivered once where the channel can. Never raises."""

    async def perform(self, request: DeliveryRequest) -> DeliveryAnswer: ...


class SimulatedSender:
    """Says that it sent, and sends nothing: no message leaves the local stack."""

    async def perform(self, request: DeliveryRequest) -> DeliveryAnswer:
        return DeliveryAnswer("sent")
