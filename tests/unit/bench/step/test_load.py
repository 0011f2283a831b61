"""The steps of a load: their moments, what they ask for, and whom."""

import asyncio
import gc
from contextlib import suppress

import msgspec
import pytest
from click.testing import CliRunner

from bench.http_load import header
from bench.step.load import BOOKS, STEPS, Second, baskets, load, main, moments, steps_of
from stack.ports import free_in_a_row


def test_steps_are_read():
    assert steps_of("5:10s, 200:60") == [(5, 10), (200, 60)]
    assert steps_of(STEPS)[1] == (200, 60)


@pytest.mark.parametrize("text", ["", "5", "5:0s", "0:5s", "5:5s,", "-1:5s", "5:5m"])
def test_what_are_no_steps_is_refused(text: str):
    with pytest.raises(ValueError, match="no row of steps"):
        steps_of(text)


def test_each_step_has_its_rate_and_its_time():
    due = moments([(5, 20), (200, 10)], "run")
    assert due == sorted(due)
    assert due[-1] < 30
    slow = sum(at < 20 for at in due)
    assert 60 < slow < 150
    assert 1_700 < len(due) - slow < 2_300


def test_baskets_are_of_the_books_that_are_stocked():
    made = baskets(500, "run")
    assert len(made) == 500
    for basket in made:
        skus = [sku for sku, _ in basket]
        assert len(set(skus)) == len(skus)
        assert all(0 <= int(sku.removeprefix("step-")) < BOOKS for sku in skus)
    assert {len(basket) for basket in made} == {1, 2}


def test_a_load_without_an_api_is_one_line():
    url = f"http://127.0.0.1:{free_in_a_row(1)}"
    done = CliRunner().invoke(main, ["--url", url, "--steps", "1:1s"])
    assert done.exit_code == 3
    [line] = done.output.splitlines()
    assert url in line


async def _take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An API that takes whatever it is asked."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            await reader.readexactly(int(header(head, b"content-length") or 0))
            writer.write(
                b"HTTP/1.1 201 Created\r\nLocation: /orders/o\r\nContent-Length: 0\r\n\r\n"
            )
    writer.close()


async def test_the_last_second_is_told_too(capsys: pytest.CaptureFixture[str]):
    server = await asyncio.start_server(_take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        done = await load(f"http://127.0.0.1:{port}", "shop", [(100, 1.3)])
    finally:
        gc.unfreeze()
        server.close()
    lines = capsys.readouterr().out.splitlines()
    told = [msgspec.json.decode(line, type=Second) for line in lines]
    assert [second.at for second in told] == list(range(len(told)))
    assert sum(second.accepted for second in told) == done.accepted == done.offered > 0
    assert sum(second.offered for second in told) == done.offered
