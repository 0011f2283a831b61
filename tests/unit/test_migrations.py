"""Each step says what code has to know to run with it."""

from importlib import import_module
from pathlib import Path

import pytest

import migrations
from store.errors import SchemaDiffers
from store.schema import compare, steps

FIRST = "0009"
FILES = sorted(Path(migrations.HERE, "versions").glob("[0-9]*.py"))


def test_what_a_step_needs_never_falls():
    """What took something away stays away; an older code is never let in again."""
    needs = [
        import_module(f"migrations.versions.{file.stem}").needs
        for file in FILES
        if file.stem[:4] >= FIRST
    ]
    assert needs == sorted(needs)
    assert set(needs) <= set(steps())
    assert all(one <= file.stem[:4] for one, file in zip(needs, FILES[-len(needs) :], strict=True))


def test_an_index_is_a_step_of_its_own():
    """What stands before it is committed by it, and would be done twice when it fails."""
    for file in FILES:
        upgrade = file.read_text().partition("def upgrade")[2]
        assert "build_index(" not in upgrade or "run_sql" not in upgrade, file.name
    for script in Path(migrations.HERE, "versions").glob("*.sql"):
        if script.stem[:4] >= FIRST:
            text = script.read_text()
            made = [line for line in text.splitlines() if line.startswith("create table ")]
            indexes = [line for line in text.splitlines() if line.startswith("create index ")]
            tables = {line.split()[2] for line in made}
            for line in indexes:
                assert line.partition(" on ")[2].split()[0] in tables, f"{script.name}: {line}"


@pytest.mark.parametrize(
    ("last", "needs", "code"),
    [
        (None, None, "schema_older"),
        ("0002", None, "schema_older"),
        ("0003", "0001", None),
        ("0004", None, "schema_newer"),
        ("0004", "0003", None),
        ("0005", "0002", None),
        ("0005", "0004", "schema_newer"),
        ("0001b", "0001", "schema_newer"),
    ],
)
def test_who_may_run_with_which_schema(last: str | None, needs: str | None, code: str | None):
    known = ["0001", "0002", "0003"]
    if code is None:
        assert compare(last, needs, known) == last
        return
    with pytest.raises(SchemaDiffers) as differs:
        compare(last, needs, known)
    assert differs.value.code == code
