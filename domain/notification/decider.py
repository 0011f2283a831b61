"""One message for each (order, template, channel, cause), on the channels that are wanted."""

# ruff: noqa: ARG001 - all who ask are asked alike

from msgspec.structs import replace

from domain.decider import Decider
from domain.message import Command, Event
from domain.notification import messages as m
from domain.notification.state import State


def ask(command: Command, state: State, command_id: str) -> m.DeliveryRequest | None:
    """What to send before deciding; the notification's own id is its key, whoever asks."""
    match command:
        case m.Notify():
            if state.done or state.deferred or _why_not(command, state):
                return None
            wish: m.Notify | m.NotificationDeferred = command
        case m.RetryNotification():
            if state.done or state.deferred is None or _why_not(state.deferred, state):
                return None
            wish = state.deferred
        case _:
            return None
    return m.DeliveryRequest(
        wish.notification_id,
        wish.notification_id,
        wish.order_id,
        wish.template,
        wish.channel,
        wish.customer_id,
        wish.contact,
        wish.language,
        wish.facts,
    )


def decide(command: Command | m.Answered, state: State) -> list[Event]:
    match command:
        case m.Answered():
            return _answered(command, state)
        case m.Notify(notification_id=notification_id, order_id=order_id):
            if state.done or state.deferred:
                return []
            reason = _why_not(command, state)
            if not reason:
                return []
            return [
                m.NotificationSuppressed(
                    notification_id, order_id, command.template, command.channel, reason
                ),
                *_also(command, state),
            ]
        case m.RetryNotification():
            return _given_up(state)
        case m.SetPreferences(customer_id=customer_id, channels=channels):
            wanted = tuple(dict.fromkeys(channels))
            return [] if wanted == state.channels else [m.PreferencesSet(customer_id, wanted)]
        case _:
            return []


def evolve(state: State, event: Event) -> State:
    match event:
        case m.NotificationSent() | m.NotificationSuppressed() | m.NotificationFailed():
            return replace(state, done=True, deferred=None)
        case m.NotificationDeferred():
            return replace(state, deferred=event)
        case m.NotificationAlsoWanted():
            return state
        case m.PreferencesSet(channels=channels):
            return replace(state, channels=channels)
        case _:
            raise TypeError(f"{type(event).__name__} is not an event of notification")


def _given_up(state: State) -> list[Event]:
    """What waits for another try is not sent to who does not want it any more."""
    waits = state.deferred
    reason = _why_not(waits, state) if waits is not None else ""
    if waits is None or not reason:
        return []
    return [
        m.NotificationSuppressed(
            waits.notification_id, waits.order_id, waits.template, waits.channel, reason
        )
    ]


def _why_not(wish: m.Notify | m.NotificationDeferred, state: State) -> str:
    if state.channels is not None and wish.channel not in state.channels:
        return "not_wanted"
    if wish.channel == "email" and not wish.contact:
        return "no_address"
    return ""


def _answered(answered: m.Answered, state: State) -> list[Event]:
    if state.done:
        return []
    return [_outcome(answered, state), *_also(answered.command, state)]


def _also(command: Command, state: State) -> list[Event]:
    """Fulfilment asks for e-mail alone; who wants other channels hears on them from here on."""
    if not isinstance(command, m.Notify) or command.channel != "email":
        return []
    id, template = command.notification_id, command.template
    return [
        m.NotificationAlsoWanted(
            id,
            command.order_id,
            template,
            channel,
            id.replace(f".{template}.email.", f".{template}.{channel}.", 1),
            command.customer_id,
            command.contact,
            command.language,
            command.facts,
        )
        for channel in state.channels or ()
        if channel != "email"
    ]


def _outcome(answered: m.Answered, state: State) -> Event:
    request, answer = answered.request, answered.answer
    names = (request.notification_id, request.order_id, request.template, request.channel)
    if answer.outcome == "sent":
        return m.NotificationSent(*names)
    if answer.outcome == "suppressed":
        return m.NotificationSuppressed(*names, answer.code)
    tries = state.deferred.tries + 1 if state.deferred else 1
    first_at = state.deferred.first_at if state.deferred else answered.at
    retry_at = answered.backoff.next_try(request.key, tries, answered.at, first_at)
    if answer.outcome == "failed" or retry_at is None:
        return m.NotificationFailed(*names, answer.code or answer.outcome)
    return m.NotificationDeferred(
        *names,
        answer.code or answer.outcome,
        tries,
        first_at,
        retry_at,
        request.customer_id,
        request.contact,
        request.language,
        request.facts,
    )


decider: Decider[Command | m.Answered, Event, State] = Decider(State(), decide, evolve)
