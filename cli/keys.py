"""`quire keys`: make passwords and certificates of servers that are ours alone, as files."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import click

from cli.key_files import PRIVATE, READABLE, KeyFiles, text_of
from cli.output import Failure, say

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
_USER = re.compile(r' user_(\S+)="([^"]*)"')


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
@click.option(
    "--shared",
    is_flag=True,
    help="Let all users read what Postgres and the broker read: for volumes that only they mount.",
)
def make(
    app: Path,
    owner: Path,
    postgres: str,
    database: str,
    tls: Path | None,
    kafka: Path | None,
    shared: bool,
) -> None:
    """Make the files that are not there yet; only their owner can read what is secret.

    A password or a certificate that is there stays. What follows from them, a DSN for instance, is
    written anew when they have changed, unless somebody wrote another one in its place.

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
    files = KeyFiles()
    servers = READABLE if shared else PRIVATE
    authority = app / "ca.pem" if tls else None
    if tls and authority:
        _certificates(files, tls, postgres.partition(":")[0], servers)
        _authority(files, authority, text_of(tls / "ca.pem") or "")
    for role, place in (("app", app), ("owner", owner), ("reader", owner)):
        password = files.password(
            place / ("password" if role == "app" else f"{role}-password"), servers
        )
        plain = f"postgresql://quire_{role}:{quote(password, safe='')}@{postgres}/{database}"
        safe, earlier = (
            f"{plain}?sslmode=verify-full&sslrootcert={quote(str(path))}"
            for path in (app.absolute() / "ca.pem", app / "ca.pem")
        )
        dsn = place / ("dsn" if role == "app" else f"{role}-dsn")
        files.follows(dsn, safe if tls else plain, PRIVATE, {plain, safe, earlier}.__contains__)
    files.password(owner / "admin-password", servers)
    if tls and kafka:
        _users(files, kafka, text_of(tls / "ca.pem") or "", servers)
    _tell(files)


def _tell(files: KeyFiles) -> None:
    made: dict[Path, list[str]] = {}
    for path in files.made:
        made.setdefault(path.parent, []).append(path.name)
    for place, names in made.items():
        say(f"made {', '.join(names)} in {place}")
    if not made:
        say("all files are there")
    if files.kept:
        kept = ", ".join(map(str, files.kept))
        say(f"left as somebody wrote them: {kept}; move one away to have ours")
    if files.narrowed:
        narrowed = ", ".join(map(str, files.narrowed))
        say(f"now only their owner can read: {narrowed}")
        say(
            "  Where Postgres and the broker run as other users, let them read theirs with `chmod"
            " 0644`; --shared, given the first time, leaves those open."
        )


def _certificates(files: KeyFiles, tls: Path, postgres: str, servers: int) -> None:
    from stack.certificates import is_ours, issue

    authority = tls / "ca.pem"
    key, certificate = tls / "postgres" / "server.key", tls / "postgres" / "server.pem"
    of_kafka = tls / "kafka" / "kafka.pem"
    # Root gives its key to Postgres' own user; the broker reads its file itself.
    modes = {key: PRIVATE, certificate: READABLE, of_kafka: servers}
    there = [path for path in modes if path.is_file()]
    signed = text_of(authority)
    if signed is not None:
        for path in there if is_ours(signed) else ():
            files.adopt(path, modes[path])
        return
    for path in there:
        if not files.is_ours(path):
            raise Failure(
                "not_ours",
                f"{path} is there, but not the authority that signed it",
                hint=f"Put that into {authority}, or move {path} away.",
            )
    here = ("localhost", "127.0.0.1")
    above, made = issue({"postgres": (postgres, *here), "kafka": ("kafka", *here)})
    files.write(key, made["postgres"].key, modes[key])
    files.write(certificate, made["postgres"].certificate, modes[certificate])
    files.write(of_kafka, made["kafka"].key + made["kafka"].certificate, modes[of_kafka])
    files.write(authority, above, READABLE)  # last, since it says that all is there


def _authority(files: KeyFiles, path: Path, text: str) -> None:
    from stack.certificates import is_ours

    files.follows(path, text, READABLE, is_ours)


def _users(files: KeyFiles, kafka: Path, authority: str, servers: int) -> None:
    from stack.rights import USERS

    passwords: dict[str, str] = {}
    for user in ("admin", *USERS):
        passwords[user] = files.password(kafka / user / "password", PRIVATE)
        _authority(files, kafka / user / "ca.pem", authority)
    jaas = kafka / "broker" / "jaas.conf"
    files.follows(
        jaas, _jaas(passwords), servers, lambda text: text == _jaas(dict(_USER.findall(text)))
    )


def _jaas(passwords: Mapping[str, str]) -> str:
    users = "".join(f' user_{user}="{password}"' for user, password in passwords.items())
    return "".join(
        f"{name}.KafkaServer {{\n  {PLAIN}{users};\n}};\n" for name in ("inside", "host")
    )
