"""The order agent: decides alone, asks nobody."""

from domain.order.decider import decider
from streams.context import Context
from streams.settings import Settings


def declare(_: Settings) -> Context:
    return Context("order", decider, decider.initial, decider.evolve)
