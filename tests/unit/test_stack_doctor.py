"""The doctor names what is wrong, and says what mends it."""

import asyncio
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from time import time

import pytest

from stack import board, doctor
from stack.board import Board
from stack.errors import StackFault
from stack.layout import LOOPBACK, Layout
from stack.ports import free_in_a_row, require_free
from stack.processes import metrics_ports
from stack.settings import Settings
from stack.supervisor import Standing, State
from stack.up import Up


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout.at(tmp_path / "state")


def whats(layout: Layout, port_base: int | None = None) -> list[str]:
    base = port_base or free_in_a_row(9)
    return [finding.what for finding in doctor.examine(layout, base, Settings())]


def test_nothing_is_found_where_nothing_is_wrong(layout: Layout):
    assert whats(layout) == []


def test_a_taken_port_is_found_and_refused(layout: Layout):
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        assert f"port {port}, wanted for the API, is taken" in whats(layout, port)
        with pytest.raises(StackFault, match=f"port {port}"):
            require_free({"api": port})


@pytest.mark.parametrize(
    ("after", "name", "mend"),
    [(8, "the wall", "--port-base"), (9, "the metrics of relay", "QUIRE_METRICS_PORT")],
)
def test_a_taken_port_of_what_is_not_always_there_is_found(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, after: int, name: str, mend: str
):
    base = free_in_a_row(9 + len(metrics_ports(1)))
    monkeypatch.setenv("QUIRE_METRICS_PORT", str(base + 9))
    with socket.create_server((LOOPBACK, base + after)):
        [finding] = doctor.examine(layout, base, Settings())
    assert finding.what == f"port {base + after}, wanted for {name}, is taken"
    assert mend in finding.fix


def test_pages_of_metrics_on_the_stacks_own_ports_are_found_and_start_nothing(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
):
    base = free_in_a_row(9 + len(metrics_ports(1)))
    monkeypatch.setenv("QUIRE_METRICS_PORT", str(base))
    [finding] = doctor.examine(layout, base, Settings())
    assert finding.what == f"port {base} is wanted for the API and for the metrics of relay"
    assert "QUIRE_METRICS_PORT" in finding.fix
    said = list[str]()
    up = Up(layout, base, Settings(), said.append, said.append)
    with pytest.raises(StackFault) as fault:
        asyncio.run(up.run(lambda board: pytest.fail(str(board))))
    assert fault.value.code == "port_wanted_twice"
    assert said == []
    assert not layout.postgres.exists()


def test_a_way_to_sign_in_to_kafka_that_cannot_work_is_found(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("QUIRE_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    missing = "missing or not usable: QUIRE_KAFKA_USERNAME, QUIRE_KAFKA_PASSWORD"
    assert whats(layout) == [missing]
    monkeypatch.setenv("QUIRE_KAFKA_USERNAME", "relay")
    monkeypatch.setenv("QUIRE_KAFKA_PASSWORD", "secret")
    assert whats(layout) == ["QUIRE_KAFKA_SECURITY_PROTOCOL is for a Kafka of your own"]
    monkeypatch.setenv("QUIRE_KAFKA", "kafka:9092")
    assert whats(layout) == []


def test_a_clock_behind_its_own_logs_is_found(layout: Layout):
    log = layout.log("kafka")
    log.touch()
    os.utime(log, (time() + 3600, time() + 3600))
    [what] = whats(layout)
    assert what.startswith("the clock is behind")


def test_a_process_that_is_not_ready_is_found_with_its_log(layout: Layout):
    with board.holding(layout):
        ill = Standing("relay", State.WAITING, None, 3, datetime.now(UTC))
        board.write(layout, Board(1, 8080, datetime.now(UTC), processes=(ill,)))
        [finding] = doctor.examine(layout, 8080, Settings())
    assert finding.what == "relay is waiting (restarted 3 times)"
    assert str(layout.log("relay")) in finding.fix


def test_a_process_that_stopped_for_good_is_found_with_its_last_words(layout: Layout):
    layout.log("relay").write_text("12:00 CRITICAL quire: stopped for good: no topic x\nbye\n")
    with board.holding(layout):
        ill = Standing("relay", State.FAILED, None, 0, datetime.now(UTC))
        board.write(layout, Board(1, 8080, datetime.now(UTC), processes=(ill,)))
        [finding] = doctor.examine(layout, 8080, Settings())
    assert finding.what == "relay is failed (restarted 0 times): no topic x"


def test_a_disk_is_found_that_processes_complain_of_now(layout: Layout):
    log = layout.log("worker-order")
    log.write_text("12:00 WARNING order: the disk of Postgres is full, free some of it: no space\n")
    assert "the disk of Postgres is full" in whats(layout)
    os.utime(log, (time() - 3600, time() - 3600))
    assert whats(layout) == []


def test_a_full_disk_is_found(layout: Layout, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "LEAST_FREE_GB", 10.0**9)
    assert all("GB are free" in what for what in whats(layout))
