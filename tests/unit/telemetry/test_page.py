"""The page of a process that serves nothing else, over real HTTP."""

import asyncio

import httpx
import pytest

from telemetry import page, registry
from telemetry.registry import Figures

LAG = "quire_lag_messages"


async def fetched(figures: Figures, path: str = "/metrics", method: str = "GET") -> httpx.Response:
    async with page.serving(figures, "127.0.0.1", 0) as port, httpx.AsyncClient() as client:
        return await client.request(method, f"http://127.0.0.1:{port}{path}")


async def test_it_tells_what_was_counted_and_what_the_process_uses():
    figures = Figures()
    figures.counter("quire_messages_total").labels("order", "applied").inc(3)
    answer = await fetched(figures)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == page.TYPE
    assert 'quire_messages_total{agent="order",result="applied"} 3.0\n' in answer.text
    assert "process_cpu_seconds_total" in answer.text


async def test_what_is_asked_is_asked_for_each_page_and_only_then():
    figures = Figures()
    asked = 0

    async def ask() -> None:
        nonlocal asked
        asked += 1
        figures.gauge(LAG).labels("order").set(asked)

    figures.asked(ask, LAG)
    assert asked == 0
    for times in (1, 2):
        assert f'{LAG}{{agent="order"}} {times}.0\n' in (await fetched(figures)).text


@pytest.mark.parametrize("hangs", [False, True], ids=["fails", "hangs"])
async def test_what_does_not_answer_is_missing_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, *, hangs: bool
):
    monkeypatch.setattr(registry, "ASK_SECONDS", 0.05)
    figures = Figures()
    figures.gauge(LAG).labels("order").set(7)
    figures.counter("quire_relay_facts_total").inc()

    async def ask() -> None:
        if hangs:
            await asyncio.Event().wait()
        raise OSError

    figures.asked(ask, LAG)
    text = (await fetched(figures)).text
    assert "quire_relay_facts_total 1.0" in text
    assert f"{LAG}{{" not in text


async def test_anything_else_is_not_there():
    assert (await fetched(Figures(), "/")).status_code == 404
    assert (await fetched(Figures(), method="POST")).status_code == 405


async def test_a_port_that_is_taken_stops_nobody(caplog: pytest.LogCaptureFixture):
    async with (
        page.serving(Figures(), "127.0.0.1", 0) as port,
        page.serving(Figures(), "127.0.0.1", port) as second,
    ):
        assert second == 0
    assert f"no page of metrics at 127.0.0.1:{port}" in caplog.text


@pytest.mark.parametrize(
    ("ask", "name"),
    [("counter", LAG), ("gauge", "process_resident_memory_bytes"), ("gauge", "quire_unknown")],
)
def test_only_what_stands_in_the_table_can_be_counted(ask: str, name: str):
    with pytest.raises(KeyError):
        getattr(Figures(), ask)(name)
