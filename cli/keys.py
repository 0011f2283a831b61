"""`quire keys`: make the passwords of a database that is ours alone, as files."""

from pathlib import Path
from secrets import token_urlsafe

import click

from cli.output import say

READABLE = 0o644  # by the database's own user as well: who may mount the directory is the wall


@click.group()
def keys() -> None:
    """The passwords of a database that is ours alone."""


@keys.command()
@click.option("--app", type=click.Path(path_type=Path), required=True, help="For the service.")
@click.option("--owner", type=click.Path(path_type=Path), required=True, help="For migrations.")
@click.option("--postgres", default="postgres:5432", show_default=True, help="HOST:PORT.")
@click.option("--database", default="quire", show_default=True)
def make(app: Path, owner: Path, postgres: str, database: str) -> None:
    """Make the files that are not there yet; leave every other as it is.

    \b
    APP/password, APP/dsn                    of the role quire_app
    OWNER/owner-password, OWNER/owner-dsn    of the role quire_owner
    OWNER/admin-password                     of the role postgres
    """
    made = [
        *_role("quire_app", app / "password", app / "dsn", postgres, database),
        *_role("quire_owner", owner / "owner-password", owner / "owner-dsn", postgres, database),
        *_password(owner / "admin-password"),
    ]
    say("made " + ", ".join(str(path) for path in made) if made else "all files are there")


def _role(role: str, password: Path, dsn: Path, postgres: str, database: str) -> list[Path]:
    made = _password(password)
    if made or not dsn.is_file():
        secret = password.read_text().strip()
        made += _write(dsn, f"postgresql://{role}:{secret}@{postgres}/{database}")
    return made


def _password(path: Path) -> list[Path]:
    return [] if path.is_file() else _write(path, token_urlsafe(24))


def _write(path: Path, text: str) -> list[Path]:
    """Write it whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    part.chmod(READABLE)
    part.replace(path)
    return [path]
