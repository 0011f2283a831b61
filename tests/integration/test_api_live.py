"""Live updates over a real connection: resume, filter, heartbeat, and clients that do not read."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.settings import Settings
from gateways.serving import NotOnLoopback, refuse_open
from store.connect import AsyncConnection
from tests.integration.api.world import Kept
from tests.integration.facts import life, record


@pytest.fixture
async def url(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[str]:
    settings = Settings(
        postgres_dsn=postgres_dsn,  # pyright: ignore[reportArgumentType] pydantic wraps it
        kafka="127.0.0.1:1",
        state_dir=tmp_path,
        live_heartbeat_seconds=0.2,
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = create_app(settings, Kept())
        config = uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=3)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        app.state.service.feed.close()
        server.should_exit = True
        await task


async def text(url: str) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).text


async def ids(url: str, count: int, **headers: str) -> list[int]:
    found: list[int] = []
    async with httpx.AsyncClient() as client, client.stream("GET", url, headers=headers) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                found.append(int(line[4:]))
                if len(found) == count:
                    break
    return found


async def test_every_client_gets_each_fact_once_from_where_it_left(
    url: str, conn: AsyncConnection
) -> None:
    begin = await record(conn, life("l-1"))
    async with asyncio.timeout(20):
        live = asyncio.create_task(ids(f"{url}/live", 21))
        back = asyncio.create_task(ids(f"{url}/live", 22, **{"Last-Event-ID": str(begin - 1)}))
        while True:  # until the first client listens; before that it would begin later
            if "quire_live_clients 2.0" in await text(f"{url}/metrics"):
                break
        end = await record(conn, life("l-2"))
        assert await live == list(range(begin + 1, end + 1))
        assert await back == list(range(begin, end + 1))
        of_order = await ids(f"{url}/live?order=l-2&after=0", 20)
        assert of_order == [position for position in of_order if position > begin]


async def test_a_client_that_does_not_read_holds_nobody_up(url: str, conn: AsyncConnection) -> None:
    async with asyncio.timeout(30):
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port), limit=1)
        writer.write(b"GET /live?after=0 HTTP/1.1\r\nHost: x\r\n\r\n")
        await writer.drain()
        begin = await record(conn, life("s-0"))
        for n in range(1, 40):
            await record(conn, life(f"s-{n}"))
        assert len(await ids(f"{url}/live?after={begin}", 39 * 21)) == 39 * 21
        assert "ok" in await text(f"{url}/healthz")
        writer.close()


async def test_a_caller_that_hangs_up_within_its_request_is_no_fault_of_ours(url: str) -> None:
    async with asyncio.timeout(10):
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        await writer.drain()
        writer.close()
        while 'status="499"' not in (told := await text(f"{url}/metrics")):
            await asyncio.sleep(0.01)
    assert 'status="500"' not in told


async def test_an_idle_line_is_kept_open(url: str) -> None:
    async with (
        asyncio.timeout(10),
        httpx.AsyncClient() as client,
        client.stream("GET", f"{url}/live") as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith(":"):
                break


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "example.org"])
def test_others_cannot_reach_it_unless_it_is_allowed(host: str) -> None:
    with pytest.raises(NotOnLoopback):
        refuse_open(host, allowed=False)
    refuse_open(host, allowed=True)
    refuse_open("127.0.0.1", allowed=False)
