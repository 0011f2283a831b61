"""What our provider speaks over HTTP: bodies of requests, and the notices that it sends."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from domain.message import Money
from domain.payment.messages import ProviderRequest, Step

KEY = "Idempotency-Key"
STEPS: tuple[Step, ...] = ("authorize", "capture", "void", "refund")


class Body(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The body of a request; its step is in the path, its key in a header."""

    order_id: str
    amount: Money
    payment_method: str = ""
    reference: str = ""
    subject: str = ""
    final: bool = False
    off_session: bool = False

    def request(self, step: Step, key: str) -> ProviderRequest:
        return ProviderRequest(
            step,
            key,
            self.order_id,
            self.amount,
            self.payment_method,
            self.reference,
            self.subject,
            self.final,
            self.off_session,
        )


def body_of(request: ProviderRequest) -> Body:
    return Body(
        request.order_id,
        request.amount,
        request.payment_method,
        request.reference,
        request.subject,
        request.final,
        request.off_session,
    )


NoticeType = Literal[
    "authentication.completed",
    "charge.authorized",
    "charge.declined",
    "charge.captured",
    "charge.voided",
    "charge.refunded",
]


class Notice(Struct, frozen=True, omit_defaults=True):
    """A webhook: something happened to a charge. `subject` is what the request was for."""

    id: str
    type: NoticeType
    order_id: str
    reference: str
    amount: Money
    at: datetime
    subject: str = ""
