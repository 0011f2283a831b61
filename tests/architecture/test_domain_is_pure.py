"""The domain imports nothing that has a clock, a dice, a disk or a wire."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

DOMAIN = Path(__file__).parents[2] / "domain"
IMPURE = {
    "asyncio",
    "concurrent",
    "ctypes",
    "http",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
}
ALLOWED = (sys.stdlib_module_names - IMPURE) | {"domain", "msgspec"}
# UUID as a value is pure; uuid1 and uuid4 are not.
ALLOWED_NAMES = {("uuid", "UUID")}
CLOCKS = {"now", "utcnow", "today"}
CONTEXTS = {"order", "inventory", "payment", "shipping", "notification"}
PAGES = sorted(DOMAIN.rglob("*.py"))


def imports_of(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.name, "") for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((node.module or "", name.name) for name in node.names)


def complaints(source: str) -> list[str]:
    tree = ast.parse(source)
    found = [
        f"imports {module} {name}".strip()
        for module, name in imports_of(tree)
        if module.partition(".")[0] not in ALLOWED and (module, name) not in ALLOWED_NAMES
    ]
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=attr, value=ast.Name(id="datetime" | "date")) if attr in CLOCKS:
                found.append(f"looks at the clock: {attr}")
            case ast.Call(func=ast.Name(id="open" | "print" | "input" | "__import__" | "exec")):
                found.append("does input or output")
            case ast.AsyncFunctionDef(name=name):
                found.append(f"waits: {name}")
            case _:
                pass
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOMAIN)))
def test_page_is_pure(page: Path) -> None:
    assert complaints(page.read_text()) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOMAIN)))
def test_contexts_do_not_know_each_other(page: Path) -> None:
    own = page.relative_to(DOMAIN).parts[0]
    if own not in CONTEXTS:
        return
    others = {f"domain.{context}" for context in CONTEXTS - {own}}
    for module, name in imports_of(ast.parse(page.read_text())):
        named = module if module != "domain" else f"domain.{name}"
        assert not any(named == other or named.startswith(f"{other}.") for other in others)


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "from time import sleep",
        "import psycopg",
        "from uuid import uuid4",
        "from datetime import datetime\ndatetime.now()",
        "open('x')",
        "async def f(): ...",
    ],
)
def test_the_check_sees_what_is_impure(source: str) -> None:
    assert complaints(source)
