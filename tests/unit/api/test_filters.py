"""A filter that no order can fit is named, with those that are known, before anything is read."""

import httpx
import pytest
from pydantic import SecretStr

from api.app import create_app
from api.settings import Settings


@pytest.mark.parametrize(
    ("asked", "detail", "known"),
    [
        ("needs=nonsense", "there is no such need: nonsense", "attention, label, message, money"),
        ("status=misspelt", "no order has this status", "confirmed"),
    ],
)
async def test_a_filter_that_is_not_known_is_named(asked: str, detail: str, known: str):
    nowhere = Settings(postgres_dsn=SecretStr("postgresql://127.0.0.1:1/x"), kafka="127.0.0.1:1")
    app = create_app(nowhere)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        answer = await client.get(f"/orders?{asked}")
    problem = answer.json()
    assert (answer.status_code, problem["detail"]) == (422, detail)
    assert known in problem["hint"]
