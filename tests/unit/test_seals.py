"""The tree under a seal, and what its signature covers."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from store.seals import leaf, merkle_root, sign

KEY = Ed25519PrivateKey.generate()
AT = datetime(2026, 1, 2, tzinfo=UTC)


def recursive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 as it is written: split at the largest power of two below the count."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = recursive_root(leaves[:split]), recursive_root(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 31, 100])
def test_the_root_is_that_of_rfc_6962(count: int):
    leaves = [leaf(n, bytes([n])) for n in range(count)]
    assert merkle_root(leaves) == recursive_root(leaves)


def test_the_root_of_nothing():
    assert merkle_root([]) == sha256(b"").digest()


def test_a_leaf_is_bound_to_its_position():
    assert leaf(1, b"x") != leaf(2, b"x")


@pytest.mark.parametrize(
    "change",
    [
        {"number": 9}, {"first_position": 9}, {"last_position": 9}, {"events": 9},
        {"root": b"x"}, {"leaves": b"x"}, {"previous": b"x"},
        {"sealed_at": datetime(2026, 1, 3, tzinfo=UTC)}, {"signature": bytes(64)},
    ],
)  # fmt: skip
def test_the_signature_covers_everything(change: dict[str, Any]):
    first = sign(KEY, None, [(1, b"a"), (2, b"b")], AT)
    seal = sign(KEY, first, [(3, b"c")], AT)
    assert (seal.number, seal.previous) == (2, first.root)
    assert seal.is_signed_by(KEY.public_key())
    assert not seal._replace(**change).is_signed_by(KEY.public_key())
