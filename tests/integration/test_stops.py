"""Broken settings, a wrong password, another schema: each stops with a line that says what to do.

A missing topic and a full disk stand in tests/faults/test_stops.py.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

import migrations
from store.errors import DiskFull, translated
from store.schema import look, steps

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
        conn.execute("delete from schema_step where revision > %s", [steps()[-1]])


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


LATER = """
from migrations import build_index

revision, down_revision, needs = "9001", {last!r}, {needs!r}


def upgrade() -> None:
    build_index("timer_later", "timer (due_at, name)")
"""


def migrated_by_later_code(path: Path, owner_dsn: str, needs: str) -> None:
    """What another process does whose code knows one step more than ours."""
    shutil.copytree(Path(migrations.__file__).parent, path / "migrations")
    step = LATER.format(last=steps()[-1], needs=needs)
    (path / "migrations" / "versions" / "9001_later.py").write_text(step)
    run = f"import migrations; migrations.upgrade({owner_dsn!r})"
    subprocess.run(
        [sys.executable, "-c", run],
        check=True,
        cwd=path,
        env={**os.environ, "PYTHONPATH": str(path)},
    )


@pytest.fixture
def later_index(schema: psycopg.Connection) -> Iterator[None]:
    yield
    schema.execute("drop index if exists timer_later")


@pytest.mark.usefixtures("later_index")
def test_older_code_goes_on_when_later_code_only_added(
    shell: Shell, schema: psycopg.Connection, owner_dsn: str, tmp_path: Path
):
    """As in a rolling update: one that is started again meanwhile knows a shorter list of steps."""
    ours = steps()[-1]
    migrated_by_later_code(tmp_path, owner_dsn, needs=ours)
    assert asyncio.run(look(owner_dsn)) == "9001"
    code, said = shell.quire("migrate")
    assert (code, f"the schema (9001) is newer than this code ({ours})" in said) == (0, True)
    assert shell.quire("parked", "redrive", "--all", "--dry-run")[0] == 0


@pytest.mark.usefixtures("later_index")
def test_older_code_stops_when_later_code_took_something_away(
    shell: Shell, schema: psycopg.Connection, owner_dsn: str, tmp_path: Path
):
    migrated_by_later_code(tmp_path, owner_dsn, needs="9001")
    for words in (["run", "timers"], ["migrate"], ["parked", "redrive", "--all", "--dry-run"]):
        code, said = shell.quire(*words)
        assert (code != 0, "schema_newer" in said or "(9001) is newer" in said) == (True, True)


def test_an_index_that_was_left_unfinished_is_built_anew(
    schema: psycopg.Connection, owner_dsn: str, tmp_path: Path
):
    schema.execute("create index timer_later on timer (due_at, name)")
    schema.execute(
        "update pg_index set indisvalid = false where indexrelid = 'timer_later'::regclass"
    )
    migrated_by_later_code(tmp_path, owner_dsn, needs=steps()[-1])
    found = schema.execute(
        "select indisvalid from pg_index where indexrelid = 'timer_later'::regclass"
    ).fetchone()
    schema.execute("drop index timer_later")
    assert found == (True,)


def test_two_migrators_at_once_do_it_once(
    owner_dsn: str, tmp_path: Path, schema: psycopg.Connection
):
    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(migrated_by_later_code, tmp_path / name, owner_dsn, steps()[-1])
            for name in "ab"
        ]
        for each in both:
            each.result()
    rows = schema.execute("select count(*) from schema_step where revision = '9001'").fetchone()
    schema.execute("drop index timer_later")
    assert rows == (1,)


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
