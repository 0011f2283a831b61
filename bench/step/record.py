"""`python -m bench.step.record`: what a step of load does to the processes, as a table and a chart.

Every two seconds it looks at who is ready and what their pages tell. It puts the load on the API
itself, by a process of its own, and records until that has ended and nothing waits any more.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from time import monotonic

import click
import httpx
import msgspec
from msgspec.structs import replace

from bench.step import chart, tables
from bench.step.load import STEPS, Second, steps_of
from bench.step.samples import Rates, Sample
from bench.step.watching import Cluster, Local, Watched
from stack.address import default_url

EVERY_SECONDS = 2.0
FIRST = 1.0  # of the load's seconds is over when it says so
QUIET_LOOKS = 3
LONGEST_DRAIN = 120.0


class Load:
    """The process that makes the load, and what it said of each second."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._seconds: list[Second] = []
        self._began = asyncio.Event()
        self._hearing = asyncio.create_task(self._hear())

    @classmethod
    async def start(cls, url: str, host: str, steps: str) -> "Load":
        """Returns in its first second: by then it has stocked its books up."""
        words = ("-m", "bench.step.load", "--url", url, "--host", host, "--steps", steps)
        load = cls(await asyncio.create_subprocess_exec(sys.executable, *words, stdout=PIPE))
        began = asyncio.create_task(load._began.wait())
        await asyncio.wait({began, load._hearing}, return_when=asyncio.FIRST_COMPLETED)
        began.cancel()
        return load

    @property
    def began(self) -> bool:
        return self._began.is_set()

    @property
    def over(self) -> bool:
        return self._hearing.done()

    def told(self, since: float, until: float) -> tuple[float | None, float | None]:
        """Offered a second and the worst p99 of the seconds that began in between."""
        found = [each for each in self._seconds if since <= each.at < until]
        if not found:
            return None, None
        worst = max((each.p99_ms for each in found if each.p99_ms is not None), default=None)
        return round(sum(each.offered for each in found) / len(found), 1), worst

    async def end(self) -> int:
        """Its exit code; it is killed when it still runs."""
        if self._process.returncode is None and not self.over:
            self._process.kill()
        await self._hearing
        return await self._process.wait()

    async def _hear(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if b'"at"' in line:
                self._seconds.append(msgspec.json.decode(line, type=Second))
                self._began.set()
            else:
                click.echo(line.decode().rstrip(), err=True)


async def record(watched: Watched, url: str, host: str, steps: str) -> tuple[list[Sample], int]:
    """The samples, with seconds since the load began, none if it did not; and its exit code."""
    rates, samples = Rates(), list[Sample]()
    load = await Load.start(url, host, steps)
    if not load.began:
        return samples, await load.end()
    begin, quiet, ended = monotonic() - FIRST, 0, 0.0
    try:
        async with httpx.AsyncClient() as http:
            while quiet < QUIET_LOOKS:
                at = monotonic() - begin
                sample = rates.sample(at, await watched.look(http))
                offered, worst = load.told(at - EVERY_SECONDS, at)
                samples.append(replace(sample, offered=offered, p99_ms=worst))
                if load.over:
                    ended = ended or at
                    rests = not sample.waiting or at - ended > LONGEST_DRAIN
                    quiet = quiet + 1 if rests else 0
                await asyncio.sleep(
                    max(0.0, begin + FIRST + len(samples) * EVERY_SECONDS - monotonic())
                )
    finally:
        code = await load.end()
    return samples, code


@click.command()
@click.option("--url", help="The API; else that of the stack on --state-dir.")
@click.option("--host", help="What to call it, where a gateway goes by that; else as in --url.")
@click.option("--steps", default=STEPS, show_default=True, help="REQUESTS_A_SECOND:SECONDS, ...")
@click.option(
    "--state-dir", type=click.Path(path_type=Path), envvar="QUIRE_STATE_DIR",
    default=Path(".quire"), show_default=True,
    help="The local stack to look at; start it with QUIRE_METRICS_PORT.",
)  # fmt: skip
@click.option("--cluster", metavar="ADDRESS", help="Look at a cluster instead: of `kubectl proxy`.")
@click.option("--namespace", default="quire", show_default=True, help="Of the cluster.")
@click.option("--title", default="A step of load", show_default=True, help="Of the chart.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("recording"), show_default=True,
    help="A directory: recording.csv, recording.md and recording.svg.",
)  # fmt: skip
def main(
    url: str | None,
    host: str | None,
    steps: str,
    state_dir: Path,
    cluster: str | None,
    namespace: str,
    title: str,
    out: Path,
) -> None:
    """Put steps of load on an API and record pods, requests, lag and errors meanwhile.

    Exit code 1 when any order was refused, 3 without an API: then nothing is recorded.
    """
    try:
        steps_of(steps)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--steps") from wrong
    watched = Cluster(cluster.rstrip("/"), namespace) if cluster else Local(state_dir)
    address = url or default_url(state_dir)
    samples, code = asyncio.run(record(watched, address, host or "", steps))
    if not samples:
        raise SystemExit(code)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "recording.csv": tables.as_csv(samples),
        "recording.md": tables.as_markdown(samples),
        "recording.svg": chart.draw(samples, title),
    }.items():
        (out / name).write_text(text)
        click.echo(out / name)
    raise SystemExit(code)


if __name__ == "__main__":
    main()
