"""Commands and events of payment. The names are the wire and storage format."""

from datetime import datetime
from typing import ClassVar, Literal

from msgspec import Struct

from domain.backoff import PAYMENT, Backoff
from domain.message import Command, Event, Instant, Money

Step = Literal["authorize", "capture", "void", "refund"]


class PaymentCommand(Command, frozen=True):
    context: ClassVar[str] = "payment"
    order_id: str

    @property
    def key(self) -> str:
        return self.order_id

    @property
    def stream(self) -> str:
        return f"payment-{self.order_id}"


class AuthorizePayment(PaymentCommand, frozen=True):
    """`at_checkout`: the customer is there to answer a question, though money was held before."""

    kind: ClassVar[str] = "quire.payment.authorize"
    attempt: int
    amount: Money
    payment_method: str
    at_checkout: bool = False


class ConfirmAuthentication(PaymentCommand, frozen=True):
    """The customer came back from 3-D Secure."""

    kind: ClassVar[str] = "quire.payment.confirm_authentication"
    attempt: int


class ExpireAuthentication(PaymentCommand, frozen=True):
    """Timer: the customer did not come back."""

    kind: ClassVar[str] = "quire.payment.expire_authentication"
    attempt: int


class CapturePayment(PaymentCommand, frozen=True):
    """`final` when no more will be taken of this authorisation; `again`: how often it failed."""

    kind: ClassVar[str] = "quire.payment.capture"
    parcel_id: str
    amount: Money
    final: bool = False
    again: int = 0


class VoidAuthorization(PaymentCommand, frozen=True):
    kind: ClassVar[str] = "quire.payment.void"
    reason: str = ""


class RefundPayment(PaymentCommand, frozen=True):
    """`again`: how often it failed."""

    kind: ClassVar[str] = "quire.payment.refund"
    refund_id: str
    amount: Money
    again: int = 0


class RetryPayment(PaymentCommand, frozen=True):
    """Timer: ask the provider again for `step` on `subject`, under the first try's key."""

    kind: ClassVar[str] = "quire.payment.retry"
    step: Step
    subject: str


class RenewAuthorization(PaymentCommand, frozen=True):
    """Timer: the authorisation ends soon."""

    kind: ClassVar[str] = "quire.payment.renew_authorization"


class RecordProviderNotice(PaymentCommand, frozen=True):
    """A webhook of the provider: `status` of the charge `reference` as the provider sees it."""

    kind: ClassVar[str] = "quire.payment.record_notice"
    notice_id: str
    reference: str
    status: str
    amount: Money
    at: Instant


class ProviderRequest(Struct, frozen=True):
    """What the decider wants to ask the provider. `key` makes repeats harmless.

    `subject` names it within its step: the attempt, or "renewal"; the parcel; the refund; the hold
    that came late. `reference` is the provider's own for what it is about; of a void after an
    authorisation whose answer never came, it is the key under which that was asked for. A `final`
    capture lets go of what is still held. `off_session` when nobody is at a checkout to answer a
    question: a customer who has to confirm gets longer.
    """

    step: Step
    key: str
    order_id: str
    amount: Money
    payment_method: str = ""
    reference: str = ""
    subject: str = ""
    final: bool = False
    off_session: bool = False


class ProviderAnswer(Struct, frozen=True, omit_defaults=True):
    """What came back. `unreachable`: nothing was done; `unknown`: it may have been done."""

    outcome: Literal["approved", "declined", "action_required", "unreachable", "unknown"]
    reference: str = ""
    code: str = ""
    retryable: bool = False
    url: str = ""


class Answered(Struct, frozen=True):
    """A command together with the provider's answer to it; `at` is when the answer came."""

    command: PaymentCommand
    request: ProviderRequest
    answer: ProviderAnswer
    at: datetime
    backoff: Backoff = PAYMENT


class PaymentEvent(Event, frozen=True):
    order_id: str

    @property
    def stream(self) -> str:
        return f"payment-{self.order_id}"


class PaymentAuthorized(PaymentEvent, frozen=True):
    type: ClassVar[str] = "quire.payment.authorized.v1"
    attempt: int
    amount: Money
    reference: str


class AuthenticationRequired(PaymentEvent, frozen=True):
    """`off_session` when it is asked for anew, so that the customer has to be told by mail."""

    type: ClassVar[str] = "quire.payment.authentication_required.v1"
    attempt: int
    amount: Money
    reference: str
    url: str
    off_session: bool = False


class PaymentDeclined(PaymentEvent, frozen=True):
    """`unsure` when it was given up and the provider may hold the money all the same.

    The void of that follows in the same decision, so that each log which was ever written has it:
    0.1.0, the first release, wrote both.
    """

    type: ClassVar[str] = "quire.payment.declined.v1"
    attempt: int
    code: str
    retryable: bool
    unsure: bool = False


class PaymentDeferred(PaymentEvent, frozen=True):
    """The provider was not reached; asked again at `retry_at` with the same `key`."""

    type: ClassVar[str] = "quire.payment.deferred.v1"
    step: Step
    subject: str
    key: str
    amount: Money
    tries: int
    retry_at: datetime
    first_at: datetime
    attempt: int = 0
    payment_method: str = ""
    reference: str = ""
    final: bool = False
    at_checkout: bool = False


class PaymentOutcomeUnknown(PaymentEvent, frozen=True):
    """The provider may have done it; asked again at `retry_at` with the same `key`."""

    type: ClassVar[str] = "quire.payment.outcome_unknown.v1"
    step: Step
    subject: str
    key: str
    amount: Money
    tries: int
    retry_at: datetime
    first_at: datetime
    attempt: int = 0
    payment_method: str = ""
    reference: str = ""
    final: bool = False
    at_checkout: bool = False


class PaymentCaptured(PaymentEvent, frozen=True):
    type: ClassVar[str] = "quire.payment.captured.v1"
    parcel_id: str
    amount: Money
    reference: str
    final: bool = False


class CaptureFailed(PaymentEvent, frozen=True):
    type: ClassVar[str] = "quire.payment.capture_failed.v1"
    parcel_id: str
    amount: Money
    code: str
    final: bool = False


class AuthorizationVoided(PaymentEvent, frozen=True):
    """`amount` is what is held no more; none when nothing had been authorised (a tombstone).

    `reference` names a hold that came late, when it was given up.
    """

    type: ClassVar[str] = "quire.payment.voided.v1"
    amount: Money | None = None
    reason: str = ""
    reference: str = ""


class PaymentRefunded(PaymentEvent, frozen=True):
    type: ClassVar[str] = "quire.payment.refunded.v1"
    refund_id: str
    amount: Money
    reference: str


class RefundFailed(PaymentEvent, frozen=True):
    type: ClassVar[str] = "quire.payment.refund_failed.v1"
    refund_id: str
    amount: Money
    code: str


class AuthorizationExpired(PaymentEvent, frozen=True):
    """`unsure` when a renewal failed and the provider may hold the money all the same: the void of
    that follows, and the one that ends the order waits for it.

    `reference` names a hold that came late and could not be voided.
    """

    type: ClassVar[str] = "quire.payment.authorization_expired.v1"
    amount: Money
    unsure: bool = False
    reference: str = ""


class AuthorizationCameLate(PaymentEvent, frozen=True):
    """The customer confirmed an attempt that had been given up: it is voided at once."""

    type: ClassVar[str] = "quire.payment.authorization_came_late.v1"
    attempt: int
    amount: Money
    reference: str
