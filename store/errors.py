"""What a transaction can run into, translated once from the driver's errors."""

import re
from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg import errors


class Stale(Exception):
    """What was decided rests on a state that somebody else has changed: read and decide again."""


class Unfit(Exception):
    """Postgres refuses one of the values; the rest of the batch is not to blame."""


class Unavailable(Exception):
    """Postgres cannot be reached, or cannot serve now: try again later."""

    code = "unavailable"


class DiskFull(Unavailable):
    """Postgres has no room left; it goes on by itself once there is some."""

    code = "disk_full"


class LoginRefused(Unavailable):
    """Postgres refuses the role, its password or the database of the connection string."""

    code = "login_refused"


class SchemaDiffers(Exception):
    """The database's schema is not the one that this code was written for."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(f"{message}: {hint}")
        self.code = code
        self.message = message
        self.hint = hint


_STALE_CODES = {"QR002", "QR003", "40001", "40P01"}
_STALE_CONSTRAINTS = ("event_stream_version", "outcome", "parked_command")
# Class 54 is "program limit exceeded": a value too long for an index row, for instance.
_UNFIT_CLASSES = ("22", "23", "54")
_DISK_FULL = "53100"
# A login that fails brings no SQLSTATE along, only its text.
_REFUSED = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry"
    r'|(role|database) "[^"]*" does not exist|not permitted to log in'
)


@contextmanager
def translated() -> Generator[None]:
    """Raises Stale, Unfit or Unavailable in place of the driver's errors, which stay the cause."""
    try:
        yield
    except (UnicodeError, OverflowError) as error:
        raise Unfit(str(error)) from error
    except errors.Error as error:
        code = error.sqlstate or ""
        constraint = error.diag.constraint_name or ""
        if code in _STALE_CODES:
            raise Stale(str(error)) from error
        if code == "23505" and constraint.startswith(_STALE_CONSTRAINTS):
            raise Stale(str(error)) from error
        if code[:2] in _UNFIT_CLASSES or isinstance(error, psycopg.DataError):
            raise Unfit(str(error)) from error
        told = " ".join((error.diag.message_primary or str(error)).split())
        told = told or type(error).__name__
        if code == _DISK_FULL:
            raise DiskFull(f"the disk of Postgres is full, free some of it: {told}") from error
        if not code and _REFUSED.search(told):
            raise LoginRefused(f"Postgres refuses the login: {told}") from error
        raise Unavailable(told) from error
