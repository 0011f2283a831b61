"""Who can read the files that `quire keys make` wrote, or found there."""

from pathlib import Path

import pytest

from cli.key_files import NOTE, PRIVATE
from cli.output import Failure
from tests.unit.cli.key_world import EVERY, files, modes, of_an_earlier_quire, run


def test_only_their_owner_can_read_what_is_secret(tmp_path: Path):
    run(tmp_path, *EVERY)
    assert {note.stat().st_mode & 0o777 for note in tmp_path.rglob(NOTE)} == {PRIVATE}
    readable = {name for name, mode in modes(tmp_path).items() if mode != PRIVATE}
    public = {name for name in files(tmp_path) if name.endswith("ca.pem")}
    assert readable == public | {"tls/postgres/server.pem"}


def test_in_a_volume_the_servers_own_users_read_what_is_theirs(tmp_path: Path):
    run(tmp_path, *EVERY, shared=True)
    readable = {name for name, mode in modes(tmp_path).items() if mode != PRIVATE}
    assert {name for name in readable if not name.endswith("ca.pem")} == {
        "app/password", "owner/owner-password", "owner/reader-password", "owner/admin-password",
        "kafka/broker/jaas.conf", "tls/kafka/kafka.pem", "tls/postgres/server.pem",
    }  # fmt: skip


def test_what_an_earlier_quire_let_everybody_read_is_closed_once_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run(tmp_path, *EVERY)
    before = modes(tmp_path)
    of_an_earlier_quire(tmp_path)
    capsys.readouterr()
    run(tmp_path, *EVERY)
    assert modes(tmp_path) == before
    told = capsys.readouterr().err
    assert "--shared" in told
    for name, mode in before.items():
        assert (str(tmp_path / name) in told) == (mode == PRIVATE), name
    run(tmp_path, *EVERY)
    assert capsys.readouterr().err == "all files are there\n", "told once"
    (tmp_path / "app/dsn").chmod(0o640)  # a person's choice
    run(tmp_path, *EVERY)
    assert modes(tmp_path)["app/dsn"] == 0o640


def test_with_shared_the_servers_files_of_an_earlier_quire_stay_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run(tmp_path, *EVERY, shared=True)
    before = modes(tmp_path)
    of_an_earlier_quire(tmp_path)
    capsys.readouterr()
    run(tmp_path, *EVERY, shared=True)
    assert modes(tmp_path) == before
    told = capsys.readouterr().err
    assert str(tmp_path / "app/dsn") in told
    assert "app/password" not in told


def test_what_is_written_anew_for_fewer_people_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run(tmp_path, "app", "owner")
    (tmp_path / "app/dsn").chmod(0o640)
    (tmp_path / "app/password").write_text("another")
    capsys.readouterr()
    run(tmp_path, "app", "owner")
    assert f"only their owner can read: {tmp_path}/app/dsn\n" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    run(tmp_path, "app", "owner")
    note = tmp_path / "app" / NOTE
    note.unlink()
    note.symlink_to("/proc/self/mem")  # its first byte cannot be read, by root neither
    with pytest.raises(Failure, match=f"app/{NOTE} cannot be read") as told:
        run(tmp_path, "app", "owner")
    assert told.value.code == "not_readable"


@pytest.mark.parametrize("torn", ["", '{"dsn": "12', "[]"])
def test_a_torn_note_is_taken_for_an_empty_one(tmp_path: Path, torn: str):
    run(tmp_path, *EVERY)
    before = files(tmp_path)
    whole = (tmp_path / "app" / NOTE).read_text()
    (tmp_path / "app" / NOTE).write_text(torn)
    run(tmp_path, *EVERY)
    assert files(tmp_path) == before
    assert (tmp_path / "app" / NOTE).read_text() == whole
