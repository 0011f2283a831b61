"""How our clients know that it is Kafka whom they speak to, and Kafka that it is us."""

import ssl
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

from pydantic import SecretStr, ValidationError

from bus.settings import Settings


class Leaving(ssl.SSLObject):
    """Says goodbye and does not wait for the broker's own.

    A broker that has a request in hand answers a goodbye late or never, and asyncio and uvloop
    wait 30 s for it: longer than any process of ours may take to end.
    """

    def unwrap(self) -> None:
        with suppress(ssl.SSLWantReadError):
            super().unwrap()


class Security(NamedTuple):
    """What a client is told; without a context it speaks in the clear, without a user as nobody."""

    protocol: str
    context: ssl.SSLContext | None
    mechanism: str
    username: str
    password: SecretStr

    def settings(self) -> dict[str, Any]:
        """As aiokafka's clients take it."""
        told: dict[str, Any] = {"security_protocol": self.protocol}
        if self.context is not None:
            told["ssl_context"] = self.context
        if self.username:
            told |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password.get_secret_value(),
            }
        return told


def security() -> Security:
    """What QUIRE_KAFKA_* says now; `wrong()` tells whether it can be used."""
    told = Settings()
    protocol = told.kafka_security_protocol
    return Security(
        protocol,
        _trusting(told.kafka_ca_file) if protocol.endswith("SSL") else None,
        told.kafka_sasl_mechanism,
        told.kafka_username if protocol.startswith("SASL") else "",
        told.kafka_password,
    )


def wrong() -> list[str]:
    """The variables that are missing, or that do not fit each other."""
    try:
        told = Settings()
    except ValidationError as error:
        return [f"QUIRE_{part['loc'][0]}".upper() for part in error.errors()]
    signs_in = told.kafka_security_protocol.startswith("SASL")
    checks = {
        # Else a user without the protocol would speak in the clear, as nobody, without a word.
        "QUIRE_KAFKA_SECURITY_PROTOCOL": signs_in or not told.kafka_username,
        "QUIRE_KAFKA_USERNAME": bool(told.kafka_username) or not signs_in,
        "QUIRE_KAFKA_PASSWORD": bool(told.kafka_password.get_secret_value()) or not signs_in,
        "QUIRE_KAFKA_CA_FILE": _readable(told),
    }
    return [name for name, fits in checks.items() if not fits]


def _readable(told: Settings) -> bool:
    try:
        if told.kafka_security_protocol.endswith("SSL"):
            _trusting(told.kafka_ca_file)
    except OSError:  # as ssl's errors are
        return False
    return True


@cache
def _trusting(authorities: str) -> ssl.SSLContext:
    """One context a process: reading the system's authorities takes 20 ms."""
    context = ssl.create_default_context(cafile=authorities or None)
    context.sslobject_class = Leaving
    return context
