"""`quire keys`: make passwords and certificates of servers that are ours alone, as files."""

from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import quote

import click

from cli.output import Failure, say

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
READABLE = 0o644  # by the database's own user as well: who may mount the directory is the wall


@click.group()
def keys() -> None:
    """Passwords and certificates of servers that are ours alone."""


@keys.command()
@click.option(
    "--app", type=click.Path(path_type=Path), required=True, help="Directory for the service."
)
@click.option(
    "--owner", type=click.Path(path_type=Path), required=True, help="Directory for migrations."
)
@click.option(
    "--postgres", default="postgres:5432", show_default=True, help="Where it answers, as HOST:PORT."
)
@click.option("--database", default="quire", show_default=True, help="Its name.")
@click.option("--tls", type=click.Path(path_type=Path), help="For certificates: TLS for all.")
@click.option("--kafka", type=click.Path(path_type=Path), help="For Kafka's users; needs --tls.")
def make(
    app: Path, owner: Path, postgres: str, database: str, tls: Path | None, kafka: Path | None
) -> None:
    """Make the files that are not there yet.

    A password or a certificate that is there stays. What follows from them, a DSN for instance, is
    written anew when they have changed.

    \b
    APP/password, APP/dsn                    of the role quire_app
    OWNER/owner-password, OWNER/owner-dsn    of the role quire_owner
    OWNER/reader-password, OWNER/reader-dsn  of the role quire_reader
    OWNER/admin-password                     of the role postgres
    TLS/ca.pem, TLS/postgres, TLS/kafka      an authority; keys and certificates signed by it
    KAFKA/USER/password, KAFKA/USER/ca.pem   of each process, and of admin
    KAFKA/broker/jaas.conf                   all of them, for the broker
    """
    if kafka and not tls:
        raise click.UsageError("--kafka needs --tls: passwords travel in the clear without it")
    made = _certificates(tls, postgres.partition(":")[0]) if tls else []
    authority = app / "ca.pem" if tls else None
    if tls and authority:
        made += _kept(authority, (tls / "ca.pem").read_text())
    for role, place in (("app", app), ("owner", owner), ("reader", owner)):
        password = place / ("password" if role == "app" else f"{role}-password")
        made += _password(password)
        secret = quote(password.read_text().strip(), safe="")
        dsn = f"postgresql://quire_{role}:{secret}@{postgres}/{database}"
        if authority:
            dsn += f"?sslmode=verify-full&sslrootcert={authority}"
        made += _kept(place / ("dsn" if role == "app" else f"{role}-dsn"), dsn)
    made += _password(owner / "admin-password")
    if tls and kafka:
        made += _users(kafka, (tls / "ca.pem").read_text())
    say("made " + ", ".join(str(path) for path in made) if made else "all files are there")


def _certificates(tls: Path, postgres: str) -> list[Path]:
    from stack.certificates import issue

    if (tls / "ca.pem").is_file():
        return []
    here = ("localhost", "127.0.0.1")
    authority, servers = issue({"postgres": (postgres, *here), "kafka": ("kafka", *here)})
    kafka, of_postgres = servers["kafka"], servers["postgres"]
    return [
        *_write(tls / "postgres" / "server.key", of_postgres.key),
        *_write(tls / "postgres" / "server.pem", of_postgres.certificate),
        *_write(tls / "kafka" / "kafka.pem", kafka.key + kafka.certificate),
        *_write(tls / "ca.pem", authority),  # last, since it says that all is there
    ]


def _users(kafka: Path, authority: str) -> list[Path]:
    from stack.rights import USERS

    made: list[Path] = []
    users: list[str] = []
    for user in ("admin", *USERS):
        made += _password(kafka / user / "password")
        made += _kept(kafka / user / "ca.pem", authority)
        users.append(f' user_{user}="{(kafka / user / "password").read_text()}"')
    login = PLAIN + "".join(users)
    sections = (f"{name}.KafkaServer {{\n  {login};\n}};\n" for name in ("inside", "host"))
    return made + _kept(kafka / "broker" / "jaas.conf", "".join(sections))


def _kept(path: Path, text: str) -> list[Path]:
    """A file that follows from others: written again when they have changed."""
    return [] if path.is_file() and path.read_text() == text else _write(path, text)


def _password(path: Path) -> list[Path]:
    return [] if path.is_file() else _write(path, token_urlsafe(24))


def _write(path: Path, text: str) -> list[Path]:
    """Write it whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text)
        part.chmod(READABLE)
        part.replace(path)
    except OSError as fault:
        why = f"{path} cannot be written: {fault.strerror}"
        raise Failure(
            "not_writable", why, hint="Name directories that you may write to."
        ) from fault
    return [path]
