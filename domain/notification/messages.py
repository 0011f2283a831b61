"""Commands and events of notification. The names are the wire and storage format."""

from datetime import datetime
from typing import ClassVar, Literal

from msgspec import Struct, field

from domain.backoff import NOTIFICATION, Backoff
from domain.message import Command, Event

Channel = Literal["email", "webhook"]

LATER_TEMPLATES = ("order_refunded", "payment_action_required", "order_refunded_otherwise")
"""Messages that customers did not get from the beginning: facts from before hear of none."""


class Notify(Command, frozen=True):
    """`notification_id` is `<order>.<template>.<channel>.<cause>`; the key is the customer's
    (a guest: the order's), so that preferences and messages meet in one partition."""

    kind: ClassVar[str] = "quire.notification.notify"
    context: ClassVar[str] = "notification"
    notification_id: str
    order_id: str
    template: str
    channel: Channel = "email"
    customer_id: str = ""
    contact: str = ""
    language: str = "en"
    facts: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def key(self) -> str:
        return self.customer_id or self.order_id

    @property
    def stream(self) -> str:
        return f"notification-{self.notification_id}"

    @property
    def counts_as(self) -> str:
        return later(self.template) if self.template in LATER_TEMPLATES else self.kind


def later(template: str) -> str:
    """The name from whose first deployment on messages of a later template are sent."""
    return f"{Notify.kind}.{template}"


class RetryNotification(Command, frozen=True):
    """Timer: try again."""

    kind: ClassVar[str] = "quire.notification.retry"
    context: ClassVar[str] = "notification"
    notification_id: str
    recipient_key: str

    @property
    def key(self) -> str:
        return self.recipient_key

    @property
    def stream(self) -> str:
        return f"notification-{self.notification_id}"


class SetPreferences(Command, frozen=True):
    """The channels on which a customer wants to hear of an order; none at all is allowed."""

    kind: ClassVar[str] = "quire.notification.set_preferences"
    context: ClassVar[str] = "notification"
    customer_id: str
    channels: tuple[Channel, ...]

    @property
    def key(self) -> str:
        return self.customer_id

    @property
    def stream(self) -> str:
        return f"preferences-{self.customer_id}"


class DeliveryRequest(Struct, frozen=True):
    """What the decider wants sent; `key` makes repeats harmless where the channel can."""

    key: str
    notification_id: str
    order_id: str
    template: str
    channel: Channel
    customer_id: str
    contact: str
    language: str
    facts: dict[str, str]


class DeliveryAnswer(Struct, frozen=True, omit_defaults=True):
    """`failed` and `suppressed` are final, `unreachable` is worth another try."""

    outcome: Literal["sent", "unreachable", "failed", "suppressed"]
    code: str = ""


class Answered(Struct, frozen=True):
    """A command together with the channel's answer to it; `at` is when the answer came."""

    command: Command
    request: DeliveryRequest
    answer: DeliveryAnswer
    at: datetime
    backoff: Backoff = NOTIFICATION


class NotificationEvent(Event, frozen=True):
    notification_id: str
    order_id: str

    @property
    def stream(self) -> str:
        return f"notification-{self.notification_id}"


class NotificationSent(NotificationEvent, frozen=True):
    type: ClassVar[str] = "quire.notification.sent.v1"
    template: str
    channel: Channel


class NotificationDeferred(NotificationEvent, frozen=True):
    """Tried and not delivered; tried again at `retry_at`. Carries all that the next try needs."""

    type: ClassVar[str] = "quire.notification.deferred.v1"
    template: str
    channel: Channel
    code: str
    tries: int
    first_at: datetime
    retry_at: datetime
    customer_id: str = ""
    contact: str = ""
    language: str = "en"
    facts: dict[str, str] = field(default_factory=dict[str, str])


class NotificationFailed(NotificationEvent, frozen=True):
    type: ClassVar[str] = "quire.notification.failed.v1"
    template: str
    channel: Channel
    code: str


class NotificationSuppressed(NotificationEvent, frozen=True):
    """The customer does not want it, or there is no address."""

    type: ClassVar[str] = "quire.notification.suppressed.v1"
    template: str
    channel: Channel
    reason: str


class NotificationAlsoWanted(NotificationEvent, frozen=True):
    """The customer wants to hear of it on another channel, too; carries all that it needs."""

    type: ClassVar[str] = "quire.notification.also_wanted.v1"
    template: str
    channel: Channel
    also: str
    customer_id: str = ""
    contact: str = ""
    language: str = "en"
    facts: dict[str, str] = field(default_factory=dict[str, str])


class PreferencesSet(Event, frozen=True):
    type: ClassVar[str] = "quire.notification.preferences_set.v1"
    customer_id: str
    channels: tuple[Channel, ...]

    @property
    def stream(self) -> str:
        return f"preferences-{self.customer_id}"
