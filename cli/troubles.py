"""What Postgres, Kafka and the settings do to a verb, as a failure that says what to do."""

import os
from typing import TYPE_CHECKING

from cli.output import Exit, Failure

if TYPE_CHECKING:
    from pydantic import ValidationError

SETTINGS = ("Settings", "SourceSettings", "WallSettings")
_TELL = {"42P01", "42703", "42883"}
"""No such table, column or function."""


def failure_of(fault: BaseException) -> Failure | None:
    """The failure for what a verb ran into; none for a mistake of our own."""
    from aiokafka.errors import KafkaError
    from pydantic import ValidationError

    from bus.publisher import PublishFailed
    from bus.topics import KafkaUnavailable
    from gateways.serving import NotOnLoopback
    from store.errors import SchemaDiffers
    from store.processes import ProcessLost
    from store.vault import BadMasterKey

    match fault:
        case ValidationError() if fault.title in SETTINGS:
            return settings_wrong(fault)
        case NotOnLoopback():
            hint = "Set QUIRE_ALLOW_OPEN=1 if others shall reach it."
            return Failure("not_on_loopback", str(fault), hint=hint, exit_code=Exit.NEEDS_A_PERSON)
        case BadMasterKey():
            hint = "QUIRE_MASTER_KEY or the file of QUIRE_STATE_DIR has to be base64 of 32 bytes."
            return Failure("settings_wrong", str(fault), hint=hint, exit_code=Exit.NEEDS_A_PERSON)
        case SchemaDiffers(code=code, message=message, hint=hint):
            hint = f"{hint[0].upper()}{hint[1:]}."
            return Failure(code, message, hint=hint, exit_code=Exit.REFUSED)
        case ProcessLost():
            hint = "See whether the memory ran out, and run it again."
            return Failure("process_lost", str(fault), hint=hint)
        case KafkaError() | KafkaUnavailable() | PublishFailed():
            return _of_kafka(fault)
        case _:
            return _of_postgres(fault)


def settings_wrong(error: "ValidationError") -> Failure:
    """What is missing or wrong is named, never its value."""
    return not_usable(*(f"QUIRE_{part['loc'][0]}".upper() for part in error.errors()))


def not_usable(*names: str) -> Failure:
    """Settings that are missing, or that cannot be read."""
    return Failure(
        "settings_wrong",
        f"missing or not usable: {', '.join(names)}",
        hint="`quire up` sets all of them; docs/configuration.md explains each.",
        exit_code=Exit.NEEDS_A_PERSON,
    )


def require_usable_servers() -> None:
    """Raises Failure for an address of QUIRE_* that is none, or a sign-in that lacks something; an
    empty address is left to others."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    from bus.security import wrong

    for name in ("QUIRE_POSTGRES_DSN", "QUIRE_POSTGRES_OWNER_DSN"):
        try:
            conninfo_to_dict(os.environ.get(name, ""))
        except ProgrammingError:
            raise not_usable(name) from None  # the cause would show the password
    for place in filter(None, os.environ.get("QUIRE_KAFKA", "").split(",")):
        host, _, port = place.strip().rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise not_usable("QUIRE_KAFKA")
    if names := wrong():
        raise not_usable(*names)


def _of_kafka(fault: BaseException) -> Failure:
    from aiokafka.errors import KafkaStorageError, UnknownTopicOrPartitionError

    from bus.publisher import KafkaDiskFull
    from bus.topics import KafkaRefuses

    told = " ".join(str(fault).split()) or type(fault).__name__
    cause = fault.__cause__ or fault
    if isinstance(fault, KafkaDiskFull) or isinstance(cause, KafkaStorageError):
        code, hint = "kafka_disk_full", "Free some of Kafka's disk, and start the broker again."
    elif isinstance(cause, UnknownTopicOrPartitionError):
        code, hint = "topic_missing", "Make it with `quire topics create`."
    elif isinstance(fault, KafkaRefuses):
        code, hint = "login_refused", "Mend QUIRE_KAFKA_USERNAME or QUIRE_KAFKA_PASSWORD."
    else:
        code, hint = "not_reachable", "Is Kafka running, and is QUIRE_KAFKA right?"
    return Failure(code, told, hint=hint, exit_code=Exit.NOT_REACHABLE)


def _of_postgres(fault: BaseException) -> Failure | None:
    import psycopg

    from store.errors import DiskFull, LoginRefused, Stale, Unavailable, translated

    origin = getattr(fault, "orig", fault)  # SQLAlchemy keeps the driver's error there
    cause = origin.__cause__ or origin
    state = getattr(cause, "sqlstate", None)
    if state in _TELL:
        told = " ".join(str(cause).split())
        hint = "The schema may be older than this code: run `quire migrate`."
        return Failure("schema_differs", told, hint=hint)
    if isinstance(origin, psycopg.OperationalError):
        try:
            with translated():
                raise origin
        except (Unavailable, Stale) as made:
            origin = made
    match origin:
        case DiskFull():
            code, hint = "postgres_disk_full", "Free some of Postgres' disk; nothing was lost."
        case LoginRefused():
            code = "login_refused"
            hint = "Mend the role or password in QUIRE_POSTGRES_DSN or QUIRE_POSTGRES_OWNER_DSN."
        case Stale():
            code, hint = "moved", "Somebody else was faster: try again."
        case Unavailable():
            code = "not_reachable"
            hint = "Is Postgres running, and is QUIRE_POSTGRES_DSN right? `quire up` starts one."
        case _:
            return None
    return Failure(code, str(origin), hint=hint, exit_code=Exit.NOT_REACHABLE)
