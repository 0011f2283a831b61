"""The passwords of a local stack: made once, kept in a file that only its owner can read."""

import os
from pathlib import Path
from secrets import token_urlsafe

import msgspec

from stack.layout import LOOPBACK

DATABASE = "quire"


class Secrets(msgspec.Struct, frozen=True):
    """One password a role."""

    admin: str
    owner: str
    app: str

    def admin_dsn(self, port: int, database: str = "postgres") -> str:
        return f"postgresql://postgres:{self.admin}@{LOOPBACK}:{port}/{database}"

    def owner_dsn(self, port: int, database: str = DATABASE) -> str:
        return f"postgresql://quire_owner:{self.owner}@{LOOPBACK}:{port}/{database}"

    def app_dsn(self, port: int, database: str = DATABASE) -> str:
        return f"postgresql://quire_app:{self.app}@{LOOPBACK}:{port}/{database}"


def load_or_make(file: Path) -> Secrets:
    """Read the passwords, or make them the first time."""
    if file.is_file():
        return msgspec.json.decode(file.read_bytes(), type=Secrets)
    made = Secrets(*(token_urlsafe(24) for _ in Secrets.__struct_fields__))
    part = file.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(msgspec.json.encode(made))
    part.replace(file)
    return made
