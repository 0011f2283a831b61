"""The notification agent: hands messages to the channel that the customer chose."""

from domain.notification.decider import ask, decider
from domain.notification.messages import Answered
from gateways.mailer import SimulatedSender
from streams.context import Context, Outside
from streams.settings import Settings


def declare(_: Settings) -> Context:
    outside = Outside(ask, SimulatedSender().perform, Answered)
    return Context("notification", decider, decider.initial, decider.evolve, outside)
