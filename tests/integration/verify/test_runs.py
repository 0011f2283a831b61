"""The log is sealed and read in runs, by one sealer and by several readers."""

import os
import signal
from pathlib import Path

import pytest

from store import rawlog, seals
from store import verify as verifying
from store.connect import connect
from store.processes import ProcessLost
from store.sealkey import signing_key, verifying_key
from tests.integration.verify.world import Log, a_sale, with_three_sales


@pytest.mark.parametrize("step", [1, 2, 5, 7])
async def test_ranges_are_joined_where_they_meet(
    log: Log, monkeypatch: pytest.MonkeyPatch, step: int
):
    monkeypatch.setattr(rawlog, "STEP", step)
    await with_three_sales(log)
    await log.append(*a_sale("d"), seal=False)
    report = log.verify()
    assert report.ok, report.findings
    assert (report.events, report.seals) == (21, 2)
    log.tamper(
        "update event set data = replace(data::text, 'ref', 'ref2')::json"
        f" where position in ({log.first + 3}, {log.first + 18})",
        f"delete from event where position = {log.first + 11}",
    )
    assert log.codes() == {("hash_differs", 4), ("deleted", 12), ("hash_differs", 19)}


async def test_other_processes_find_the_same(log: Log):
    await with_three_sales(log)
    assert log.verify(processes=3).ok
    log.tamper(f"update event set causation = id where position = {log.first + 7}")
    assert log.verify(processes=3).findings == log.verify().findings
    assert log.verify(processes=3).first_bad_position == log.first + 7


def killed(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def test_a_process_that_is_lost_is_no_sound_log(log: Log, monkeypatch: pytest.MonkeyPatch):
    await with_three_sales(log)
    monkeypatch.setattr(verifying, "keep_books", killed)
    with pytest.raises(ProcessLost):
        log.verify(processes=3)


async def test_a_run_ends_at_its_most_facts(log: Log, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(seals, "RUN", 4)
    await with_three_sales(log)
    assert log.verify().ok
    assert log.verify().seals == 5  # 4 + 2, 4 + 4 + 2


async def test_only_one_seals(log: Log):
    async with (
        await connect(log.app, name="one") as one,
        await connect(log.app, name="other") as other,
    ):
        assert await seals.take_turn(one)
        assert not await seals.take_turn(other)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path):
    key = signing_key(tmp_path)
    assert signing_key(tmp_path).private_bytes_raw() == key.private_bytes_raw()
    assert (tmp_path / "seal.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "seal.key").unlink()
    assert verifying_key(tmp_path).public_bytes_raw() == key.public_key().public_bytes_raw()
