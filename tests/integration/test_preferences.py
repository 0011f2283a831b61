"""What a customer wants to hear: chosen over HTTP, decided by the owner, read from the log."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from api.app import create_app
from api.settings import Settings
from bus.message import Message
from domain.catalog import TOPICS
from streams.agents import declare
from streams.engine import Engine
from tests.integration.hand import Topic
from tests.integration.hand import settings as of_streams


class Handed:
    """A publisher that hands each message to the owner of the notifications at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._topic = Topic()
        self.sent: list[Message] = []

    async def publish(self, topic: str, message: Message) -> None:
        assert topic == TOPICS["notification"]
        self.sent.append(message)
        await self._engine.handle([self._topic.send(message)])


@pytest.fixture
async def handed(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Handed]:
    chosen = of_streams(postgres_dsn, tmp_path)
    engine = Engine(declare("notification", chosen), chosen)
    await engine.own({0: None})
    yield Handed(engine)
    await engine.close()


@pytest.fixture
async def client(
    postgres_dsn: str, tmp_path: Path, handed: Handed
) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(
        postgres_dsn=SecretStr(postgres_dsn), kafka="127.0.0.1:1", state_dir=tmp_path
    )
    app = create_app(settings, handed)
    async with app.state.service.opened():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            yield client


@pytest.fixture
def place() -> str:
    return f"/customers/c-{uuid4().hex[:8]}/preferences"


async def test_who_has_not_chosen_hears_by_email(client: httpx.AsyncClient, place: str):
    shown = (await client.get(place)).json()
    assert shown["channels"] == ["email"]
    assert shown["chosen"] is False


@pytest.mark.parametrize("channels", [[], ["webhook"], ["email", "webhook"]])
async def test_what_was_chosen_is_read_back(
    client: httpx.AsyncClient, place: str, channels: list[str]
):
    answer = await client.put(place, json={"channels": channels}, headers={"Prefer": "wait=20"})
    assert answer.status_code == 200
    assert answer.headers["location"] == place
    shown = (await client.get(place)).json()
    assert shown == {"customer_id": place.split("/")[2], "channels": channels, "chosen": True}


async def test_the_last_choice_counts(client: httpx.AsyncClient, place: str):
    for channels in ([], ["webhook"], ["email"]):
        answer = await client.put(place, json={"channels": channels})
        assert answer.status_code == 202
    assert (await client.get(place)).json()["channels"] == ["email"]


async def test_the_same_key_is_the_same_wish(client: httpx.AsyncClient, handed: Handed, place: str):
    key = {"Idempotency-Key": place}
    answers = [await client.put(place, json={"channels": []}, headers=key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert len(handed.sent) == 1
    other = await client.put(place, json={"channels": ["email"]}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "body", [{}, {"channels": ["pigeon"]}, {"channels": "email"}, {"channels": [], "more": 1}]
)
async def test_what_is_no_choice_is_refused(
    client: httpx.AsyncClient, handed: Handed, place: str, body: object
):
    answer = await client.put(place, json=body)
    assert answer.status_code == 422
    assert handed.sent == []
