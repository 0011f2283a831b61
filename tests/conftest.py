"""Fixtures that give a real Postgres and a real Kafka.

- `postgres_dsn`: the service's role on a migrated database, fresh for each test module.
- `owner_dsn`: the migrations' role on the same database; `admin_dsn`: the superuser on it.
- `kafka`: the bootstrap address of a Kafka that the whole run shares.
- `topics`: makes topics under names of one test's own: `name = await topics("orders", 6)`.

QUIRE_TEST_POSTGRES (a state directory and a port, as `dir:port`) and QUIRE_TEST_KAFKA name servers
that run already and that nobody kills: so `python -m tests.mutants` starts them once.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from stack import database
from stack.layout import Layout
from stack.secrets import Secrets, load_or_make
from stack.topics import Topic, ensure
from tests.integration.servers import Running, running_kafka, running_postgres

HERE = Path(__file__).parent
NEED_SERVERS = (HERE / "integration", HERE / "faults")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target",
        default="local",
        help="What the acceptance tests ask: `local` starts a stack, a URL is one that runs.",
    )
    parser.addoption(
        "--lives", type=int, help="How many random lives tests/lives plays; 10,000 unless said."
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for room in NEED_SERVERS:
            if room in item.path.parents:
                item.add_marker(pytest.mark.integration)
        if HERE / "faults" in item.path.parents:
            item.add_marker(pytest.mark.faults)
        if HERE / "acceptance" in item.path.parents:
            item.add_marker(pytest.mark.acceptance)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[tuple[Running, int, Secrets]]:
    """The server itself, for tests that kill it: (running, port, secrets)."""
    given = os.environ.get("QUIRE_TEST_POSTGRES")
    if given:
        directory, _, port = given.rpartition(":")
        yield Running(), int(port), load_or_make(Layout.at(Path(directory)).secrets)
        return
    with running_postgres() as (running, port, layout):
        yield running, port, load_or_make(layout.secrets)


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[tuple[Running, str]]:
    """The server itself, for tests that kill it: (running, bootstrap)."""
    given = os.environ.get("QUIRE_TEST_KAFKA")
    if given:
        yield Running(), given
        return
    with running_kafka() as server:
        yield server


@pytest.fixture(scope="session")
def new_database(postgres_server: tuple[Running, int, Secrets]) -> Callable[[str], str]:
    """Make a database with the newest schema, copied from one that was migrated; gives its name,
    which begins as the caller says."""
    _, port, secrets = postgres_server
    migrated = f"migrated_{uuid4().hex[:8]}"
    asyncio.run(database.ensure(secrets, port, migrated))
    subprocess.run(
        [sys.executable, "-m", "cli.main", "migrate"],
        check=True,
        env={
            **os.environ,
            "QUIRE_POSTGRES_OWNER_DSN": secrets.owner_dsn(port, migrated),
            "QUIRE_POSTGRES_DSN": secrets.app_dsn(port, migrated),
        },
    )

    def make(prefix: str) -> str:
        name = f"{prefix[:40]}_{uuid4().hex[:8]}"
        names = (sql.Identifier(name), sql.Identifier(migrated), sql.Identifier(database.OWNER))
        with psycopg.connect(secrets.admin_dsn(port), autocommit=True) as admin:
            admin.execute(sql.SQL("create database {} template {} owner {}").format(*names))
        return name

    return make


@pytest.fixture(scope="module")
def _database(new_database: Callable[[str], str], request: pytest.FixtureRequest) -> str:
    return new_database(request.path.stem)


@pytest.fixture(scope="module")
def postgres_dsn(postgres_server: tuple[Running, int, Secrets], _database: str) -> str:
    _, port, secrets = postgres_server
    return secrets.app_dsn(port, _database)


@pytest.fixture(scope="module")
def owner_dsn(postgres_server: tuple[Running, int, Secrets], _database: str) -> str:
    _, port, secrets = postgres_server
    return secrets.owner_dsn(port, _database)


@pytest.fixture(scope="module")
def admin_dsn(postgres_server: tuple[Running, int, Secrets], _database: str) -> str:
    _, port, secrets = postgres_server
    return secrets.admin_dsn(port, _database)


@pytest.fixture(scope="session")
def kafka(kafka_server: tuple[Running, str]) -> str:
    _, bootstrap = kafka_server
    return bootstrap


@pytest.fixture
def topics(kafka: str) -> Callable[[str, int], Awaitable[str]]:
    """Make a topic that no other test sees, and give its name."""
    prefix = f"t{uuid4().hex[:10]}"

    async def make(name: str, partitions: int = 6) -> str:
        topic = Topic(f"{prefix}.{name}", partitions)
        await ensure(kafka, [topic])
        return topic.name

    return make
