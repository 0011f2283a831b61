"""Why Kafka lets nobody in: aiokafka says of every broker only that it could not be asked."""

from typing import Any

from aiokafka import conn
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from bus.security import security

SECONDS = 5
_REFUSED = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)


async def refusal(bootstrap: str) -> KafkaError | None:
    """Why the first broker that answers refuses our user or password; None when none does."""
    told = security()
    if not told.username:
        return None
    asks: Any = conn
    for host, port, *_ in asks.collect_hosts(bootstrap):
        try:
            made = await asks.create_conn(
                host, port, request_timeout_ms=SECONDS * 1000, **told.settings()
            )
        except _REFUSED as fault:
            return fault
        except (KafkaError, OSError):
            continue
        made.close()
        return None
    return None
