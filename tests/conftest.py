"""Fixtures that give a real Postgres and a real Kafka.

- `postgres_dsn`: the service's role on a migrated database, fresh for each test module.
- `owner_dsn`: the migrations' role on the same database; `admin_dsn`: the superuser on it.
- `kafka`: the bootstrap address of a Kafka that the whole run shares.
- `topics`: makes topics under names of one test's own: `name = await topics("orders", 6)`.

QUIRE_TEST_POSTGRES (a state directory and a port, as `dir:port`) and QUIRE_TEST_KAFKA name servers
that run already and that nobody kills: so `python -m tests.mutants` starts them once.
`--servers containers` takes both from the official images.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from stack import database
from stack.layout import Layout
from stack.secrets import Secrets, load_or_make
from stack.topics import Topic, ensure
from tests import engine
from tests.integration.servers import Running, running_kafka, running_postgres

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

HERE = Path(__file__).parent
NEED_SERVERS = (HERE / "integration", HERE / "faults")
WHOLE_STACKS = ("acceptance/", "docker/test_compose", "docker/test_upgrade")
BESIDE_THEM = ("model", "lives", "architecture", "unit", "docker", "faults", "integration")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target",
        default="local",
        help="What the acceptance tests ask: `local`, `compose`, or the URL of what runs.",
    )
    parser.addoption(
        "--scale",
        action="append",
        default=[],
        metavar="SERVICE=N",
        help="With --target compose: so many containers of a service. May be given again.",
    )
    parser.addoption(
        "--servers",
        choices=("local", "containers"),
        default="local",
        help="Where the tests' Postgres and Kafka come from: our own, or the official images.",
    )
    parser.addoption(
        "--lives", type=int, help="How many random lives tests/lives plays; 10,000 unless said."
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "long" not in config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    for item in items:
        for room in NEED_SERVERS:
            if room in item.path.parents:
                item.add_marker(pytest.mark.integration)
        if HERE / "faults" in item.path.parents:
            item.add_marker(pytest.mark.faults)
        if HERE / "acceptance" in item.path.parents:
            item.add_marker(pytest.mark.acceptance)
        if HERE / "docker" in item.path.parents:
            item.add_marker(pytest.mark.docker)
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: _turn(item.path))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadScopeScheduling":
    """With several processes, one runs a file, whose tests share a database; and one runs all whole
    stacks, one after the other. They begin first, beside what computes in one process."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 not where one process runs all

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0].removeprefix("tests/")
            return "whole stacks" if file.startswith(WHOLE_STACKS) else file

    config.option.loadscopereorder = False
    return Together(config, log)


def _turn(path: Path) -> int:
    file = path.relative_to(HERE).as_posix()
    room = file.partition("/")[0]
    if file.startswith(WHOLE_STACKS) or room not in BESIDE_THEM:
        return -1
    return BESIDE_THEM.index(room)


@pytest.fixture(scope="session")
def _contained(request: pytest.FixtureRequest) -> bool:
    """Whether the servers are containers; the test is skipped when there can be none."""
    if request.config.getoption("servers") != "containers":
        return False
    reason = engine.missing(engine.REAPER, engine.POSTGRES, engine.KAFKA)
    if reason:
        pytest.skip(reason)
    return True


def _containers() -> Any:
    """Imported only by who wants it: the library behind it takes half a second."""
    return import_module("tests.integration.containers")


@pytest.fixture(scope="session")
def postgres_server(_contained: bool) -> Iterator[tuple[Running, int, Secrets]]:
    """The server itself, for tests that kill it: (running, port, secrets)."""
    given = os.environ.get("QUIRE_TEST_POSTGRES")
    if given:
        directory, _, port = given.rpartition(":")
        yield Running(), int(port), load_or_make(Layout.at(Path(directory)).secrets)
        return
    make = _containers().contained_postgres if _contained else running_postgres
    with make() as (running, port, layout):
        yield running, port, load_or_make(layout.secrets)


@pytest.fixture(scope="session")
def kafka_server(_contained: bool) -> Iterator[tuple[Running, str]]:
    """The server itself, for tests that kill it: (running, bootstrap)."""
    given = os.environ.get("QUIRE_TEST_KAFKA")
    if given:
        yield Running(), given
        return
    make = _containers().contained_kafka if _contained else running_kafka
    with make() as server:
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
