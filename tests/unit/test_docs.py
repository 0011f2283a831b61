"""What the documentation names is there: links, files, commands, settings and their defaults."""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
from pydantic_settings import BaseSettings

from cli.main import quire

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ROOMS = ("api", "bus", "cli", "gateways", "migrations", "stack", "store", "streams", "telemetry")

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
NAMED_FILE = re.compile(
    r"`((?:\.ci|api|bench|bus|cli|docs|domain|gateways|store|streams|telemetry|tests)/[\w./]*)`"
)
VARIABLE = re.compile(r"\bQUIRE_[A-Z_]*[A-Z]\b")
ROW = re.compile(r"^\| `(QUIRE_[A-Z_]+)` \| (?:`([^`]*)`|(none|empty)) \|", re.MULTILINE)
INLINE = re.compile(r"`((?:[A-Z_]+=\S+ )*quire [^`\n]+)`")
BLOCK_LINE = re.compile(r"^ {4}(?:\S.*\$\()?((?:[A-Z_]+=\S+ )*quire [a-z].*)$", re.MULTILINE)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def headings(page: Path) -> set[str]:
    """The anchors of a page, as they are made of its headings."""
    found = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in found}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path):
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target}: there is no such file"
        if anchor and found.suffix == ".md":
            assert anchor in headings(found), f"{target}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_named_files_are_there(page: Path):
    for path in NAMED_FILE.findall(page.read_text()):
        assert (ROOT / path).exists(), path


def typed(text: str) -> Iterator[list[str]]:
    """Each `quire ...` of an indented block, as words; the shell's part of the line is cut off."""
    return _words(BLOCK_LINE.findall(text))


def named(text: str) -> Iterator[list[str]]:
    """Each `quire ...` within a sentence, which may leave out what is needed to run it."""
    return _words(INLINE.findall(text))


def _words(lines: list[str]) -> Iterator[list[str]]:
    for line in lines:
        for part in re.split(r" \| | > | && |\)$", line):
            words = shlex.split(part, comments=True)
            while words and re.match(r"[A-Z_]+=", words[0]):
                del words[0]
            if words[:1] == ["quire"]:
                yield words[1:]


def parse(words: list[str]) -> None:
    """Parse as the command line does, without running anything; raises UsageError."""
    command: click.Command = quire
    context = click.Context(command, info_name="quire")
    while isinstance(command, click.Group) and words:
        following = command.get_command(context, words[0])
        if following is None:
            raise click.UsageError(f"no command {words[0]}")
        context = click.Context(following, info_name=words[0], parent=context)
        command, words = following, words[1:]
    if not isinstance(command, click.Group):
        with context:  # closes the files that parsing opens
            command.parse_args(context, [_there(word) for word in words])


def _there(word: str) -> str:
    """Some file that is there, in place of the reader's own."""
    return str(ROOT / "README.md") if word.endswith((".csv", ".pub")) else word


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_can_be_typed(page: Path):
    for words in typed(page.read_text()):
        try:
            parse(words)
        except click.ClickException as wrong:
            pytest.fail(f"quire {' '.join(words)}: {wrong.format_message()}")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_that_are_named_exist(page: Path):
    for words in named(page.read_text()):
        try:
            parse(words)
        except click.MissingParameter:
            pass  # a sentence speaks of the command, nobody types it
        except click.ClickException as wrong:
            pytest.fail(f"quire {' '.join(words)}: {wrong.format_message()}")


def test_the_readme_shows_commands():
    shown = {words[0] for words in typed((ROOT / "README.md").read_text())}
    assert shown >= {"order", "stock", "import", "audit", "projections", "tail", "bench"}


@pytest.mark.parametrize(
    "words", [["fly"], ["order", "fly"], ["order", "place", "--fly"], ["topics", "grow", "t", "x"]]
)
def test_the_check_sees_what_is_not_there(words: list[str]):
    with pytest.raises(click.UsageError):
        parse(words)


def fields() -> dict[str, set[str]]:
    """Every variable of a Settings class, with its defaults as text."""
    found: dict[str, set[str]] = {}
    for room in ROOMS:
        if not (ROOT / room / "settings.py").exists():
            continue
        shape: type[BaseSettings] = import_module(f"{room}.settings").Settings
        for field, info in shape.model_fields.items():
            default = _told(info.default) if not info.is_required() else "none"
            found.setdefault(f"QUIRE_{field}".upper(), set()).add(default)
    return found


def _told(value: Any) -> str:
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    if value is None:
        return "none"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.removesuffix(".0") or "empty"


@cache
def read_directly() -> frozenset[str]:
    """The variables that our code names outside of any Settings class."""
    found: set[str] = set()
    for room in ROOMS:
        for page in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(page.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found |= {node.value} if VARIABLE.fullmatch(node.value) else set()
    return frozenset(found)


def test_every_setting_is_documented_and_no_other():
    page = ROOT / "docs" / "configuration.md"
    documented = {row[0] for row in ROW.findall(page.read_text())}
    assert documented == set(fields()) | read_directly()


def test_defaults_are_those_of_the_code():
    known = fields()
    for variable, default, word in ROW.findall((ROOT / "docs" / "configuration.md").read_text()):
        if variable in known:
            assert known[variable] == {default or word}, variable


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_names_a_setting_that_is_not_there(page: Path):
    known = set(fields()) | read_directly()
    from_files = {f"{name}_FILE" for name in known}
    assert set(VARIABLE.findall(page.read_text())) <= known | from_files
