"""Ready only when Postgres and the sink answered within a second, and again by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from api.intake.app import create_intake
from api.settings import Settings
from bench.faults.proxy import Proxy
from stack.ports import free_ports
from tests.integration.receiver import receiving
from tests.integration.relay_world import until

SINK_SAYS = 400  # what Knative's receiver says to an empty request


async def test_a_postgres_that_hangs_is_noticed_within_a_second_and_forgiven(
    postgres_dsn: str, tmp_path: Path
):
    port = urlsplit(postgres_dsn).port
    assert port is not None
    [between] = free_ports(1)
    proxy = Proxy(between, port)
    await proxy.start()
    async with receiving() as receiver:
        receiver.refuse_all_with = SINK_SAYS
        app = create_intake(
            Settings.model_validate(
                {
                    "postgres_dsn": postgres_dsn.replace(f":{port}/", f":{between}/"),
                    "kafka": "127.0.0.1:1",
                    "state_dir": tmp_path,
                    "sink_url": f"http://127.0.0.1:{receiver.port}/{{sink}}",
                }
            )
        )
        transport = httpx.ASGITransport(app)
        async with (
            app.state.service.opened(reads=False),
            httpx.AsyncClient(transport=transport, base_url="http://here") as client,
        ):
            asked = asking(client)
            await until(lambda: _is(asked, 200), 10)
            hanging = asyncio.create_task(proxy.misbehave("hold", 60))
            await asyncio.sleep(0)  # it begins
            async with asyncio.timeout(4):  # psycopg lets go of what hangs after 5 s
                answer = await client.get("/readyz")
            assert answer.status_code == 503
            assert answer.json() == {"status": "not_ready", "postgres": "no_answer", "sink": "ok"}
            assert not hanging.done()  # so it was not waited for
            hanging.cancel()
            await until(lambda: _is(asked, 200), 10)
    await proxy.stop()


def asking(client: httpx.AsyncClient) -> Callable[[], Awaitable[int]]:
    async def ask() -> int:
        return (await client.get("/readyz")).status_code

    return ask


async def _is(asked: Callable[[], Awaitable[int]], status: int) -> bool:
    return await asked() == status
