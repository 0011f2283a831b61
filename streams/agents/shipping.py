"""The shipping agent: asks the carrier for labels and scans."""

from functools import partial

from domain.shipping.decider import ask, decider
from domain.shipping.messages import Answered
from gateways.carrier import SimulatedCarrier
from gateways.guarded_carrier import GuardedCarrier
from streams.context import Context, Outside
from streams.settings import Settings


def declare(settings: Settings) -> Context:
    simulated = SimulatedCarrier(
        step_seconds=settings.carrier_step_seconds,
        paused=settings.carrier_paused,
        refused=settings.carrier_refuses.split(","),
    )
    carrier = GuardedCarrier(simulated, timeout_seconds=settings.carrier_timeout_seconds)
    answered = partial(Answered, most_refusals=settings.label_refusals)
    outside = Outside(ask, carrier.perform, answered)
    return Context("shipping", decider, decider.initial, decider.evolve, outside)
