"""Signed webhooks: who knows the secret wrote this body, and not long ago."""

import hmac
import os
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

HEADER = "Quire-Signature"
OLDEST = timedelta(minutes=5)


class BadSignature(Exception):
    """Not to be believed; `code` says why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def sign(secret: str, body: bytes, at: datetime) -> str:
    """The header's value: the time, and a MAC over time and body."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_mac(secret, seconds, body)}"


def check(secret: str, header: str, body: bytes, now: datetime) -> None:
    """Raises BadSignature. Several `v1` are allowed, for a while of two secrets."""
    seconds, macs = _parse(header)
    wanted = _mac(secret, seconds, body).encode()
    if not any(hmac.compare_digest(wanted, mac.encode()) for mac in macs):
        raise BadSignature("signature_wrong", "the signature is not one of this body")
    if abs(now.timestamp() - seconds) > OLDEST.total_seconds():
        raise BadSignature("signature_old", "the signature's time is too far from ours")


def read_secret(path: Path, *, given: str = "") -> str:
    """The secret `given`, else the file's, which is made the first time."""
    if given:
        return given
    if not path.is_file():
        _make(path)
    return path.read_text().strip()


def _parse(header: str) -> tuple[int, list[str]]:
    time, macs = "", list[str]()
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            time = value
        elif name == "v1":
            macs.append(value)
    if not (time.isascii() and time.isdigit() and len(time) < 12 and macs):
        raise BadSignature("signature_missing", f"{HEADER} has to be t=...,v1=...")
    return int(time), macs


def _mac(secret: str, seconds: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d.%b" % (seconds, body), sha256).hexdigest()


def _make(path: Path) -> None:
    """Make the file whole or not at all; who comes second keeps the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token_hex(32) + "\n")
    try:
        path.hardlink_to(part)
    except FileExistsError:
        pass
    finally:
        part.unlink()
