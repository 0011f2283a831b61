"""What may be told to the stack from outside: servers of one's own."""

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateways.amounts import AnyPort, Port, UrlOrNone
from stack.processes import metrics_ports

LAST_PORT = 65_535


class Settings(BaseSettings):
    """Servers that run already; for what is absent here the stack starts its own."""

    model_config = SettingsConfigDict(env_prefix="QUIRE_", frozen=True)

    postgres_dsn: SecretStr | None = None
    postgres_owner_dsn: SecretStr | None = None
    kafka: str | None = None
    provider_url: UrlOrNone | None = None
    """Empty: no process at all, the payment worker simulates a provider within itself."""
    smtp_host: str | None = None
    """A mail server of one's own; an empty text: mail is only simulated."""
    metrics_port: AnyPort = 0
    """The first of as many ports as there are processes without a port of their own; 0: no pages
    of metrics but those of API and intake."""
    through_port: Port | None | None = None
    """The first of four ports: our processes reach Postgres, Kafka and provider through a proxy."""

    @field_validator("metrics_port")
    @classmethod
    def _all_of_them_fit(cls, first: int) -> int:
        if any(port > LAST_PORT for port in metrics_ports(first).values()):
            raise ValueError(f"its ports go on past {LAST_PORT}")
        return first
