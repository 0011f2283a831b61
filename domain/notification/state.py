"""What a notification remembers, and beside it what its recipient wants to hear."""

from msgspec import Struct

from domain.message import Command
from domain.notification.messages import Channel, NotificationDeferred, Notify, RetryNotification


class State(Struct, frozen=True):
    """`channels` is None as long as nobody has chosen."""

    channels: tuple[Channel, ...] | None = None
    done: bool = False
    deferred: NotificationDeferred | None = None


def preferences_of(command: Command) -> str | None:
    """The stream that is folded into the state before the command's own: the recipient's wishes."""
    if isinstance(command, Notify) and command.customer_id:
        return f"preferences-{command.customer_id}"
    if isinstance(command, RetryNotification):  # a guest's key is an order: it has chosen nothing
        return f"preferences-{command.recipient_key}"
    return None
