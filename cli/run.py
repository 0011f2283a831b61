"""`quire run`: one process of the system in the foreground."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.output import state_dir_option

if TYPE_CHECKING:
    from api.settings import Settings as ApiSettings
    from streams.settings import Settings

Process = Callable[[], Coroutine[Any, Any, None]]
S = TypeVar("S")
CONTEXTS = ("order", "inventory", "payment", "shipping", "notification")
DEAD_LETTERS = "dead-letters"
AGENTS = (*CONTEXTS, DEAD_LETTERS)
LAST_PORT = 65_535


@click.group()
def run() -> None:
    """Run one process of the system in the foreground; SIGTERM ends it cleanly.

    `quire up` runs all of them. Settings come from QUIRE_*: docs/configuration.md has them all.
    """


@run.command()
@click.argument("names", nargs=-1, type=click.Choice(AGENTS))
def worker(names: tuple[str, ...]) -> None:
    """Run the agents NAMES, or all six; several run as one child process each.

    The first tells its metrics at QUIRE_METRICS_PORT, each other one at the next port.
    """
    wanted = list(dict.fromkeys(names or AGENTS))
    if len(wanted) > 1:
        from streams.children import supervise

        commands = {n: [sys.executable, "-m", "cli.main", "run", "worker", n] for n in wanted}
        told = _pages(wanted, _settings().metrics_port)
        sys.exit(asyncio.run(supervise(commands, told)))
    if wanted[0] == DEAD_LETTERS:
        from streams.dead_letters import run as run_dead_letters

        settings = _settings()
        _go(lambda: run_dead_letters(settings), settings)
    else:
        _run_agent(wanted[0])


def _pages(names: Sequence[str], first: int) -> dict[str, dict[str, str]]:
    """What tells each of them a port of its own for its page of metrics, from `first` on."""
    from cli.troubles import not_usable

    if first + len(names) - 1 > LAST_PORT:
        raise not_usable("QUIRE_METRICS_PORT")
    ports = range(first, first + len(names)) if first else [0] * len(names)
    return {
        name: {"QUIRE_METRICS_PORT": str(port)} for name, port in zip(names, ports, strict=True)
    }


def _run_agent(context: str) -> None:
    from streams.agents import declare
    from streams.engine import Engine
    from streams.faustapp import run as run_agent

    settings = _settings()
    _go(lambda: run_agent(Engine(declare(context, settings), settings), settings), settings)


@run.command()
def relay() -> None:
    """Publish facts, and the commands that follow from them."""
    from streams.reactions import ROUTES
    from streams.relay import run as run_relay

    settings = _settings()
    _go(lambda: run_relay(settings), settings, ROUTES.topics)


@run.command()
def projector() -> None:
    """Keep the views up to date."""
    from streams.projector import run as run_projector

    settings = _settings()
    _go(lambda: run_projector(settings), settings)


@run.command()
def timers() -> None:
    """Announce deadlines that are due, send lost wishes again, forget what is old."""
    from streams.reactions import ROUTES
    from streams.timers import run as run_timers

    settings = _settings()
    _go(lambda: run_timers(settings), settings, ROUTES.commands.values())


@run.command()
def sealer() -> None:
    """Sign the log, and publish the seals."""
    from streams.sealer import TOPIC
    from streams.sealer import run as run_sealer

    settings = _settings()
    _go(lambda: run_sealer(settings), settings, [TOPIC])


@run.command()
def provider() -> None:
    """Serve the simulated payment provider."""
    from gateways.provider.server import run as run_provider
    from gateways.settings import Settings as ProviderSettings

    settings = _read(ProviderSettings)
    _go(lambda: run_provider(settings))


@run.command()
def api() -> None:
    """Serve the API over HTTP."""
    from api.server import run as run_api
    from api.settings import Settings as ApiSettings

    settings = _read(ApiSettings)
    _go(lambda: run_api(settings), settings, _of_kafka(settings), waits=False)


@run.command()
@click.argument("topics", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All of the partners' topics.")
@click.option("--sink", help="Where to post to instead of QUIRE_SOURCE_SINK.")
@click.option("--group", help="The consumer group instead of QUIRE_SOURCE_GROUP.")
@click.option("--name", help="The name of the source instead of QUIRE_SOURCE_NAME.")
@click.option("--type", "kind", help="Only events of this type, instead of QUIRE_SOURCE_TYPE.")
def source(
    topics: tuple[str, ...],
    sink: str | None,
    group: str | None,
    name: str | None,
    kind: str | None,
    *,
    every: bool,
) -> None:
    """Take the records of TOPICS to the intake, as Knative's KafkaSource does."""
    from streams.observing import observed
    from streams.settings import SourceSettings
    from streams.source import PARTNER_TOPICS
    from streams.source import run as run_source

    wanted = (*topics, *PARTNER_TOPICS) if every else topics
    if not wanted:
        raise click.UsageError("name a topic, or give --all")
    told = {
        "source_sink": sink,
        "source_group": group,
        "source_name": name,
        "source_type": kind,
    }
    settings = _read(SourceSettings).model_copy(
        update={field: value for field, value in told.items() if value}
    )
    _go(lambda: observed(settings, lambda: run_source(settings, list(dict.fromkeys(wanted)))))


