"""The servers of a compose project as verbs on this machine reach them, with TLS or without."""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from stack.board import Servers
from stack.containers import REFUSED, Project
from stack.errors import StackFault

BROKERS_USERS = "/run/quire/kafka/jaas.conf"
_ADMIN = re.compile(r'user_admin="([^"]+)"')
_AUTHORITY = re.compile(r"(?<=sslrootcert=)[^&]+")


@contextmanager
def reached(project: Project) -> Generator[Servers]:
    """Where they answer. Where they take users over TLS alone, the clients of this process and of
    those that it starts sign in to Kafka as its administrator while the block lasts."""
    servers = project.servers()
    authority = _AUTHORITY.search(servers.postgres_dsn)
    if not authority:
        yield servers
        return
    with TemporaryDirectory(prefix="quire-trusted-") as directory:
        copy = Path(directory) / "ca.pem"
        copy.write_bytes(project.file("postgres", authority[0]))
        with _signed_in(project, copy):
            yield replace(
                servers,
                postgres_dsn=_AUTHORITY.sub(str(copy), servers.postgres_dsn),
                postgres_owner_dsn=_AUTHORITY.sub(str(copy), servers.postgres_owner_dsn),
            )


@contextmanager
def _signed_in(project: Project, authority: Path) -> Generator[None]:
    password = _password(project)
    if not password:
        yield
        return
    told = {
        "QUIRE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "QUIRE_KAFKA_SASL_MECHANISM": "PLAIN",
        "QUIRE_KAFKA_USERNAME": "admin",
        "QUIRE_KAFKA_PASSWORD": password,
        "QUIRE_KAFKA_CA_FILE": str(authority),
    }
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _password(project: Project) -> str:
    """The administrator's; empty where Kafka takes everybody."""
    try:
        users = project.file("kafka", BROKERS_USERS).decode()
    except StackFault as fault:
        if fault.code != REFUSED:
            raise
        return ""
    found = _ADMIN.search(users)
    return found[1] if found else ""
