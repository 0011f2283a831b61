"""What the wall was not told, it reads: from the API, which has it from the log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from api.problems import Problem
from api.wall.board import Worth
from api.wall.taking import total_of
from store.views.minutes import Counted

T = TypeVar("T")

SECONDS = 10.0
"""The API may have to be scaled from zero first."""

PAGE = 1_000


class Unread(Exception):
    """The API does not answer, or says something else than it should."""


class Unknown(Unread):
    """The API answers that there is no such thing."""


class Fact(NamedTuple):
    """A fact of the audit feed."""

    position: int
    stream: str
    type: str
    time: datetime
    data: Any


class _Page(msgspec.Struct):
    events: list[dict[str, Any]]


class _Totals(msgspec.Struct):
    ordered: int
    currency: str


class _Order(msgspec.Struct):
    totals: _Totals | None = None


class Truth:
    """The API at an address."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=SECONDS)

    async def minutes(self, since: datetime, until: datetime) -> Counted:
        """Orders by minute; raises Unread."""
        told = {"from": since.isoformat(), "to": until.isoformat()}
        return await self._read("/revenue/minutes", told, Counted)

    async def facts(self, after: int) -> Sequence[Fact]:
        """The facts after a position, as many as a page holds; raises Unread."""
        told = {"after": str(max(0, after)), "limit": str(PAGE)}
        page = await self._read("/events", told, _Page)
        try:
            return [_fact(each) for each in page.events]
        except (LookupError, TypeError, ValueError) as wrong:
            raise Unread(f"/events: {wrong!r}") from wrong

    async def total(self, order_id: str) -> Worth | None:
        """What an order came to when it was placed; none when nobody can say. Raises Unread."""
        try:
            order = await self._read(f"/orders/{quote(order_id, safe='')}", {}, _Order)
            if order.totals is None:  # accepted, and no more is known
                return None
            told = {"amount_minor": order.totals.ordered, "currency": order.totals.currency}
            return total_of({"total": told})
        except (Unknown, Problem):
            return None

    async def close(self) -> None:
        await self._client.aclose()

    async def _read(self, path: str, told: dict[str, str], shape: type[T]) -> T:
        try:
            answer = await self._client.get(path, params=told)
            if answer.status_code == 404:
                raise Unknown(path)
            answer.raise_for_status()
            return msgspec.json.decode(answer.content, type=shape)
        except (httpx.HTTPError, msgspec.MsgspecError) as wrong:
            raise Unread(f"{path}: {wrong!r}") from wrong


def _fact(told: dict[str, Any]) -> Fact:
    time = datetime.fromisoformat(told["time"])
    return Fact(told["position"], told["stream"], told["type"], time, told["data"])
