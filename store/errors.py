"""What a transaction can run into, translated once from the driver's errors."""

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


_STALE_CODES = {"QR002", "QR003", "40001", "40P01"}
_STALE_CONSTRAINTS = ("event_stream_version", "outcome", "parked_command")
# Class 54 is "program limit exceeded": a value too long for an index row, for instance.
_UNFIT_CLASSES = ("22", "23", "54")


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
        raise Unavailable(str(error) or type(error).__name__) from error
