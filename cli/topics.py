"""`quire topics`: list, create, allow, grow, and repair after a restore."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.output import (
    emit,
    emit_line,
    json_option,
    say,
    state_dir_option,
    yes_option,
)
from cli.servers import servers

T = TypeVar("T")


@click.group()
def topics() -> None:
    """The Kafka topics: list, create, allow, grow, repair."""


@topics.command(name="list")
@state_dir_option
@json_option
def list_(state_dir: Path, *, as_json: bool) -> None:
    """List the topics: partitions, end offsets, and how far their reader is behind."""
    from cli.partitioning import survey

    told = servers(state_dir)
    for topic in _run(survey(told)):
        if as_json:
            emit_line(topic)
        else:
            behind = "" if topic.lag is None else f"  lag {topic.lag}"
            differs = "" if topic.partitions == topic.planned else f"  PLANNED {topic.planned}"
            ends = " ".join(str(end) for end in topic.ends)
            click.echo(f"{topic.topic:<30} {topic.partitions:>3}{differs}  {ends}{behind}")


@topics.command()
@click.option(
    "--replication",
    type=click.IntRange(1, 9),
    default=1,
    show_default=True,
    help="On how many brokers each record is kept.",
)
@state_dir_option
@json_option
def create(replication: int, state_dir: Path, *, as_json: bool) -> None:
    """Make the topics that are missing; leave every other as it is. `quire up` does so by itself.

    For a Kafka of your own: QUIRE_KAFKA names it. Safe to run again.
    """
    from stack.topics import ensure

    made = _run(ensure(_kafka(state_dir), replication=replication))
    emit(
        {"created": made},
        as_json=as_json,
        text=lambda: "made " + ", ".join(made) if made else "all topics are there",
    )


@topics.command()
@state_dir_option
@json_option
def allow(state_dir: Path, *, as_json: bool) -> None:
    """Give each process, as a user of its own, the rights in Kafka that it needs and no other.

    For a Kafka with an authorizer, as its administrator: QUIRE_KAFKA_USERNAME. Safe to run again.
    """
    from stack.rights import USERS
    from stack.rights import allow as allow_all

    count = _run(allow_all(_kafka(state_dir)))
    result = {"rights": count, "users": list(USERS)}
    emit(result, as_json=as_json, text=lambda: f"{count} rights for {', '.join(USERS)}")


@topics.command()
@click.argument("topic")
@click.argument("partitions", type=click.IntRange(1, 1000))
@state_dir_option
@json_option
def grow(topic: str, partitions: int, state_dir: Path, *, as_json: bool) -> None:
    """Give TOPIC so many PARTITIONS.

    A key's partition changes with it, so nothing may read or relay the topic meanwhile, and
    everything in it must have been handled: stop accepting orders, let the workers drain, stop
    relay and workers, grow, start.
    """
    from cli.partitioning import grow as grow_topic

    told = servers(state_dir, writes=True)
    before = _run(grow_topic(told, topic, partitions))
    result = {"topic": topic, "before": before, "partitions": partitions}
    emit(result, as_json=as_json, text=lambda: f"{topic}: {before} -> {partitions} partitions")


@topics.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@yes_option
@state_dir_option
@json_option
def repair(state_dir: Path, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Make topics and database fit again after either was restored.

    While nothing else runs: every worker begins at the first record that its topics still hold
    (what was handled already is dropped by its outcome, which is kept longer than any topic); the
    relay begins after the done point and sends again whatever has no outcome; the number of
    partitions is taken as Kafka has it. Nothing is deleted, nothing is lost; the workers are busy
    for a while with what they know already.
    """
    from cli.partitioning import plan_repair
    from cli.partitioning import repair as repair_topics

    told = servers(state_dir, writes=True)
    plan = _run(plan_repair(told))
    emit(plan, as_json=as_json, text=plan.in_words)
    if dry_run:
        return
    if not yes:
        click.confirm("Do it?", abort=True, err=True)
    _run(repair_topics(told, plan))
    say("done; everything can start again")


def _kafka(state_dir: Path) -> str:
    """Where it answers, for a verb that needs no Postgres."""
    from cli.troubles import require_usable_servers

    require_usable_servers()
    return os.environ.get("QUIRE_KAFKA") or servers(state_dir).kafka


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run the work, with the errors of the store."""
    from store.errors import translated

    async def translate() -> T:
        with translated():
            return await work

    return asyncio.run(translate())
