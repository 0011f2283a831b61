"""The partition of a key, as Kafka's own clients and Knative choose it (murmur2)."""

from functools import lru_cache
from struct import unpack_from

_SEED = 0x9747B28C
_MIX = 0x5BD1E995
_32_BITS = 0xFFFFFFFF


def partition_of(key: bytes, count: int) -> int:
    """The place of `key` among `count` partitions."""
    return (murmur2(key) & 0x7FFFFFFF) % count


@lru_cache(maxsize=65_536)  # an order's key comes back with each of its messages
def murmur2(data: bytes) -> int:
    """MurmurHash2 of 32 bits with Kafka's seed."""
    length = len(data)
    whole = length // 4
    value = _SEED ^ length
    for word in unpack_from(f"<{whole}I", data):
        mixed = (word * _MIX) & _32_BITS
        mixed = ((mixed ^ (mixed >> 24)) * _MIX) & _32_BITS
        value = ((value * _MIX) & _32_BITS) ^ mixed
    rest = data[whole * 4 :]
    if rest:
        value = ((value ^ int.from_bytes(rest, "little")) * _MIX) & _32_BITS
    value = ((value ^ (value >> 13)) * _MIX) & _32_BITS
    return value ^ (value >> 15)
