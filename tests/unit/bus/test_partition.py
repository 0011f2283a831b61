"""Our partitions are Kafka's: known hashes of the Java client, and aiokafka's own partitioner."""

from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from bus.partition import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "signed"),  # from the tests of Kafka's Java client
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_hashes_as_the_java_client_does(key: bytes, signed: int):
    assert murmur2(key) == signed & 0xFFFFFFFF


@given(st.binary(max_size=100), st.integers(min_value=1, max_value=64))
def test_chooses_as_aiokafka_does(key: bytes, count: int):
    choose: Any = DefaultPartitioner()
    theirs = choose(key, list(range(count)), list(range(count)))
    assert theirs == partition_of(key, count)
