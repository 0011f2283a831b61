"""The settings of every long-running process, read once from QUIRE_*."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.backoff import Backoff
from domain.deadlines import Periods
from domain.shipping.messages import MOST_REFUSALS


class SourceSettings(BaseSettings):
    """What `quire run source` needs: no Postgres."""

    model_config = SettingsConfigDict(env_prefix="QUIRE_", frozen=True)

    kafka: str
    session_timeout_seconds: int = 10
    instance: str = ""
    drain_seconds: float = 8
    source_sink: str = "http://127.0.0.1:8086/events"
    source_group: str = "quire-source"
    source_name: str = "quire"
    source_retries: int = 8
    source_backoff_seconds: float = 0.2
    source_timeout_seconds: float = 30


class Settings(SourceSettings):
    """Durations are seconds; whatever is not set keeps the default of docs/configuration.md."""

    postgres_dsn: SecretStr
    state_dir: Path = Path(".quire")
    batch_size: int = 500
    batch_wait_seconds: float = 0.03
    sweep_after_seconds: float = 10
    answer_days: float = Field(default=7, gt=0)
    parked_history_days: float = Field(default=90, gt=0)
    cached_streams: int = 50_000
    reservation_minutes: float = 15
    reservation_in_all_minutes: float = 30
    backorder_days: float = 30
    authentication_minutes: float = 10
    authentication_off_session_hours: float = 24
    authorization_days: float = 7
    return_window_days: float = 30
    carrier_step_seconds: float = 5
    carrier_paused: bool = False
    carrier_timeout_seconds: float = 4
    carrier_refuses: str = ""  # warehouses, with commas between
    label_refusals: int = Field(default=MOST_REFUSALS, ge=1)
    provider_url: str | None = None  # none or empty: a simulation within the worker
    provider_timeout_seconds: float = 4
    provider_delay_seconds: float = 0
    master_key: SecretStr = SecretStr("")  # base64 of 32 bytes; else a file of the state directory
    smtp_host: str | None = None  # none or empty: mail is simulated
    smtp_port: int = 587
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: Literal["none", "starttls", "tls"] = "starttls"
    smtp_ca_file: str = ""  # PEM; empty: whom the system trusts
    smtp_sender: str = "Quire <orders@quire.example>"
    notify_webhook_url: str = ""
    notify_webhook_secret: SecretStr = SecretStr("")  # base64 of at least 24 bytes
    notify_timeout_seconds: float = 4
    redrive_targets: str = ""  # addresses, with commas between
    seal_key: SecretStr = SecretStr("")  # base64 of 32 bytes; else a file of the state directory
    seal_every_seconds: float = 2
    payment_retry_first_seconds: float = Field(default=2, gt=0)
    payment_retry_factor: float = Field(default=2, ge=1)
    payment_retry_longest_seconds: float = Field(default=900, gt=0)
    payment_retry_jitter: float = Field(default=0.2, ge=0, lt=1)
    payment_retry_hours: float = Field(default=24, ge=0)
    notify_retry_first_seconds: float = Field(default=10, gt=0)
    notify_retry_factor: float = Field(default=2, ge=1)
    notify_retry_longest_seconds: float = Field(default=3600, gt=0)
    notify_retry_jitter: float = Field(default=0.2, ge=0, lt=1)
    notify_retry_hours: float = Field(default=24, ge=0)

    def payment_backoff(self) -> Backoff:
        """When the provider is asked again."""
        return Backoff(
            timedelta(seconds=self.payment_retry_first_seconds),
            self.payment_retry_factor,
            timedelta(seconds=self.payment_retry_longest_seconds),
            self.payment_retry_jitter,
            timedelta(hours=self.payment_retry_hours),
        )

    def notification_backoff(self) -> Backoff:
        """When a message is tried again."""
        return Backoff(
            timedelta(seconds=self.notify_retry_first_seconds),
            self.notify_retry_factor,
            timedelta(seconds=self.notify_retry_longest_seconds),
            self.notify_retry_jitter,
            timedelta(hours=self.notify_retry_hours),
        )

    def periods(self) -> Periods:
        """How long each deadline of the domain is."""
        return Periods(
            reservation=timedelta(minutes=self.reservation_minutes),
            reservation_in_all=timedelta(minutes=self.reservation_in_all_minutes),
            backorder=timedelta(days=self.backorder_days),
            authentication=timedelta(minutes=self.authentication_minutes),
            authentication_off_session=timedelta(hours=self.authentication_off_session_hours),
            authorization=timedelta(days=self.authorization_days),
            return_window=timedelta(days=self.return_window_days),
        )
