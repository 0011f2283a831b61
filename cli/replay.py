"""`quire replay`: print facts again."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.output import Exit, Failure, json_option, state_dir_option

if TYPE_CHECKING:
    from store.log import Recorded


@click.command()
@click.option("--order", "order_id", help="All facts of one order.")
@click.option("--all", "everything", is_flag=True, help="All facts of the log.")
@click.option(
    "--from-position",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Leave out what stands before it in the log.",
)
@state_dir_option
@json_option
def replay(
    order_id: str | None,
    everything: bool,
    from_position: int,
    state_dir: Path,
    as_json: bool,  # noqa: ARG001 JSON Lines are all it prints
) -> None:
    """Print facts as JSON Lines, as they stand in the log. Nothing is sent to anyone.

    `data` is the fact, `text` the very text that was stored and hashed.
    """
    if everything == (order_id is not None):
        raise click.UsageError("Give --order ID or --all.")
    from cli.servers import servers

    dsn = servers(state_dir).postgres_dsn
    count = asyncio.run(_print(dsn, order_id, from_position - 1))
    if order_id is not None and not count:
        raise Failure("order_unknown", f"no order {order_id}", exit_code=Exit.NOT_FOUND)


async def _print(dsn: str, order_id: str | None, after: int) -> int:
    from store.connect import connect
    from store.replaying import all_facts, order_facts

    count = 0
    out = sys.stdout.buffer
    async with await connect(dsn, name="quire-replay") as conn:
        facts = all_facts(conn, after) if order_id is None else order_facts(conn, order_id, after)
        async for fact in facts:
            out.write(line(fact))
            count += 1
    out.flush()
    return count


def line(fact: "Recorded") -> bytes:
    """One fact; its data stand there as JSON and as the text that was hashed."""
    import msgspec

    known = {
        "position": fact.position,
        "stream": fact.stream,
        "version": fact.version,
        "type": fact.type,
        "id": fact.id,
        "occurred_at": fact.occurred_at,
        "recorded_at": fact.recorded_at,
        "correlation": fact.correlation,
        "causation": fact.causation,
        "source": fact.source,
        "imported": fact.imported,
        "hash": fact.hash.hex(),
        "data": msgspec.Raw(fact.data),
        "text": fact.data.decode(),
    }
    return msgspec.json.encode(known) + b"\n"
