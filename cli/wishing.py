"""A wish on the command line: the options that each takes, and how it is sent."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

import click

from cli.output import api, json_option, url_option


class Sending(NamedTuple):
    """What `wish_options` were given."""

    wait: int
    key: str | None
    url: str
    as_json: bool

    def send(
        self, path: str, body: dict[str, Any] | None, after: Callable[[Any], str | None]
    ) -> dict[str, Any]:
        """Post it; gives what stands where `after` says to look, or the answer itself."""
        from uuid import uuid4

        headers = {"Idempotency-Key": self.key or f"cli-{uuid4()}"}
        if self.wait:
            headers["Prefer"] = f"wait={self.wait}"
        with api(self.url, timeout=self.wait + 30.0) as client:
            answer = client.post(path, json=body, headers=headers)
            place = after(answer)
            return (client.get(place) if place else answer).json()


def wish_options(function: Callable[..., None]) -> Callable[..., None]:
    """What every wish takes; the function gets it as `sending`."""

    @wraps(function)
    def gathered(*, wait: int, key: str | None, url: str, as_json: bool, **others: Any) -> None:
        function(sending=Sending(wait, key, url, as_json), **others)

    waiting = click.option(
        "--wait",
        type=click.IntRange(0, 30),
        default=0,
        metavar="SECONDS",
        help="Wait so long, 30 at most, for what becomes of it.",
    )
    keyed = click.option(
        "--key", help="The Idempotency-Key: the same key is the same wish. Else one is made up."
    )
    return url_option(json_option(keyed(waiting(gathered))))


def lines_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--line`, as `lines`: texts of the form N:QTY."""
    return click.option(
        "--line",
        "lines",
        multiple=True,
        metavar="N:QTY",
        help="Only so many of line N, as 1:2; may be given several times.",
    )(function)
