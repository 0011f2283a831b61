"""The payment agent: asks the provider before it decides."""

from datetime import timedelta
from functools import partial

from domain.payment.decider import ask, decider
from domain.payment.messages import Answered
from gateways.accounts import Periods
from gateways.http_provider import HttpProvider
from gateways.ledger import SimulatedProvider
from gateways.payment import PaymentProvider
from streams.context import Context, Outside
from streams.settings import Settings


def declare(settings: Settings) -> Context:
    provider = _provider(settings)

    async def close() -> None:
        provider.close()

    answered = partial(Answered, backoff=settings.payment_backoff())
    outside = Outside(ask, provider.perform, answered, close)
    return Context("payment", decider, decider.initial, decider.evolve, outside)


def _provider(settings: Settings) -> PaymentProvider:
    """The process at QUIRE_PROVIDER_URL, else a simulation within this one."""
    if settings.provider_url:
        return HttpProvider(
            settings.provider_url, timeout_seconds=settings.provider_timeout_seconds
        )
    return SimulatedProvider(
        settings.state_dir / "provider" / "ledger.jsonl",
        delay_seconds=settings.provider_delay_seconds,
        periods=Periods(hold=timedelta(days=settings.authorization_days)),
    )
