"""The shipping agent: asks the carrier for labels and scans."""

from domain.shipping.decider import ask, decider
from domain.shipping.messages import Answered
from gateways.carrier import SimulatedCarrier
from streams.context import Context, Outside
from streams.settings import Settings


def declare(settings: Settings) -> Context:
    carrier = SimulatedCarrier(
        step_seconds=settings.carrier_step_seconds, paused=settings.carrier_paused
    )
    outside = Outside(ask, carrier.perform, Answered)
    return Context("shipping", decider, decider.initial, decider.evolve, outside)
