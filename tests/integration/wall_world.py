"""What the tests of the wall share: a wall that listens, somebody who watches it, and the SQL."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from store.connect import AsyncConnection

BY_MINUTE = """
select to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') as minute,
       count(*) as orders, sum((body->'total'->>'amount_minor')::bigint) as revenue
  from (select occurred_at, data::json as body from event where type = 'quire.order.placed.v1') as e
 group by 1
"""
LAST_FACTS = """
select substr(stream, 7), max(position) from event where stream like 'order-%' group by 1
"""
Minutes = dict[str, dict[str, Any]]


async def minutes(conn: AsyncConnection) -> Minutes:
    """What SQL counts in the log."""
    rows = await (await conn.execute(BY_MINUTE)).fetchall()
    return {row[0]: {"orders": row[1], "revenue": {"EUR": int(row[2])}} for row in rows}


async def last_facts(conn: AsyncConnection) -> dict[str, int]:
    """The position of each order's last fact of its own."""
    return dict(await (await conn.execute(LAST_FACTS)).fetchall())


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncGenerator[str]:
    """The application, listening; gives its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=3)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await task


class Page:
    """Reads the stream as a browser does: comes back after the last event that it saw."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._last = ""
        self.seen: list[tuple[str, str, int]] = []
        """Each order that was told: by which life of the wall, which one, and its position."""
        self.rows: dict[str, int] = {}

    async def read(self) -> None:
        """For ever."""
        async with httpx.AsyncClient(base_url=self._address, timeout=20) as client:
            while True:
                with suppress(httpx.TransportError):
                    await self._connected(client)
                await asyncio.sleep(0.05)

    async def _connected(self, client: httpx.AsyncClient) -> None:
        headers = {"Last-Event-ID": self._last} if self._last else {}
        kind = ""
        async with client.stream("GET", "/stream", headers=headers) as answer:
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    self._last = value
                elif name == "event":
                    kind = value
                elif name == "data" and kind == "order":
                    self._order(json.loads(value))

    def _order(self, told: dict[str, Any]) -> None:
        order_id, position = told["order_id"], told["position"]
        self.seen.append((self._last.partition("-")[0], order_id, position))
        self.rows[order_id] = max(position, self.rows.get(order_id, 0))

    @property
    def lives(self) -> set[str]:
        """Of the wall, as far as they told something."""
        return {life for life, _, _ in self.seen}

    def of_each(self) -> dict[tuple[str, str], list[int]]:
        """The positions that each life told of each order, as they came."""
        found: dict[tuple[str, str], list[int]] = {}
        for life, order_id, position in self.seen:
            found.setdefault((life, order_id), []).append(position)
        return found
