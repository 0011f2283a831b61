"""The source on a real Kafka: what it sends, how long it tries, and what it repeats."""

import asyncio
import base64
import logging
import os
import signal
import sys
from asyncio.subprocess import Process
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from bus.clients import LARGEST_RECORD
from bus.event import PLAIN, read
from bus.topics import partition_counts
from stack.ports import free_ports
from stack.topics import ensure
from tests.integration.receiver import Came, Receiver, receiving
from tests.integration.relay_world import until
from tests.integration.source_world import BINARY, Bench

TopicMaker = Callable[[str, int], Awaitable[str]]


@pytest.fixture
async def bench(kafka: str, topics: TopicMaker) -> AsyncGenerator[Bench]:
    producer: Any = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    yield Bench(kafka, await topics("partner", 2), await topics("dead", 1), producer)
    await producer.stop()


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with receiving() as made:
        yield made


async def came(receiver: Receiver, count: int) -> list[Came]:
    async def enough() -> bool:
        return len(receiver.came) >= count

    await until(enough)
    return receiver.came


async def test_what_kafka_source_sends(bench: Bench, receiver: Receiver):
    """A CloudEvent in binary and in structured mode, a plain record, and one without a value."""
    await bench.put(b'{"a":1}', BINARY, key=b"k")
    await bench.put(
        b'{"specversion":"1.0","id":"S","source":"//s","type":"t","shop":7,"data":{"b": 2}}',
        [("content-type", b"application/cloudevents+json; charset=utf-8")],
    )
    await bench.put(b"\xff{", [("Owner-Mail", b"a@b"), *BINARY[:2]], key="ü".encode())
    await bench.put(None, key=b"o-1")
    async with bench.running(receiver.url):
        binary, structured, plain, empty = await came(receiver, 4)
    address = "/apis/v1/namespaces/local/kafkasources/shop"
    assert binary.body == b'{"a":1}'
    assert {name for name in binary.told if name.startswith("ce-")} == {
        "ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time", "ce-knativekafkapartition",
        "ce-knativekafkaoffset",
    }  # fmt: skip
    assert binary.told["ce-id"] == "A%201"
    assert binary.told["ce-source"] == "//shop/%C3%BC#1"
    assert binary.told["content-type"] == "application/json"
    assert structured.body == b'{"b": 2}'
    assert (structured.id, structured.told["ce-shop"]) == ("S", "7")
    assert structured.told["content-type"] == "application/json"
    assert plain.body == b"\xff{"
    assert {name: text for name, text in plain.told.items() if name.startswith("ce-")} == {
        "ce-specversion": "1.0",
        "ce-id": "partition:0/offset:2",
        "ce-source": f"{address}#{bench.topic}",
        "ce-type": PLAIN,
        "ce-subject": "partition:0#2",
        "ce-time": "2025-11-21T11:00:00.123Z",
        "ce-key": "%C3%BC",
        "ce-partitionkey": "%C3%BC",
        "ce-kafkaheaderownermail": "a@b",
        "ce-kafkaheaderceid": "A%201",
        "ce-kafkaheadercespecversion": "1.0",
        "ce-knativekafkapartition": "0",
        "ce-knativekafkaoffset": "2",
    }
    assert "content-type" not in plain.told
    assert (empty.body, empty.told["ce-type"]) == (b"", PLAIN)
    assert await bench.committed() == {0: 4}


async def test_a_partition_waits_for_its_first_and_others_go_on(bench: Bench, receiver: Receiver):
    receiver.answers["a-1"] = deque([503, 409, 429])
    for id in ("a-1", "a-2"):
        await bench.event(id)
    await bench.event("b-1", partition=1)
    async with bench.running(receiver.url, source_backoff_seconds=0.1):
        ids = [each.id for each in await came(receiver, 6)]
    assert [id for id in ids if id.startswith("a")] == ["a-1"] * 4 + ["a-2"]
    assert ids.index("b-1") < ids.index("a-2")
    assert await bench.dead() == []


