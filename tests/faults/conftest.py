"""A world of its own for each test: a database copied from a migrated one, all topics made anew."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from stack import database
from stack.secrets import Secrets
from tests.faults.world import World
from tests.integration.servers import Running

TEMPLATE = "faults_template"


@pytest.fixture(scope="session")
def _migrated(postgres_server: tuple[Running, int, Secrets]) -> str:
    _, port, secrets = postgres_server
    name = f"{TEMPLATE}_{uuid4().hex[:8]}"
    asyncio.run(database.ensure(secrets, port, name))
    subprocess.run(
        [sys.executable, "-m", "cli.main", "migrate"],
        check=True,
        env={
            **os.environ,
            "QUIRE_POSTGRES_OWNER_DSN": secrets.owner_dsn(port, name),
            "QUIRE_POSTGRES_DSN": secrets.app_dsn(port, name),
        },
    )
    return name


@pytest.fixture
async def world(
    postgres_server: tuple[Running, int, Secrets], kafka: str, _migrated: str, tmp_path: Path
) -> AsyncGenerator[World]:
    """Nothing runs in it yet; what a test starts ends with the test."""
    _, port, secrets = postgres_server
    name = f"faults_{uuid4().hex[:8]}"
    async with await psycopg.AsyncConnection.connect(
        secrets.admin_dsn(port), autocommit=True
    ) as admin:
        names = (sql.Identifier(name), sql.Identifier(_migrated), sql.Identifier(database.OWNER))
        await admin.execute(sql.SQL("create database {} template {} owner {}").format(*names))
    dsns = (secrets.app_dsn(port, name), secrets.admin_dsn(port, name))
    async with World.made(*dsns, kafka, tmp_path) as made:
        yield made
