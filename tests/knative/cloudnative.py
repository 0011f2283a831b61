"""CloudNativePG's part: a Postgres as its manifest asks for it, with its roles, by TLS alone.

It is one instance: replicas, and commits that wait for one, are not here. TLS ends in front of it.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import psycopg
from psycopg import sql

from stack import postgres
from stack.layout import LOOPBACK
from stack.ports import free_ports
from stack.secrets import load_or_make
from tests.integration.certificates import certificates
from tests.integration.servers import SHORT_WAL, running
from tests.integration.state_dirs import state_dir
from tests.knative.tls_door import tls_door
from tests.unit.deploy.build import Document, of_kind


class Postgres(NamedTuple):
    """Where it answers, the authority of its certificate, and the superuser's connection string."""

    address: str
    authority: str
    admin_dsn: str


@contextmanager
def running_postgres(build: str, passwords: Mapping[str, str]) -> Generator[Postgres]:
    """`passwords` by the names of the secrets that the manifest refers to."""
    [cluster] = of_kind(build, "Cluster")
    spec = cluster["spec"]
    with state_dir(in_memory=True) as layout:
        [port] = free_ports(1)
        secrets = load_or_make(layout.secrets)
        started = postgres.prepare(layout.postgres, port, secrets)
        given = spec["postgresql"]["parameters"]
        flags = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
        files = certificates(layout.root / "tls")
        with (
            running(replace(started, argv=(*started.argv, *SHORT_WAL, *flags))),
            tls_door(files, port) as door,
        ):
            admin = secrets.admin_dsn(port)
            _bootstrap(admin, spec, passwords)
            yield Postgres(f"{LOOPBACK}:{door}", files.authority.read_text(), admin)


def _bootstrap(admin: str, spec: Document, passwords: Mapping[str, str]) -> None:
    """What the operator does once, and then what it keeps so (`managed`)."""
    first = spec["bootstrap"]["initdb"]
    owner = sql.Identifier(first["owner"])
    with psycopg.connect(admin, autocommit=True) as conn:
        conn.execute(
            sql.SQL("create role {} login password {}").format(
                owner, sql.Literal(passwords[first["secret"]["name"]])
            )
        )
        for statement in first.get("postInitSQL", []):
            conn.execute(statement)
        conn.execute(
            sql.SQL("create database {} owner {}").format(sql.Identifier(first["database"]), owner)
        )
        there = {name for (name,) in conn.execute("select rolname from pg_roles")}
        for role in spec["managed"]["roles"]:
            conn.execute(_managed(role, passwords, there=role["name"] in there))
            for group in role.get("inRoles", []):
                conn.execute(
                    sql.SQL("grant {} to {}").format(
                        sql.Identifier(group), sql.Identifier(role["name"])
                    )
                )


def _managed(role: Document, passwords: Mapping[str, str], *, there: bool) -> sql.Composed:
    return sql.SQL("{} role {} login connection limit {} password {}").format(
        sql.SQL("alter" if there else "create"),
        sql.Identifier(role["name"]),
        sql.Literal(role.get("connectionLimit", -1)),
        sql.Literal(passwords[role["passwordSecret"]["name"]]),
    )