@run.command()
def intake() -> None:
    """Take partners' events in over HTTP, as CloudEvents."""
    from api.server import run_intake
    from api.settings import Settings as ApiSettings

    settings = _read(ApiSettings)
    _go(lambda: run_intake(settings), settings, _of_kafka(settings), waits=False)


@run.command()
@click.option("--sink", envvar="K_SINK", default="", help="Where to post events of its own to.")
def wall(sink: str) -> None:
    """Show orders as they happen; it is told by POST, and posts what thresholds a minute passed."""
    from api.server import run_wall
    from api.settings import WallSettings

    settings = _read(WallSettings)
    _go(lambda: run_wall(settings, sink))


@run.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--sink", envvar="K_SINK", required=True, help="Where to post to; Knative sets it.")
@click.option("--once", is_flag=True, help="Post the file as it is now, and end.")
@click.option("--uncatalogued", is_flag=True, help="The catalogue may come later.")
def supplier(file: Path, sink: str, *, once: bool, uncatalogued: bool) -> None:
    """Post a supplier's stock FILE (sku,quantity) as a goods receipt, whenever it has changed."""
    from streams.supplier import run as run_supplier

    _go(lambda: run_supplier(file, sink, once=once, uncatalogued=uncatalogued))


@run.command()
@state_dir_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="QUIRE_SMTP_PORT",
    required=True,
    help="Port to listen on, of 127.0.0.1.",
)
def mail(state_dir: Path, port: int) -> None:
    """Take mail by SMTP and keep it; `quire mail list` shows it. Nothing is passed on."""
    from streams.mail import run as run_mail

    _go(lambda: run_mail(port, state_dir))


def _of_kafka(settings: "ApiSettings") -> Iterable[str]:
    """The topics that have to be there; who posts to sinks needs no Kafka."""
    from domain.catalog import TOPICS

    return () if settings.sink_url else TOPICS.values()


def _settings() -> "Settings":
    from streams.settings import Settings

    return _read(Settings)


def _read(shape: type[S]) -> S:
    """Settings from the environment; what is missing or wrong is named, never its value."""
    from pydantic import ValidationError

    from cli.troubles import require_usable_servers, settings_wrong

    try:
        settings = shape()
    except ValidationError as error:
        raise settings_wrong(error) from None
    require_usable_servers()
    return settings


def _go(
    process: Process,
    settings: "Settings | ApiSettings | None" = None,
    topics: Iterable[str] = (),
    *,
    waits: bool = True,
) -> None:
    """Run it to its end; with `settings` only once the servers are as it needs them."""
    from streams.beginning import begin
    from streams.lifecycle import run as run_to_the_end
    from streams.observing import observed
    from streams.settings import Settings as OfStreams

    if settings is None:
        run_to_the_end(process)
        return
    dsn, kafka, names = settings.postgres_dsn.get_secret_value(), settings.kafka, tuple(topics)

    def whole() -> Coroutine[Any, Any, None]:
        return begin(process, dsn, kafka, names, waits=waits)

    run_to_the_end(
        lambda: observed(settings, whole) if isinstance(settings, OfStreams) else whole()
    )
