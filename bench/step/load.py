"""`python -m bench.step.load`: orders at 5 a second, then at 200, whether or not they are answered.

Needs nothing but the address of an API. Stocks its own books first; then each second one line of
JSON on stdout, in the end one with the sum.
"""

import asyncio
import gc
import re
import sys
from collections.abc import Sequence
from random import Random
from time import monotonic
from urllib.parse import urlsplit
from uuid import uuid4

import click
import httpx
import msgspec
import uvloop

from bench.arrivals import poisson
from bench.http_load import Door
from bench.pacing import Pace
from bench.plan import CURRENCY, Request, request
from bench.profiles import Basket, price_minor
from bench.report import percentile

STEPS = "5:15s,200:60s,5:15s"
BOOKS = 300
EACH = 10_000  # on the shelf: more than any run here sells
TWO_LINES = 0.1
AT_ONCE = 16
LEAD_SECONDS = 0.5
_STEP = re.compile(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)s?")


class Second(msgspec.Struct, frozen=True):
    """What happened in the second that began `at` seconds after the first request was due.

    Latencies are from the moment at which a request was due to its answer; refused means answered
    with neither 2xx nor 503, after which the same wish is sent again.
    """

    at: int
    offered: int
    accepted: int
    refused: int
    p50_ms: float | None
    p99_ms: float | None


class Sum(msgspec.Struct, frozen=True):
    """The whole load."""

    offered: int
    accepted: int
    refused: dict[str, int]
    p99_ms: float | None


class Heard(Pace):
    """A pace that keeps when each request was answered, for who tells of it by the second."""

    def __init__(self, moments: Sequence[float], begin: float) -> None:
        super().__init__(moments, begin)
        self.begin = begin
        self.answered: list[tuple[float, int]] = []

    def took(self, first: int, end: int, at: float) -> None:
        super().took(first, end, at)
        self.answered.extend((at - self.begin, number) for number in range(first, end))


def steps_of(text: str) -> list[tuple[float, float]]:
    """(requests a second, seconds) of each step of `5:15s,200:60s`; ValueError."""
    found = [_STEP.fullmatch(each.strip()) for each in text.split(",")]
    steps = [(float(each[1]), float(each[2])) for each in found if each is not None]
    if len(steps) != len(found) or not all(rate > 0 and lasts > 0 for rate, lasts in steps):
        raise ValueError(f"{text!r} is no row of steps; write {STEPS}")
    return steps


def moments(steps: Sequence[tuple[float, float]], run: str) -> list[float]:
    """When each request is due, in seconds from the start: at random, at each step's rate."""
    due: list[float] = []
    begin = 0.0
    for number, (rate, seconds) in enumerate(steps):
        due += [begin + at for at in poisson(rate, seconds, f"{run}/{number}", bursts=False)]
        begin += seconds
    return due


def baskets(count: int, run: str) -> list[Basket]:
    """A copy of one book, now and then of two."""
    random = Random(run)
    picks = (
        random.sample(range(BOOKS), 2 if random.random() < TWO_LINES else 1) for _ in [0] * count
    )
    return [tuple((f"step-{book:03d}", 1) for book in sorted(pick)) for pick in picks]


async def stock_up(url: str, host: str, run: str) -> None:
    """List the books and receive enough of each; returns when they can be sold."""
    skus = [f"step-{book:03d}" for book in range(BOOKS)]
    price = {sku: {"amount_minor": price_minor(sku), "currency": CURRENCY} for sku in skus}
    items = [{"sku": sku, "title": f"Title of {sku}", "price": price[sku]} for sku in skus]
    turns = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=url, headers={"Host": host}, timeout=60) as client:

        async def receive(sku: str) -> None:
            headers = {"Idempotency-Key": f"step-{run}-{sku}", "Prefer": "wait=30"}
            async with turns:
                body = {"quantity": EACH, "reference": f"step {run}"}
                path = f"/stock/{sku}/receipts"
                (await client.post(path, headers=headers, json=body)).raise_for_status()

        (await client.put("/catalogue", json={"items": items})).raise_for_status()
        await asyncio.gather(*map(receive, skus))


async def load(url: str, host: str, steps: Sequence[tuple[float, float]]) -> Sum:
    """Put the steps on the API, one after the other, and print what each second was like."""
    run = uuid4().hex[:8]
    due = moments(steps, run)
    requests: list[Request] = [
        request(host, f"step-{run}-{number}", basket, number)
        for number, basket in enumerate(baskets(len(due), run))
    ]
    await stock_up(url, host, run)
    gc.collect()
    gc.freeze()
    pace = Heard(due, monotonic() + LEAD_SECONDS)
    door = Door(url, requests, pace)
    sending = asyncio.create_task(door.send())
    await _tell(door, pace, due, sending)
    await sending
    p99 = percentile(sorted(pace.late), 0.99)
    accepted = sum(map(bool, door.orders))
    return Sum(len(due), accepted, dict(door.refused), p99)


async def _tell(door: Door, pace: Heard, due: Sequence[float], sending: asyncio.Task[None]) -> None:
    """Each second when it is over; the last one when all is answered, so that none is missing."""
    told = 0
    second = 0
    while second <= max(due, default=0) or not sending.done():
        await asyncio.wait({sending}, timeout=max(0.0, pace.begin + second + 1 - monotonic()))
        answers = pace.answered[told:]
        told += len(answers)
        late = sorted(at - due[number] for at, number in answers)
        accepted = sum(bool(door.orders[number]) for _, number in answers)
        offered = sum(second <= at < second + 1 for at in due)
        _print(
            Second(
                second, offered, accepted, len(answers) - accepted,
                percentile(late, 0.5), percentile(late, 0.99),
            )
        )  # fmt: skip
        second += 1


def _print(line: Second | Sum) -> None:
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


@click.command()
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="The API.")
@click.option("--host", help="What to call it, where a gateway goes by that; else as in --url.")
@click.option("--steps", default=STEPS, show_default=True, help="REQUESTS_A_SECOND:SECONDS, ...")
def main(url: str, host: str | None, steps: str) -> None:
    """Put steps of load on an API. Exit code 1 when any order was refused, 3 without an API."""
    try:
        wanted = steps_of(steps)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--steps") from wrong
    try:
        done = uvloop.run(load(url.rstrip("/"), host or urlsplit(url).netloc, wanted))
    except httpx.HTTPError as fault:
        click.echo(f"no API to put a load on at {url}: {fault}; name another with --url", err=True)
        raise SystemExit(3) from None
    _print(done)
    if done.refused:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
