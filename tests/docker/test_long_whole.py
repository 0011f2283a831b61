"""The whole stack at work: measured, hurt, given a history, and with three of one agent."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.compose import Compose
from tests.acceptance.load import Load
from tests.acceptance.shop import Shop
from tests.acceptance.wait import until

pytestmark = pytest.mark.long

HISTORY = """\
src_seq,invoice_no,stock_code,description,quantity,invoice_ts,unit_price,customer_id,country
1,536365,85123A,HANGING HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
2,536365,71053,METAL LANTERN,6,2010-12-01 08:26:00,3.39,17850,United Kingdom
3,C536391,71053,METAL LANTERN,-2,2010-12-09 10:24:00,3.39,17850,United Kingdom
"""
BACK_SECONDS = 90
ORDER = "worker-order"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real one, where its path is told; three lines of it otherwise."""
    told = os.environ.get("QUIRE_UCI_HISTORY")
    if told:
        return Path(told)
    file = tmp_path_factory.mktemp("history") / "orders.csv"
    file.write_text(HISTORY)
    return file


def test_the_processes_of_each_container_are_measured_under_load(project: Compose):
    words = ("--rate", "20", "--for", "10s", "--json")
    said = project.quire("bench", "--compose", project.project, *words, seconds=180)
    assert said.code == 0, said.out + said.err
    assert said.json["done"] == said.json["accepted"] > 0
    assert said.json["cpu_ms"].keys() >= {"kafka", "postgres", "relay", "projector", ORDER}
    assert said.json["cpu_ms"][ORDER] > 0


def test_history_comes_in_once_by_a_container_or_from_this_machine(project: Compose, history: Path):
    inside = f"/tmp/history{''.join(history.suffixes)}"
    mount = ("--volume", f"{history}:{inside}:ro")
    words = ("quire", "import", "--format", "uci", "--json", inside)
    imported = json.loads(project.run("run", "--rm", "-T", *mount, *words, seconds=300))
    assert imported["orders"] > 0
    again = project.quire("import", "--format", "uci", "--json", str(history), seconds=300)
    assert (again.code, again.json["orders"]) == (0, 0), again.err
    verified = project.quire("audit", "verify", "--json", "--settle-seconds", "60", seconds=180)
    assert (verified.code, verified.json["findings"]) == (0, [])
    compared = project.quire("projections", "compare", "--json", seconds=180)
    assert compared.json["differences"] == 0


def test_whatever_is_killed_paused_or_disconnected_nothing_is_lost_and_nothing_done_twice(
    project: Compose,
):
    words = ("--for", "60s", "--seed", "3", "--settle", "240s", "--json")
    said = project.quire("faults", "--compose", project.project, *words, seconds=600)
    report = said.json
    # How soon each is back depends on the machine; no test asserts a time.
    found = [one for one in report["findings"] if one["code"] != "slow_recovery"]
    assert (found, report["lost"], report["twice"]) == ([], 0, 0)
    assert report["orders"] > 0
    assert report["done"].keys() >= {"kill", "freeze", "disconnect"}


def test_two_of_three_go_on_when_one_is_killed(project: Compose, shop: Shop):
    three = f"{ORDER}=3"
    project.up("--scale", three)
    load = Load(shop)
    load.start()
    try:
        load.places_another()
        killed = project.container(f"{ORDER}-2")
        project.engine("kill", killed)  # the engine takes that for our wish: it stays away
        order = load.places_another()
        shop.becomes(order, lambda seen: seen["status"] == "confirmed", BACK_SECONDS)
        assert _standing(project) == {"running": 2, "exited": 1}
        project.up("--scale", three)
        assert _standing(project) == {"running": 3}
        load.places_another()
    finally:
        load.stop()
    until(project.is_healthy, BACK_SECONDS)
    for order in load.accepted:
        shop.delivered(order)
    shop.has_level(load.sku, load.stock - load.units * len(load.accepted), 0)


def _standing(project: Compose) -> Counter[str]:
    """What the agent's containers do, and how many of them."""
    told = project.containers()
    return Counter(each["State"]["Status"] for name, each in told.items() if ORDER in name)
