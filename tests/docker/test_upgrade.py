"""From the last release to this code: the schema first, while the old processes still run."""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.compose import ROOT, Compose, new_image, new_project
from tests.acceptance.load import Load
from tests.acceptance.shop import Shop
from tests.acceptance.wait import until

SETTLED_SECONDS = 90


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], check=False, capture_output=True, cwd=ROOT)
    return done.stdout if done.returncode == 0 else b""


@pytest.fixture
def before(_compose: None, tmp_path: Path) -> Iterator[Compose]:
    """The last release as it was tagged: its own image, compose file and schema."""
    tag = _git("describe", "--tags", "--abbrev=0", "--match", "v*").decode().strip()
    if not tag:
        pytest.skip("no release is tagged here: there is nothing to upgrade from")
    root = tmp_path / "release"
    with tarfile.open(fileobj=io.BytesIO(_git("archive", tag))) as archive:
        archive.extractall(root, filter="data")
    with new_project(root=root, image=new_image("last-release")) as project:
        yield project


def test_the_schema_is_migrated_while_old_processes_run_and_no_order_is_lost(before: Compose):
    project = before
    shop = Shop(project.url)
    with closing(shop.http):
        old = shop.delivered(shop.place((shop.book(4), 1))["order_id"])
        load = Load(shop)
        load.start()
        load.places_another()
        released = project.image
        project.root, project.image = ROOT, new_image()
        project.build()
        project.run("run", "--rm", "--no-deps", "-T", "migrate", seconds=120)
        after = load.places_another()  # taken in by old processes on the new schema
        shop.becomes(after, lambda order: order["status"] == "confirmed", SETTLED_SECONDS)
        project.up()
        load.places_another()
        load.stop()
        images = {each["Config"]["Image"] for each in project.containers().values()}
        assert released not in images
        until(project.is_healthy, SETTLED_SECONDS)
        for order_id in load.accepted:
            shop.delivered(order_id)
        assert shop.order(old["order_id"])["totals"] == old["totals"]
        said = project.quire("audit", "verify", "--json", "--settle-seconds", "0")
        assert said.json["findings"] == []
