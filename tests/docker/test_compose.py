"""The compose file, built and started: orders live through a stop, a restart and any kill."""

from collections.abc import Iterator

import pytest

from tests.acceptance.compose import Compose
from tests.acceptance.load import Load
from tests.acceptance.shop import Shop
from tests.acceptance.wait import until
from tests.docker.logs import loud

CLEAN = (0, 143)  # ended by itself, or by the SIGTERM that it was sent
BACK_SECONDS = 90


@pytest.fixture(scope="module")
def old(shop: Shop) -> str:
    """An order that was delivered in the first of the stack's lives."""
    order_id: str = shop.place((shop.book(4), 1))["order_id"]
    return shop.delivered(order_id)["order_id"]


def test_a_clean_start_an_order_and_a_stop_leave_no_warning(project: Compose, old: str):
    project.run("stop", seconds=120)
    assert loud(project) == []
    ours = {
        name: each["State"]["ExitCode"]
        for name, each in project.containers().items()
        if each["Config"]["Image"] == project.image
    }
    assert {name: code for name, code in ours.items() if code not in CLEAN} == {}


def test_what_was_there_is_there_after_down_and_up(project: Compose, shop: Shop, old: str):
    project.run("down", seconds=120)  # the volumes stay
    project.up()
    assert shop.order(old)["fulfilment"] == "delivered"
    shop.delivered(shop.place((shop.book(4), 2))["order_id"])


def test_the_command_line_works_in_a_container(project: Compose, shop: Shop):
    def quire(*words: str) -> str:
        return project.run("run", "--rm", "-T", "quire", *words)

    placed = quire("order", "place", "--demo", "--email", "ada@orchard.example", "--wait", "20")
    assert "confirmed" in placed
    newest = shop.get("/orders", limit=1)["orders"][0]["order_id"]
    assert newest in quire("order", "list", "--json")
    until(lambda: newest in quire("mail", "list", "--json"), 30)


@pytest.fixture(scope="module")
def load(project: Compose, shop: Shop) -> Iterator[Load]:
    until(project.is_healthy, BACK_SECONDS)
    running = Load(shop)
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize("name", ["worker-order", "relay", "kafka", "postgres"])
def test_a_killed_container_comes_back(project: Compose, shop: Shop, load: Load, name: str):
    killed = project.kill(name)
    until(killed.is_back, BACK_SECONDS)
    accepted = load.places_another()
    shop.becomes(accepted, lambda order: order["status"] == "confirmed", BACK_SECONDS)


def test_nothing_was_lost_and_nothing_done_twice(project: Compose, shop: Shop, load: Load):
    load.stop()
    until(project.is_healthy, BACK_SECONDS)
    for order_id in load.accepted:
        shop.delivered(order_id)
    shop.has_level(load.sku, load.stock - load.units * len(load.accepted), 0)
    assert project.quire("parked", "list", "--json").lines == []
    for words in (("verify",), ("reconcile",)):
        said = project.quire("audit", *words, "--json", "--settle-seconds", "0")
        assert said.code == 0, said.out
