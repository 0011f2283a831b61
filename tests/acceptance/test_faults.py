"""`quire faults --only-check` finds what is broken, and names it."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from gateways.ledger import Entry, read_ledger
from tests.acceptance.laptop import Laptop
from tests.acceptance.shop import Shop
from tests.acceptance.wait import until

NOBODY = "never-ordered"
LOSE = "update order_view set document = replace(document, 'delivered', 'lost') where order_id = %s"
FIND = "update order_view set document = replace(document, 'lost', 'delivered') where order_id = %s"
ADD = "update stock_level set on_hand = on_hand + 1 where sku = %s"
TAKE = "update stock_level set on_hand = on_hand - 1 where sku = %s"
PARK = (
    "insert into parked"
    " (processor, topic, partition, key, command_id, kind, cause, error, headers, parked_at)"
    " values ('quire-order', 'quire.order.commands', 0, %s, gen_random_uuid(), 'k',"
    " 'cannot_decide', 'e', '[]', now())"
)
FORGET = "delete from parked where key = %s"
CHECK = ("faults", "--only-check", "--settle", "60s", "--json")


@contextmanager
def with_rows(dsn: str, do: str, undo: str, *values: object) -> Generator[None]:
    """Change rows behind everybody's back, and change them back."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        assert conn.execute(do.encode(), values).rowcount == 1
        try:
            yield
        finally:
            conn.execute(undo.encode(), values)


@contextmanager
def with_file(path: Path, text: bytes) -> Generator[None]:
    path.write_bytes(text)
    try:
        yield
    finally:
        path.unlink()


@contextmanager
def with_entry(laptop: Laptop) -> Generator[None]:
    """A capture in the provider's ledger of which the log knows nothing."""
    file = laptop.root / "provider" / "ledger.jsonl"
    before = file.read_bytes()
    first = next(read_ledger(file))
    forged = msgspec.structs.replace(
        first,
        key="forged",
        order_id=NOBODY,
        step="capture",
        outcome="approved",
        subject="p-1",
        at=first.at - timedelta(hours=1),  # what is fresh may be under way
    )
    file.write_bytes(before + msgspec.json.encode(forged) + b"\n")
    try:
        yield
    finally:
        own = [line for line in file.read_bytes().splitlines(keepends=True) if not _of(line)]
        file.write_bytes(b"".join(own))
        killed = laptop.kill("provider")  # it remembers how far it has read
        until(killed.is_back, 60, lambda: laptop.status)


def _of(line: bytes) -> bool:
    return msgspec.json.decode(line, type=Entry).order_id == NOBODY


def test_it_names_what_was_broken_and_nothing_when_all_is_well(shop: Shop, laptop: Laptop):
    sku = shop.book(5)
    contact = {"name": "A. Reader", "email": "reader@example.org"}
    order_id: str = shop.place((sku, 2), contact=contact)["order_id"]
    shop.delivered(order_id)
    both = {"lines": [{"line": 1, "quantity": 2}]}
    torn = both | {"unsellable": [{"line": 1, "quantity": 1}]}
    for path, body in (("return", both), ("returns/1/approve", {}), ("returns/1/receive", torn)):
        assert shop.post(f"/orders/{order_id}/{path}", body).status_code == 200
    said = laptop.quire(*CHECK, seconds=120)  # waits until all has settled
    assert (said.json["findings"], said.code) == ([], 0)
    owner = laptop.servers.postgres_owner_dsn
    with ExitStack() as broken:
        for do, undo, value in ((LOSE, FIND, order_id), (ADD, TAKE, sku), (PARK, FORGET, NOBODY)):
            broken.enter_context(with_rows(owner, do, undo, value))
        broken.enter_context(with_file(laptop.root / "mail" / "0123.eml", b"Subject: hello\n\n"))
        broken.enter_context(with_entry(laptop))
        said = laptop.quire(*CHECK, seconds=120)
    assert said.code == 1
    report: dict[str, Any] = said.json
    assert not report["ok"]
    found = {(one["code"], one["subject"]) for one in report["findings"]}
    assert found >= {
        ("view_differs", f"orders {order_id}"),
        ("stock_differs", sku),
        ("mail_without_fact", "0123"),
        ("only_at_provider", NOBODY),
    }
    assert any(one["code"] == "parked" and NOBODY in one["detail"] for one in report["findings"])


def test_it_leaves_a_running_stack_alone_unless_told(laptop: Laptop):
    said = laptop.quire("faults", "--for", "1s", "--state-dir", str(laptop.root), "--json")
    assert said.json["error"]["code"] == "already_running"
    assert said.code == 5
    assert all(each["state"] == "ready" for each in laptop.status["processes"])


def test_the_plan_follows_from_the_seed(laptop: Laptop):
    words = ("faults", "--dry-run", "--for", "60s", "--json")
    one, again, other = (laptop.quire(*words, "--seed", seed).out for seed in ("5", "5", "6"))
    assert one == again != other
    assert '"kill"' in one
