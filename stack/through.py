"""A proxy between our processes and the servers: the ports it takes, and what they are told."""

from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from stack.layout import LOOPBACK

PORTS = 4


class Through(NamedTuple):
    """Where a proxy listens for each server, and where Kafka listens for the proxy alone.

    Kafka tells its clients where to connect, so whoever shall pass the proxy needs a listener of
    Kafka's that names it.
    """

    postgres: int
    kafka: int
    provider: int
    kafka_behind: int

    @classmethod
    def from_base(cls, base: int) -> "Through":
        return cls(base, base + 1, base + 2, base + 3)

    def env(self, postgres_dsn: str, provider: str) -> dict[str, str]:
        """What leads a process through the proxy."""
        return {
            "QUIRE_POSTGRES_DSN": _at(postgres_dsn, self.postgres),
            "QUIRE_KAFKA": f"{LOOPBACK}:{self.kafka}",
            "QUIRE_PROVIDER_URL": _at(provider, self.provider) if provider else "",
        }


def _at(url: str, port: int) -> str:
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{LOOPBACK}:{port}"))
