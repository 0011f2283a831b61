"""The settings of the API, read once from QUIRE_*."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class WallSettings(BaseSettings):
    """What `quire run wall` needs: no server."""

    model_config = SettingsConfigDict(env_prefix="QUIRE_", frozen=True)

    wall_host: str = "127.0.0.1"
    wall_port: int = 8088
    allow_open: bool = False
    max_body_bytes: int = 1_048_576
    live_heartbeat_seconds: float = 15


class Settings(WallSettings):
    """Limits marked "503" make the API refuse new wishes until it is better."""

    postgres_dsn: SecretStr
    kafka: str
    sink_url: str = Field(default="", pattern=r"^$|\{sink\}")
    """Where commands are posted instead of to Kafka, with {sink} for the sink of a topic."""

    state_dir: Path = Path(".quire")
    master_key: SecretStr = SecretStr("")
    """Base64 of 32 bytes; without it a file in the state directory is used, and made if need be."""

    webhook_secret: SecretStr = SecretStr("")
    """Signs the notices of the payment provider; without it a file in the state directory is used,
    and made if need be."""

    api_host: str = "127.0.0.1"
    api_port: int = 8080
    intake_host: str = "127.0.0.1"
    intake_port: int = 8086
    api_connections: int = 8
    max_lag_facts: int = 200_000
    """503: how many facts the views may be behind."""

    max_parked: int = 1_000
    """503: how many messages may be parked."""

    redrive_targets: str = ""
    """What the dead letters' agent may post to: only a preview asks for it here."""
