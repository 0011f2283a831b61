"""With TLS, users and rights: as quiet, as sound, and as open to the verbs of this machine."""

from collections.abc import Iterator

import pytest

from tests.acceptance.compose import Compose, Options, new_project
from tests.acceptance.shop import Shop
from tests.docker.logs import loud

pytestmark = pytest.mark.long

SECURE = ("docker-compose.yml", "deploy/compose/secure.yml")


@pytest.fixture(scope="module")
def project(_compose: None) -> Iterator[Compose]:
    with new_project(options=Options(files=SECURE)) as made:
        yield made


def test_a_clean_start_an_order_and_a_stop_leave_no_warning(project: Compose, shop: Shop):
    shop.delivered(shop.place((shop.book(4), 1))["order_id"])
    project.run("stop", seconds=120)
    assert loud(project) == []


def test_what_was_there_is_there_after_down_and_up(project: Compose, shop: Shop):
    project.run("down", seconds=120)
    project.up()
    [old] = shop.get("/orders", limit=1)["orders"]
    assert old["fulfilment"] == "delivered"


def test_a_load_comes_in_over_tls(project: Compose):
    words = ("--rate", "10", "--for", "5s", "--json")
    said = project.quire("bench", "--compose", project.project, *words, seconds=180)
    assert said.code == 0, said.out + said.err
    assert said.json["done"] == said.json["accepted"] > 0


def test_the_checks_of_a_fault_run_sign_in_as_well(project: Compose):
    words = ("--only-check", "--settle", "120s", "--json")
    said = project.quire("faults", "--compose", project.project, *words, seconds=300)
    assert (said.code, said.json["findings"]) == (0, [])
