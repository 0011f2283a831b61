"""The provider as a process: uvicorn, on loopback unless told otherwise."""

import logging

from gateways.ledger import Ledger
from gateways.provider.app import Provider
from gateways.provider.notices import Notices
from gateways.serving import refuse_open, serve
from gateways.settings import Settings
from gateways.signature import read_secret

log = logging.getLogger("quire.provider")

DRAIN_SECONDS = 3
KEEP_ALIVE_SECONDS = 30
"""Longer than any client keeps a connection: who closes first must not be the server."""


async def run(settings: Settings) -> None:
    """Serve until SIGTERM."""
    refuse_open(settings.provider_host, allowed=settings.allow_open)
    home = settings.state_dir / "provider"
    ledger = Ledger(home / "ledger.jsonl", url=settings.page_url, periods=settings.periods())
    secret = read_secret(
        settings.state_dir / "webhook.key", given=settings.webhook_secret.get_secret_value()
    )
    notices = Notices(home / "notices.jsonl", settings.webhook_url, secret)
    provider = Provider(ledger, notices, delay_seconds=settings.provider_delay_seconds)
    log.info("listening on http://%s:%d", settings.provider_host, settings.provider_port)
    await serve(
        provider.app(),
        settings.provider_host,
        settings.provider_port,
        drain_seconds=DRAIN_SECONDS,
        keep_alive_seconds=KEEP_ALIVE_SECONDS,
    )
