"""Ids that come out the same each time: a time in front, a hash of the origin behind."""

from hashlib import sha256
from uuid import UUID

_VERSION_8 = 0x8 << 76
_VARIANT = 0x2 << 62
_RANDOM_A = ((1 << 12) - 1) << 64
_RANDOM_B = (1 << 62) - 1


def derive(milliseconds: int, origin: str) -> UUID:
    """The id of what comes from `origin`, as a UUID of version 8.

    `milliseconds` since 1970 stand in the first 48 bits, so that ids of the same hour lie side by
    side in an index; they must be as stable as the origin (PROTOCOL, command id).
    """
    digest = int.from_bytes(sha256(origin.encode()).digest()[:16], "big")
    tail = (digest & (_RANDOM_A | _RANDOM_B)) | _VERSION_8 | _VARIANT
    return UUID(int=((milliseconds & 0xFFFFFFFFFFFF) << 80) | tail)
