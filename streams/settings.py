"""The settings of every long-running process, read once from QUIRE_*."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.backoff import Backoff
from domain.deadlines import Periods
from domain.shipping.messages import MOST_REFUSALS
from gateways.amounts import (
    AnyPort,
    Bootstrap,
    Count,
    CountOrNone,
    Days,
    Dsn,
    Factor,
    Hours,
    Key,
    Minutes,
    Port,
    Seconds,
    Share,
    SomeDays,
    SomeSeconds,
    Url,
    UrlOrNone,
)


class SourceSettings(BaseSettings):
    """What `quire run source` needs: no Postgres."""

    model_config = SettingsConfigDict(env_prefix="QUIRE_", frozen=True)

    kafka: Bootstrap
    session_timeout_seconds: Count = 10
    instance: str = ""
    metrics_host: str = "127.0.0.1"
    metrics_port: AnyPort = 0  # none: no page
    allow_open: bool = False
    drain_seconds: Seconds = 8
    source_sink: Url = "http://127.0.0.1:8086/events"
    source_group: str = "quire-source"
    source_name: str = "quire"
    source_type: str = ""  # empty: all
    source_retries: CountOrNone = 7
    source_backoff_seconds: Seconds = 0.2
    source_timeout_seconds: SomeSeconds = 30


class Settings(SourceSettings):
    """Durations are seconds; whatever is not set keeps the default of docs/configuration.md."""

    postgres_dsn: Dsn
    state_dir: Path = Path(".quire")
    batch_size: Count = 500
    batch_wait_seconds: Seconds = 0.03
    sweep_after_seconds: Seconds = 10
    answer_days: SomeDays = 7
    parked_history_days: SomeDays = 90
    cached_streams: Count = 50_000
    reservation_minutes: Minutes = 15
    reservation_in_all_minutes: Minutes = 30
    backorder_days: Days = 30
    authentication_minutes: Minutes = 10
    authentication_off_session_hours: Hours = 24
    authorization_days: Days = 7
    return_window_days: Days = 30
    carrier_step_seconds: Seconds = 5
    carrier_paused: bool = False
    carrier_timeout_seconds: SomeSeconds = 4
    carrier_refuses: str = ""  # warehouses, with commas between
    label_refusals: Count = MOST_REFUSALS
    provider_url: UrlOrNone | None = None  # none or empty: a simulation within the worker
    provider_timeout_seconds: SomeSeconds = 4
    provider_delay_seconds: Seconds = 0
    master_key: Key = SecretStr("")  # base64 of 32 bytes; else a file of the state directory
    smtp_host: str | None = None  # none or empty: mail is simulated
    smtp_port: Port = 587
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: Literal["none", "starttls", "tls"] = "starttls"
    smtp_ca_file: str = ""  # PEM; empty: whom the system trusts
    smtp_sender: str = "Quire <orders@quire.example>"
    notify_webhook_url: UrlOrNone = ""
    notify_webhook_secret: SecretStr = SecretStr("")  # base64 of at least 24 bytes
    notify_timeout_seconds: SomeSeconds = 4
    redrive_targets: str = ""  # addresses, with commas between
    seal_key: Key = SecretStr("")  # base64 of 32 bytes; else a file of the state directory
    seal_every_seconds: Seconds = 2
    payment_retry_first_seconds: SomeSeconds = 2
    payment_retry_factor: Factor = 2
    payment_retry_longest_seconds: SomeSeconds = 900
    payment_retry_jitter: Share = 0.2
    payment_retry_hours: Hours = 24
    notify_retry_first_seconds: SomeSeconds = 10
    notify_retry_factor: Factor = 2
    notify_retry_longest_seconds: SomeSeconds = 3600
    notify_retry_jitter: Share = 0.2
    notify_retry_hours: Hours = 24

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
