"""What a decider would say to a command, as far as that can be known without asking anybody."""

from collections.abc import Callable, Mapping
from typing import Any

from domain.decider import Decider
from domain.inventory.decider import decider as inventory
from domain.inventory.state import Level, Reservation, Shelf, Waiting
from domain.message import Command, Event
from domain.notification.decider import ask as ask_notification
from domain.notification.decider import decider as notification
from domain.order.decider import decider as order
from domain.payment.decider import ask as ask_payment
from domain.payment.decider import decider as payment
from domain.shipping.decider import ask as ask_shipping
from domain.shipping.decider import decider as shipping

_DECIDERS: Mapping[str, Decider[Any, Any, Any]] = {
    "order": order,
    "payment": payment,
    "shipping": shipping,
    "notification": notification,
}
_ASKS: Mapping[str, Callable[[Any, Any, str], Any | None]] = {
    "payment": ask_payment,
    "shipping": ask_shipping,
    "notification": ask_notification,
}


def initial(context: str) -> Any:
    """The state of a stream without facts."""
    return Reservation() if context == "inventory" else _DECIDERS[context].initial


def evolve(context: str, state: Any, event: Event) -> Any:
    """The state of a command's own stream after a fact."""
    if context == "inventory":
        return inventory.evolve(Shelf(state), event).reservation
    return _DECIDERS[context].evolve(state, event)


def rehearse(
    command: Command,
    state: Any,
    levels: Mapping[str, Level],
    waiting: Mapping[str, tuple[Waiting, ...]],
) -> Any:
    """The state of the command's stream after it; raises `Refused`, or whatever a mistake of ours
    raises. Where somebody outside would be asked, the state stays: the answer is not known.

    `levels` and `waiting` are those of the skus of an inventory command, empty for others.
    """
    if command.context == "inventory":
        shelf = Shelf(state, levels, waiting)
        for event in inventory.decide(command, shelf):
            shelf = inventory.evolve(shelf, event)
        return shelf.reservation
    ask = _ASKS.get(command.context)
    if ask is not None and ask(command, state, "rehearsal") is not None:
        return state
    decider = _DECIDERS[command.context]
    return decider.fold(decider.decide(command, state), state)
