"""All that a poll brings from a partition goes through Faust as one message, its run."""

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

from faust.transport.consumer import Consumer
from faust.types import TP

from streams.faustapp import FencedConsumer, batched
from tests.integration.hand import Record

ONE, TWO = TP("topic", 1), TP("topic", 2)


def run(partition: int, first: int, last: int) -> list[Record]:
    return [Record(partition, offset, b"k", b"v") for offset in range(first, last + 1)]


def consumer() -> Any:
    made: Any = object.__new__(FencedConsumer)
    made.app = SimpleNamespace(consumer_generation_id=3)
    made._acked = defaultdict(list)
    made._acked_index = defaultdict(set)
    return made


async def test_a_poll_becomes_one_message_a_partition(monkeypatch: Any):
    polled = {ONE: run(1, 4, 6), TWO: [], TP("topic", 3): run(3, 0, 0)}

    async def poll(self: Any, timeout: float) -> Any:  # noqa: ASYNC109 Faust's own signature
        return polled, {ONE}

    monkeypatch.setattr(Consumer, "_wait_next_records", poll)
    runs, active = await consumer()._wait_next_records(1.0)
    assert runs == {ONE: [polled[ONE]], TP("topic", 3): [polled[TP("topic", 3)]]}
    assert active == {ONE}


def test_a_run_stands_at_its_last_record():
    message = consumer()._to_message(ONE, run(1, 4, 6))
    assert (message.tp, message.partition, message.offset) == (ONE, 1, 6)
    assert [record.offset for record in message.value] == [4, 5, 6]
    assert message.generation_id == 3


def test_what_is_acknowledged_is_done_to_its_end_and_told_once():
    one = consumer()
    assert one._new_offset(ONE) is None
    for offset in (6, 9):  # the ends of two runs
        one._acked[ONE].append(offset)
        one._acked_index[ONE].add(offset)
    assert one._new_offset(ONE) == 10
    assert one._new_offset(ONE) is None
    assert not one._acked_index[ONE]


def test_batches_keep_the_order_and_have_an_end():
    records = run(1, 0, 4)
    assert batched(records, 2) == [records[:2], records[2:4], records[4:]]
    assert batched([], 2) == []
