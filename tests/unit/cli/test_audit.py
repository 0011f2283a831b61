"""What `quire audit verify` takes from the provider's ledger."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from cli.audit import _paid  # pyright: ignore[reportPrivateUsage] the reading alone
from gateways.ledger import Entry
from store.invariants import Paid


def test_an_order_that_the_provider_touched_just_now_is_left_alone_whole(tmp_path: Path):
    """Its first entry is old, so the log may long have it and be untouched since."""
    now = datetime.now(UTC)
    entries = [
        Entry("k1", "authorize", "old", 900, "EUR", "approved", "r", now - timedelta(hours=1)),
        Entry("k2", "authorize", "fresh", 900, "EUR", "approved", "r", now - timedelta(hours=1)),
        Entry("k3", "capture", "fresh", 900, "EUR", "approved", "r", now),
    ]
    book = tmp_path / "ledger.jsonl"
    book.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in entries))
    assert _paid(book, 60) == {"old": Paid(900), "fresh": None}
