"""Personal data under lock: sealed with a key per person, itself wrapped by the master key.

Deleting a person's row of `contact_key` makes all that was ever sealed for them unreadable.
"""

import base64
import binascii
import hmac
import os
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import AsyncConnection

_PREFIX = "v1:"
_NONCE = 12
MASTER_KEY_BYTES = 32
_REMEMBERED = 10_000


class BadMasterKey(Exception):
    """What was given as the master key is none."""


class CannotOpen(Exception):
    """The seal is broken, or the key that it was made with is gone."""


class OtherMasterKey(CannotOpen):
    """The person's key is there, and was wrapped by another master key than ours."""


class Vault:
    """Seals and opens; `subject` names the person: `customer:<id>`, or `order:<id>` for a guest."""

    def __init__(self, master: bytes) -> None:
        if len(master) != 32:
            raise ValueError("the master key has to be 32 bytes long")
        self._master = AESGCM(master)
        self._keys: OrderedDict[str, AESGCM] = OrderedDict()
        self._fingerprints = hmac.digest(master, b"fingerprints", "sha256")

    def fingerprint(self, clear: bytes) -> bytes:
        """A keyed hash, by which nobody without the master key can confirm a guess of `clear`."""
        return hmac.digest(self._fingerprints, clear, "sha256")

    async def seal(self, conn: AsyncConnection, subject: str, clear: bytes) -> str:
        """The clear bytes as text that may be stored and published anywhere."""
        await self.fetch(conn, [subject])
        return self.seal_known(subject, clear)

    async def fetch(self, conn: AsyncConnection, subjects: Iterable[str]) -> None:
        """Know the keys of these persons; who has none gets one."""
        unknown = [subject for subject in subjects if not self.knows(subject)]
        if not unknown:
            return
        made = {subject: _encrypt(self._master, os.urandom(32), subject) for subject in unknown}
        for subject, wrapped in (await _find_or_add(conn, made)).items():
            self._remember(subject, wrapped)

    def knows(self, subject: str) -> bool:
        return subject in self._keys

    def seal_known(self, subject: str, clear: bytes) -> str:
        """Seal for a person whose key was fetched."""
        self._keys.move_to_end(subject)
        return _text(_encrypt(self._keys[subject], clear, subject))

    def seal_first(self, subject: str, clear: bytes) -> tuple[str, bytes]:
        """Seal for a person who has no key yet: the text, and the wrapped key to write down."""
        key = os.urandom(32)
        wrapped = _encrypt(self._master, key, subject)
        return _text(_encrypt(AESGCM(key), clear, subject)), wrapped

    async def open(self, conn: AsyncConnection, subject: str, sealed: str) -> bytes:
        """The clear bytes; raises `CannotOpen`."""
        text = sealed.removeprefix(_PREFIX)
        key = await self._key(conn, subject)
        try:
            return _decrypt(key, base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), subject)
        except (InvalidTag, ValueError, binascii.Error) as broken:
            raise CannotOpen(subject) from broken

    async def _key(self, conn: AsyncConnection, subject: str) -> AESGCM:
        known = self._keys.get(subject)
        if known is not None:
            self._keys.move_to_end(subject)
            return known
        wrapped = (await _find(conn, [subject])).get(subject)
        if wrapped is None:
            raise CannotOpen(subject)
        return self._remember(subject, wrapped)

    def _remember(self, subject: str, wrapped: bytes) -> AESGCM:
        try:
            key = AESGCM(_decrypt(self._master, wrapped, subject))
        except InvalidTag as broken:
            raise OtherMasterKey(subject) from broken
        self._keys[subject] = key
        if len(self._keys) > _REMEMBERED:
            self._keys.popitem(last=False)
        return key


def read_master_key(path: Path, *, given: str = "") -> bytes:
    """The master key: `given` (base64), else the file, which is made when it is not there."""
    if given:
        return _key(given, "QUIRE_MASTER_KEY")
    try:
        return _key(path.read_text(), str(path))
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError) as reason:
        raise BadMasterKey(f"{path} cannot be read: {reason}") from reason
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise BadMasterKey(f"{path} cannot be made: {reason.strerror}") from reason
    key = os.urandom(MASTER_KEY_BYTES)
    own = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(key).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(own, path)  # the first of several processes wins, and no half key is ever seen
    except FileExistsError:
        return _key(path.read_text(), str(path))
    finally:
        own.unlink()
    return key


def _key(text: str, name: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise BadMasterKey(f"{name} does not hold a master key")
    return key


def _encrypt(key: AESGCM, clear: bytes, subject: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + key.encrypt(nonce, clear, subject.encode())


def _decrypt(key: AESGCM, sealed: bytes, subject: str) -> bytes:
    return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], subject.encode())


def _text(sealed: bytes) -> str:
    return _PREFIX + base64.urlsafe_b64encode(sealed).decode().rstrip("=")


async def _find(conn: AsyncConnection, subjects: list[str]) -> dict[str, bytes]:
    cursor = await conn.execute(
        "select subject, wrapped from contact_key where subject = any(%b::text[])", (subjects,)
    )
    return dict(await cursor.fetchall())


async def _find_or_add(conn: AsyncConnection, made: dict[str, bytes]) -> dict[str, bytes]:
    """The stored keys of these persons; `made` are for those who have none."""
    found = await _find(conn, list(made))
    missing = sorted(made.keys() - found.keys())
    if missing:
        await conn.execute(
            "insert into contact_key (subject, wrapped)"
            " select * from unnest(%b::text[], %b::bytea[]) on conflict do nothing",
            (missing, [made[subject] for subject in missing]),
        )
        found |= await _find(conn, missing)  # somebody else may have been quicker
    return found
