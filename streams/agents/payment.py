"""The payment agent: asks the provider before it decides."""

from domain.payment.decider import ask, decider
from domain.payment.messages import Answered
from gateways.ledger import SimulatedProvider
from streams.context import Context, Outside
from streams.settings import Settings


def declare(settings: Settings) -> Context:
    provider = SimulatedProvider(
        settings.state_dir / "provider" / "ledger.jsonl",
        delay_seconds=settings.provider_delay_seconds,
    )
    outside = Outside(ask, provider.perform, Answered)
    return Context("payment", decider, decider.initial, decider.evolve, outside)
