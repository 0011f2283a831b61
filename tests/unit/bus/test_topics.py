"""What is asked of Kafka on a connection that is opened for it."""

import asyncio
import gc
import socket

import pytest

from bus.topics import offsets


async def test_who_gives_up_waiting_for_an_answer_leaves_nothing_open(
    caplog: pytest.LogCaptureFixture,
):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), offsets(f"127.0.0.1:{silent.getsockname()[1]}"):
                raise AssertionError("nobody answers there")
        gc.collect()
    assert "Unclosed" not in caplog.text
