"""A Postgres, and a Kafka where one is needed, for one benchmark alone; gone afterwards."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from psycopg import AsyncConnection

from bench.story import Story
from stack import database, kafka, postgres, topics
from stack.layout import LOOPBACK, Layout
from stack.ports import free_ports
from stack.secrets import DATABASE, load_or_make
from stack.supervisor import Supervisor
from store.connect import connect
from store.log import NewEvent

_EVENT = (
    "copy event (stream, version, type, id, occurred_at, recorded_at, correlation, causation,"
    " source, imported, data, hash) from stdin (format binary)"
)
_EVENT_TYPES = (
    "text", "int4", "text", "uuid", "timestamptz", "timestamptz", "text", "uuid", "text", "bool",
    "text", "bytea",  # JSON is sent as the text that it is
)  # fmt: skip


class Scratch(NamedTuple):
    """Where the servers answer, by role; `kafka` is empty when none was asked for."""

    state_dir: Path
    app_dsn: str
    owner_dsn: str
    admin_dsn: str
    kafka: str


@asynccontextmanager
async def servers(*, with_kafka: bool = False) -> AsyncGenerator[Scratch]:
    """Run them with the settings of the local stack, fsync included."""
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as directory:
        Path(directory).chmod(0o755)
        layout, supervisor = Layout.at(Path(directory)), Supervisor(_say)
        port, broker, controller = free_ports(3)
        secrets = load_or_make(layout.secrets)
        specs = [postgres.prepare(layout.postgres, port, secrets)]
        if with_kafka:
            specs.append(kafka.prepare(layout.kafka, broker, controller, _say))
        try:
            await supervisor.start(specs)
            await database.ensure(secrets, port)
            bootstrap = f"{LOOPBACK}:{broker}" if with_kafka else ""
            if with_kafka:
                await topics.ensure(bootstrap)
            made = Scratch(
                layout.root,
                secrets.app_dsn(port),
                secrets.owner_dsn(port),
                secrets.admin_dsn(port, DATABASE),
                bootstrap,
            )
            await _migrate(made)
            yield made
        finally:
            await supervisor.stop()


async def fill(scratch: Scratch, story: Story, count: int) -> int:
    """Put a story into the log, with the stock rows that belong to it; gives how many facts."""
    async with await connect(scratch.owner_dsn, name="quire-bench") as conn:
        told = await copy(conn, list(story.events(count)))
        rows = [
            (sku, level.on_hand, level.reserved, *story.head(f"stock-{sku}"))
            for sku, level in story.levels.items()
        ]
        async with conn.cursor() as cursor:
            await cursor.executemany(
                "insert into stock_level (sku, on_hand, reserved, version, head)"
                " values (%s, %s, %s, %s, %s)",
                rows,
            )
        await conn.execute("vacuum (analyze) event")
        await conn.execute("analyze stock_level")
    return told


async def copy(conn: AsyncConnection, events: Sequence[NewEvent]) -> int:
    """Write facts by a plain COPY."""
    async with conn.cursor() as cursor, cursor.copy(_EVENT) as writer:
        writer.set_types(_EVENT_TYPES)
        for event in events:
            await writer.write_row(event)
    return len(events)


async def _migrate(made: Scratch) -> None:
    env = {"QUIRE_POSTGRES_DSN": made.app_dsn, "QUIRE_POSTGRES_OWNER_DSN": made.owner_dsn}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "migrate"),
        env={**os.environ, **env},
        stdout=sys.stderr,
    )
    assert await process.wait() == 0, "the schema could not be made"


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
