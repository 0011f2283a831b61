"""The settings of the API, read once from QUIRE_*."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Limits marked "503" make the API refuse new wishes until it is better."""

    model_config = SettingsConfigDict(env_prefix="QUIRE_", frozen=True)

    postgres_dsn: SecretStr
    kafka: str
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
    allow_open: bool = False
    api_connections: int = 8
    max_body_bytes: int = 1_048_576
    max_lag_facts: int = 200_000
    """503: how many facts the views may be behind."""

    max_parked: int = 1_000
    """503: how many messages may be parked."""

    live_heartbeat_seconds: float = 15
