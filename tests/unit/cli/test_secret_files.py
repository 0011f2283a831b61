"""Settings that come as files."""

import os
import re
from pathlib import Path

import pytest

from cli.output import Failure
from cli.secret_files import NOT_A_SECRET, read_secret_files

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_a_secret_is_read_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "dsn"
    file.write_text("postgresql://db/quire\n")
    monkeypatch.setenv("QUIRE_POSTGRES_DSN_FILE", str(file))
    monkeypatch.delenv("QUIRE_POSTGRES_DSN", raising=False)
    read_secret_files()
    assert os.environ["QUIRE_POSTGRES_DSN"] == "postgresql://db/quire"
    read_secret_files()  # as a child of ours does


def test_a_secret_that_is_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QUIRE_MASTER_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("QUIRE_MASTER_KEY", "another")
    with pytest.raises(Failure) as told:
        read_secret_files()
    assert told.value.code == "secret_given_twice"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QUIRE_SEAL_KEY_FILE", str(tmp_path / "nowhere"))
    monkeypatch.delenv("QUIRE_SEAL_KEY", raising=False)
    with pytest.raises(Failure, match="QUIRE_SEAL_KEY_FILE") as told:
        read_secret_files()
    assert told.value.code == "secret_file_unreadable"


def test_settings_that_are_paths_themselves_are_left_alone():
    """Taken for a secret, such a setting would be gone before its process reads it."""
    assert (
        set(re.findall(r"^\| `(QUIRE_\w+_FILE)` \|", PAGE.read_text(), re.MULTILINE))
        == NOT_A_SECRET
    )


def test_where_a_process_says_that_it_is_ready_is_no_secret(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QUIRE_READY_FILE", "/nowhere/at/all")
    read_secret_files()
    assert "QUIRE_READY" not in os.environ
