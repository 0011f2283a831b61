"""The settings of the API, read once from QUIRE_*."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.wall.thresholds import parsed
from gateways.amounts import AnyPort, Count, CountOrNone, Dsn, Key, SomeSeconds, UrlOrNone


def _thresholds(text: str) -> str:
    """Raises ValueError for what is none."""
    parsed(text)
    return text


class WallSettings(BaseSettings):
    """What `quire run wall` needs: no server."""

    model_config = SettingsConfigDict(env_prefix="QUIRE_", frozen=True)

    wall_host: str = "127.0.0.1"
    wall_port: AnyPort = 8088
    wall_api: UrlOrNone = ""
    """The API, where it reads what it was not told."""

    wall_thresholds: Annotated[str, AfterValidator(_thresholds)] = "orders=100 orders=1000"
    allow_open: bool = False
    max_body_bytes: Count = 1_048_576
    live_heartbeat_seconds: SomeSeconds = 15


class Settings(WallSettings):
    """Limits marked "503" make the API refuse new wishes until it is better."""

    postgres_dsn: Dsn
    kafka: str
    sink_url: str = Field(default="", pattern=r"^$|\{sink\}")
    """Where commands are posted instead of to Kafka, with {sink} for the sink of a topic."""

    state_dir: Path = Path(".quire")
    master_key: Key = SecretStr("")
    """Base64 of 32 bytes; without it a file in the state directory is used, and made if need be."""

    webhook_secret: SecretStr = SecretStr("")
    """Signs the notices of the payment provider; without it a file in the state directory is used,
    and made if need be."""

    api_host: str = "127.0.0.1"
    api_port: AnyPort = 8080
    intake_host: str = "127.0.0.1"
    intake_port: AnyPort = 8086
    api_connections: Count = 8
    max_lag_facts: CountOrNone = 200_000
    """503: how many facts the views may be behind."""

    max_parked: CountOrNone = 1_000
    """503: how many messages may be parked."""

    redrive_targets: str = ""
    """What the dead letters' agent may post to: only a preview asks for it here."""
