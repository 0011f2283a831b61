"""The notification agent: hands messages to the channels that the customer chose."""

from collections.abc import Callable

from msgspec.structs import replace

from domain.message import Command
from domain.notification.decider import ask, decider
from domain.notification.messages import Answered
from domain.notification.state import State, preferences_of
from gateways.mailer import SimulatedSender
from streams.context import Context, Outside
from streams.settings import Settings


def _reads(command: Command) -> tuple[str, ...]:
    preferences = preferences_of(command)
    return (command.stream, preferences) if preferences else (command.stream,)


def _seen(command: Command, state: State, state_of: Callable[[str], State]) -> State:
    """The message's own past, with what the recipient wants to hear by now."""
    preferences = preferences_of(command)
    return replace(state, channels=state_of(preferences).channels) if preferences else state


def declare(_: Settings) -> Context:
    outside = Outside(ask, SimulatedSender().perform, Answered)
    return Context(
        "notification",
        decider,
        decider.initial,
        decider.evolve,
        outside,
        reads=_reads,
        seen=_seen,
    )
