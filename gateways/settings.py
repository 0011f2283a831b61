"""The settings of the simulated provider, read once from QUIRE_*."""

from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateways.accounts import Periods
from gateways.amounts import AnyPort, Days, Hours, Minutes, Seconds, UrlOrNone

SHARE_OF_CHALLENGE = 0.9
"""The provider gives up a little before we do, so that no late customer leaves a hold behind."""


class Settings(BaseSettings):
    """It listens on loopback unless told otherwise: whoever reaches it may move the money of the
    simulation."""

    model_config = SettingsConfigDict(env_prefix="QUIRE_", frozen=True)

    state_dir: Path = Path(".quire")
    provider_host: str = "127.0.0.1"
    provider_port: AnyPort = 8084
    provider_page_url: UrlOrNone = ""
    allow_open: bool = False
    provider_delay_seconds: Seconds = 0
    webhook_url: UrlOrNone = ""
    webhook_secret: SecretStr = SecretStr("")
    authentication_minutes: Minutes = 10
    authentication_off_session_hours: Hours = 24
    authorization_days: Days = 7

    @property
    def page_url(self) -> str:
        """Where a customer's browser reaches us: on this machine, unless told otherwise."""
        return self.provider_page_url.rstrip("/") or f"http://127.0.0.1:{self.provider_port}"

    def periods(self) -> Periods:
        return Periods(
            hold=timedelta(days=self.authorization_days),
            challenge=SHARE_OF_CHALLENGE * timedelta(minutes=self.authentication_minutes),
            off_session=SHARE_OF_CHALLENGE * timedelta(hours=self.authentication_off_session_hours),
        )
