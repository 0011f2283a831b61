"""The `quire` command: data on stdout, the rest on stderr, shapes and exit codes that stay."""

import json
from uuid import uuid4

from domain.catalog import CONTEXTS
from tests.acceptance.laptop import Laptop
from tests.acceptance.shop import PRICE, Shop
from tests.acceptance.stack import Said, Stack, quire

AXES = {"order_id", "status", "payment", "fulfilment"}


def ask(shop: Shop, *words: str) -> Said:
    """A verb that speaks HTTP alone."""
    return quire(*words, url=shop.url)


def test_an_order_is_placed_shown_listed_and_cancelled(shop: Shop):
    sku, customer = shop.book(9), f"c-{uuid4().hex[:8]}"
    placed = ask(
        shop, "order", "place", "--sku", sku, "--qty", "3", "--customer", customer,
        "--card", "tok_decline_insufficient", "--wait", "20", "--json",
    )  # fmt: skip
    assert (placed.code, placed.err) == (0, "")
    assert placed.json.keys() >= AXES
    assert placed.json["status"] == "awaiting_payment"
    order_id = placed.json["order_id"]
    assert ask(shop, "order", "show", order_id, "--json").json == shop.order(order_id)
    [listed] = ask(shop, "order", "list", "--customer", customer, "--json").lines
    assert listed["order_id"] == order_id
    a_part = ask(shop, "order", "cancel", order_id, "--line", "1:2", "--wait", "20", "--json")
    assert a_part.json["totals"]["cancelled"] == 2 * PRICE
    paid = ask(shop, "order", "pay", order_id, "--wait", "20", "--json")
    assert paid.json["status"] == "confirmed"
    text = ask(shop, "order", "show", order_id).out
    assert order_id in text
    assert "2 cancelled" in text


def test_the_demo_order_is_confirmed(shop: Shop, stack: Stack):
    placed = ask(shop, "order", "place", "--demo", "--wait", "20", "--json")
    assert (placed.code, placed.json["status"]) == (0, "confirmed")
    assert len(placed.json["lines"]) == 2


def test_stock_is_received_adjusted_and_shown(shop: Shop):
    sku = shop.book(2)
    assert ask(shop, "stock", "receive", sku, "5", "--wait", "20", "--json").json["on_hand"] == 7
    adjusted = ask(shop, "stock", "adjust", sku, "-3", "--reason", "lost", "--wait", "20", "--json")
    assert adjusted.json["on_hand"] == 4
    [shown] = ask(shop, "stock", "show", sku, "--json").lines
    assert (shown["sku"], shown["on_hand"], shown["available"]) == (sku, 4, 4)
    assert sku in {each["sku"] for each in ask(shop, "stock", "show", "--json").lines}


def test_failures_are_told_by_code(shop: Shop):
    missing = ask(shop, "order", "show", "none", "--json")
    assert (missing.code, missing.json["error"]["code"]) == (4, "order_not_found")
    unknown = ask(shop, "order", "place", "--sku", "there-is-none", "--json")
    assert (unknown.code, unknown.json["error"]["code"]) == (5, "sku_unknown")
    assert unknown.json["error"].keys() == {"code", "message", "hint"}
    wrong = ask(shop, "order", "place", "--qty", "0", "--json")
    assert (wrong.code, wrong.json["error"]["code"]) == (2, "usage")
    far = quire("order", "list", "--json", url="http://127.0.0.1:1")
    assert (far.code, far.json["error"]["code"]) == (3, "not_reachable")
    spoken = ask(shop, "order", "show", "none")
    assert (spoken.code, spoken.out) == (4, "")
    assert "there is no order" in spoken.err


def test_tail_follows_an_order(shop: Shop):
    sku = shop.book(2)
    order_id = shop.place((sku, 1))["order_id"]
    told = shop.get(f"/orders/{order_id}/timeline")["facts"]
    begin = told[0]["position"] - 1
    tailed = ask(shop, "tail", "--order", order_id, "--after", str(begin), "--count", "3", "--json")
    assert tailed.code == 0
    assert [fact["position"] for fact in tailed.lines] == [fact["position"] for fact in told[:3]]


def test_replay_prints_the_facts_of_an_order_and_of_all(shop: Shop, stack: Stack):
    sku = shop.book(2)
    order_id = shop.delivered(shop.place((sku, 1))["order_id"])["order_id"]
    told = {fact["position"]: fact for fact in shop.get(f"/orders/{order_id}/timeline")["facts"]}
    replayed = stack.quire("replay", "--order", order_id, "--json").lines
    for fact in replayed:
        assert json.loads(fact["text"]) == fact["data"]
        assert len(fact["hash"]) == 64
    printed = {fact["position"]: fact["data"] for fact in replayed}
    assert printed.items() >= {position: fact["data"] for position, fact in told.items()}.items()
    since = str(min(told))
    everything = stack.quire("replay", "--all", "--from-position", since, "--json").lines
    assert {fact["id"] for fact in everything} >= {fact["id"] for fact in replayed}
    assert stack.quire("replay", "--order", "none", "--json").code == 4


def test_status_names_every_process_with_its_lag(laptop: Laptop):
    said = laptop.quire("status", "--json")
    assert (said.code, said.json["healthy"]) == (0, True)
    processes = {each["name"]: each for each in said.json["processes"]}
    workers = {f"worker-{each}" for each in (*CONTEXTS, "dead-letters")}
    assert processes.keys() == workers | {
        "postgres", "kafka", "provider", "mail", "relay", "projector", "timers", "sealer", "api",
        "intake", "source",
    }  # fmt: skip
    for name, each in processes.items():
        assert each["state"] == "ready", name
        assert each["pid"] > 0
    for name in workers | {"relay", "projector", "sealer", "timers"}:
        assert processes[name]["lag"].keys() == {"records", "seconds"}, name
    assert "healthy at" in laptop.quire("status").out


def test_the_doctor_finds_nothing_and_the_versions_are_told(laptop: Laptop):
    said = laptop.quire("doctor", "--json", "--port-base", str(laptop.port_base))
    assert (said.code, said.out) == (0, ""), said.out
    versions = laptop.quire("version", "--json")
    assert versions.json.keys() >= {"quire", "python"}


def test_a_second_stack_on_the_same_state_is_refused(laptop: Laptop):
    again = laptop.quire("up", "--detach", "--port-base", str(laptop.port_base + 50))
    assert (again.code, again.out) == (5, "")
    assert "already runs" in again.err
