"""The payment provider, as Quire needs it."""

from typing import Protocol

from domain.payment.messages import ProviderAnswer, ProviderRequest


class PaymentProvider(Protocol):
    """Answers each request; the same `request.key` gets the same answer and moves money once.

    Never raises: what goes wrong on the way is an answer, `unreachable` when nothing can have been
    done and `unknown` when it may have been.
    """

    async def perform(self, request: ProviderRequest) -> ProviderAnswer: ...
    def close(self) -> None: ...
