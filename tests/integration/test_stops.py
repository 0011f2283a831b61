"""Broken settings, a wrong password, another schema: each stops with a line that says what to do.

A missing topic and a full disk stand in tests/faults/test_stops.py.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from store.errors import DiskFull, translated
from store.schema import steps

NEEDS_A_PERSON = 78


class Shell:
    """The command line on a database and a Kafka of the tests."""

    def __init__(self, dsn: str, owner_dsn: str, kafka: str, path: Path) -> None:
        self._env = {
            **os.environ,
            "QUIRE_POSTGRES_DSN": dsn,
            "QUIRE_POSTGRES_OWNER_DSN": owner_dsn,
            "QUIRE_KAFKA": kafka,
            "QUIRE_STATE_DIR": str(path),
        }

    def quire(self, *words: str, **settings: str) -> tuple[int, str]:
        """Exit code and all that was said; a traceback is never an answer."""
        told = {f"QUIRE_{name.upper()}": value for name, value in settings.items()}
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *words],
            env={**self._env, **told},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stdout, done.stdout
        return done.returncode, done.stdout


@pytest.fixture
def shell(postgres_dsn: str, owner_dsn: str, kafka: str, tmp_path: Path) -> Shell:
    return Shell(postgres_dsn, owner_dsn, kafka, tmp_path)


@pytest.fixture
def wrong(postgres_dsn: str) -> str:
    """The service's connection string with another password."""
    before, _, after = postgres_dsn.rpartition("@")
    return f"{before.rpartition(':')[0]}:not-it@{after}"


@pytest.mark.parametrize(
    ("process", "setting", "value"),
    [
        ("timers", "postgres_dsn", "postgresql//quire_app:hush-hush@db"),
        ("timers", "batch_size", "hush-hush"),
        ("timers", "log_level", "hush-hush"),
        ("source x", "kafka", "hush-hush"),
        ("worker dead-letters", "master_key", "hush-hush"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named_and_not_shown(
    shell: Shell, process: str, setting: str, value: str
):
    code, said = shell.quire("run", *process.split(), **{setting: value})
    assert code == NEEDS_A_PERSON
    assert f"QUIRE_{setting.upper()}" in said
    assert "hush" not in said


def test_an_address_that_others_reach_needs_a_word(shell: Shell):
    code, said = shell.quire("run", "provider", provider_host="0.0.0.0")
    assert code == NEEDS_A_PERSON
    assert "Set QUIRE_ALLOW_OPEN=1" in said


def test_the_stack_names_a_broken_setting_too(shell: Shell):
    code, said = shell.quire("up", "--json", through_port="hush-hush")
    assert code == NEEDS_A_PERSON
    assert json.loads(said)["error"]["code"] == "settings_wrong"
    assert "QUIRE_THROUGH_PORT" in said
    assert "hush" not in said


def test_a_wrong_password_ends_a_process_and_names_the_setting(shell: Shell, wrong: str):
    code, said = shell.quire("run", "projector", postgres_dsn=wrong)
    assert code == NEEDS_A_PERSON
    assert "stopped for good: login_refused" in said
    assert "mend QUIRE_POSTGRES_DSN" in said
    assert "not-it" not in said


def test_a_wrong_password_fails_a_verb(shell: Shell, wrong: str):
    code, said = shell.quire("parked", "list", "--json", postgres_dsn=wrong)
    assert (code, json.loads(said)["error"]["code"]) == (3, "login_refused")
    code, said = shell.quire("migrate", postgres_owner_dsn=wrong)
    assert code == 3
    assert "QUIRE_POSTGRES_OWNER_DSN" in said


def test_the_stack_refuses_to_start_with_a_wrong_password(shell: Shell, wrong: str):
    code, said = shell.quire("up", "--servers-only", postgres_dsn=wrong)
    assert code == 5
    assert "Mend the role or the password in QUIRE_POSTGRES_DSN." in said


@pytest.fixture
def schema(admin_dsn: str) -> Iterator[psycopg.Connection]:
    """A connection that may say the database were of another schema; it is put right again."""
    with psycopg.connect(admin_dsn, autocommit=True) as conn:
        yield conn
        conn.execute("update alembic_version set version_num = %s", [steps()[-1]])


def test_a_newer_schema_stops_who_would_write(shell: Shell, schema: psycopg.Connection):
    schema.execute("update alembic_version set version_num = '9999'")
    for process in ("timers", "api"):
        code, said = shell.quire("run", process)
        assert code == NEEDS_A_PERSON
        assert "stopped for good: schema_newer" in said
    for verb in (["migrate"], ["parked", "discard", "--all", "--because", "no"]):
        code, said = shell.quire(*verb)
        assert code == 5
        assert "(9999) is newer than this code" in said


def test_an_older_schema_asks_for_the_migrations(shell: Shell, schema: psycopg.Connection):
    schema.execute("update alembic_version set version_num = '0001'")
    code, said = shell.quire("run", "relay")
    assert code == NEEDS_A_PERSON
    assert "schema_older" in said
    assert "`quire migrate`" in said


def test_a_full_disk_of_postgres_is_told_from_other_faults(postgres_dsn: str):
    full = "do $$ begin raise exception 'no space left' using errcode = 'disk_full'; end $$"
    with psycopg.connect(postgres_dsn) as conn, pytest.raises(DiskFull), translated():
        conn.execute(full)