@pytest.mark.parametrize(
    ("status", "tries"), [(422, 1), (400, 1), (302, 1), (409, 4), (404, 4), (500, 4)]
)
async def test_what_is_not_taken_is_a_dead_letter(
    bench: Bench, receiver: Receiver, status: int, tries: int
):
    receiver.answers["x"] = deque([status] * 10)
    headers = [(name, b"x" if name == "ce_id" else text) for name, text in BINARY]
    await bench.put(b'{"a":1}', [*headers, ("ce_partitionkey", b"pk")])
    await bench.event("y")
    async with bench.running(receiver.url):
        ids = [each.id for each in await came(receiver, tries + 1)]
    assert ids == ["x"] * tries + ["y"]
    [letter] = await bench.dead()
    assert (letter.key, letter.value) == (b"pk", b'{"a":1}')
    event = read(letter.headers, letter.value)
    assert event is not None
    told = event.attributes
    assert (told["id"], told["type"]) == ("x", "partner.order.v1")
    assert told["knativeerrordest"] == receiver.url
    assert told["knativeerrorcode"] == str(status)
    if status >= 400:
        assert told["reason"] == "as_told"
        assert base64.b64decode(told["knativeerrordata"]) == b"why"
    assert await bench.committed() == {0: 2}


async def test_nobody_listens_for_a_while(bench: Bench, caplog: pytest.LogCaptureFixture):
    async def tried() -> bool:
        return f"{bench.topic}/0/0 waits: -1 no_connection" in caplog.text

    caplog.set_level(logging.INFO, "quire.source")
    [port] = free_ports(1)
    await bench.event("early")
    async with bench.running(f"http://127.0.0.1:{port}/events", source_retries=100):
        await until(tried)
        async with receiving(port) as receiver:
            assert [each.id for each in await came(receiver, 1)] == ["early"]


async def start(bench: Bench, sink: str, *words: str) -> Process:
    """The process itself."""
    environment = {
        f"QUIRE_{name.upper()}": str(value)
        for name, value in bench.settings(sink).model_dump().items()
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "run", "source", *words),
        env={**os.environ, **environment},
        stderr=asyncio.subprocess.PIPE,
    )


async def test_of_one_type_alone_and_the_rest_is_passed_over(bench: Bench, receiver: Receiver):
    await bench.event("A 1")
    await bench.put(b"plain")
    await bench.event("A 2", data=b"{}")
    await bench.put(b"plain")
    async with bench.running(receiver.url, source_type="partner.order.v1"):
        assert [each.id for each in await came(receiver, 2)] == ["A%201", "A%202"]

        async def passed_over() -> bool:
            return (await bench.committed()).get(0) == 4

        await until(passed_over)
    assert len(receiver.came) == 2


async def test_killed_between_post_and_commit_it_repeats_and_skips_nothing(
    bench: Bench, receiver: Receiver
):
    await ensure(bench.kafka)
    receiver.go.clear()
    for n in range(3):
        await bench.event(f"e-{n}")
    process = await start(bench, receiver.url, bench.topic)
    await came(receiver, 1)
    receiver.go.set()
    await came(receiver, 3)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert await bench.committed() == {}
    async with bench.running(receiver.url):
        ids = [each.id for each in await came(receiver, 6)]
    assert ids == ["e-0", "e-1", "e-2"] * 2
    assert await bench.committed() == {0: 3}


async def test_sigterm_lets_it_finish_and_says_how_far_it_came(bench: Bench, receiver: Receiver):
    await ensure(bench.kafka)
    receiver.go.clear()
    for n in range(3):
        await bench.event(f"e-{n}")
    process = await start(bench, receiver.url, bench.topic)
    await came(receiver, 1)
    process.terminate()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await process.wait()
    receiver.go.set()
    await process.communicate()
    assert process.returncode == 0
    assert [each.id for each in receiver.came] == ["e-0"]
    assert await bench.committed() == {0: 1}


async def test_a_topic_that_is_not_there_needs_a_person(bench: Bench, receiver: Receiver):
    process = await start(bench, receiver.url, "partner.none")
    async with asyncio.timeout(20):
        _, told = await process.communicate()
    assert process.returncode == 78
    assert b"there is no topic partner.none" in told
    assert (await partition_counts(bench.kafka, ["partner.none"])) == {"partner.none": 0}


async def test_what_is_too_large_for_a_dead_letter_holds_nobody_up(
    bench: Bench, receiver: Receiver
):
    """Compressed it fits its own topic, and our copy would not."""
    receiver.answers["x"] = deque([422])
    headers = [(name, b"x" if name == "ce_id" else text) for name, text in BINARY]
    await bench.put_compressed(b" " * (LARGEST_RECORD + 1), headers)
    await bench.event("y")
    async with bench.running(receiver.url):
        assert [each.id for each in await came(receiver, 2)] == ["x", "y"]
    [letter] = await bench.dead()
    assert letter.value == b""
    event = read(letter.headers, letter.value)
    assert event is not None
    told = event.attributes
    assert (told["id"], told["knativekafkaoffset"]) == ("x", "0")
    assert (told["knativeerrorcode"], told["reason"]) == ("422", "too_large")
    assert await bench.committed() == {0: 2}
