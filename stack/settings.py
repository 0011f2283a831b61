"""What may be told to the stack from outside: servers of one's own."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateways.amounts import AnyPort, Port, UrlOrNone


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
