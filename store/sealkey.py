"""The key that seals are signed with: given, or in a file that only its owner can read."""

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PRIVATE = "seal.key"
PUBLIC = "seal.pub"


class NoKey(Exception):
    """There is no key, or what is there is none."""


def signing_key(state_dir: Path, given: str = "") -> Ed25519PrivateKey:
    """The key `given` (base64 of 32 bytes), else the file's, which is made the first time.

    The public half is left beside it, for those who only verify.
    """
    if given:
        return Ed25519PrivateKey.from_private_bytes(_decode(given, "QUIRE_SEAL_KEY"))
    path = state_dir / PRIVATE
    if not path.is_file():
        _make(path)
    key = Ed25519PrivateKey.from_private_bytes(_decode(path.read_text(), str(path)))
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode() + "\n"
    if not (state_dir / PUBLIC).is_file():
        (state_dir / PUBLIC).write_text(public)
    return key


def verifying_key(state_dir: Path, given: str = "", public: Path | None = None) -> Ed25519PublicKey:
    """The public half: from the file `public`, from the key `given`, else from `state_dir`."""
    if public is None and given:
        return signing_key(state_dir, given).public_key()
    for path in (public,) if public else (state_dir / PRIVATE, state_dir / PUBLIC):
        if path.is_file():
            raw = _decode(path.read_text(), str(path))
            if path.name == PRIVATE:
                return Ed25519PrivateKey.from_private_bytes(raw).public_key()
            return Ed25519PublicKey.from_public_bytes(raw)
    raise NoKey(f"no key to check the seals with in {public or state_dir}")


def _decode(text: str, place: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except ValueError as wrong:
        raise NoKey(f"{place} is not base64") from wrong
    if len(raw) != 32:
        raise NoKey(f"{place} does not hold 32 bytes")
    return raw


def _make(path: Path) -> None:
    """Make the file whole or not at all; who comes second keeps the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(
            base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode() + "\n"
        )
    try:
        path.hardlink_to(part)
    except FileExistsError:
        pass
    finally:
        part.unlink()
