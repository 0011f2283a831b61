"""What a verb says to what it is asked wrongly, before anything is started."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from cli.main import HELP, VERBS, quire
from cli.order_text import text_of
from cli.output import Failure, counted


def asked(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(quire, list(words), standalone_mode=True)
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bench", "--profile", "nope"], "no profile 'nope': store, wholesale, flash"),
        (["bench", "--profile", "file:/nowhere.csv"], "/nowhere.csv"),
        (["bench", "--rate", "nan"], "no number to count with"),
        (["bench", "--for", "0s"], "from 1s to 24h"),
        (["bench", "--for", "soon"], "write 60s or 2m"),
        (["bench", "--drain", "999h"], "to 24h"),
        (["faults", "--rate", "inf"], "no number to count with"),
        (["faults", "--for", "0"], "from 1s to 24h"),
        (["parked", "redrive", "--all", "--rate", "nan"], "no number to count with"),
        (["demo", "provider-down", "--seconds", "nan"], "no number to count with"),
        (["audit", "verify", "--settle-seconds", "nan"], "no number to count with"),
    ],
)
def test_wrong_arguments_start_nothing(words: list[str], said: str, tmp_path: Path):
    state = [] if words[0] in {"demo", "parked"} else ["--state-dir", str(tmp_path / "state")]
    code, output = asked(*words, *state)
    assert code == 2, output
    assert said in " ".join(output.split())
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("words", [["down"], ["status"]])
def test_looking_at_what_is_not_there_makes_nothing(words: list[str], tmp_path: Path):
    place = tmp_path / "elsewhere"
    _, output = asked(*words, "--state-dir", str(place))
    assert f"no stack runs on {place}" in output
    assert not place.exists()


def test_a_state_of_another_version_is_no_stack(tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "stack.json").write_text('{"pid":"old"}')
    code, output = asked("status", "--state-dir", str(tmp_path))
    assert (code, "no stack runs on" in output) == (3, True)


@pytest.mark.parametrize(("name", "value"), [("QUIRE_URL", "nonsense"), ("QUIRE_PORT_BASE", "x")])
def test_an_address_that_is_none_is_told(name: str, value: str):
    done = CliRunner().invoke(quire, ["order", "list"], env={name: value})
    assert isinstance(done.exception, Failure)
    assert (done.exception.code, done.exception.exit_code) == ("url_wrong", 2)


def test_one_is_not_many():
    told = [counted(0, "order"), counted(1, "order"), counted(1_200, "order")]
    assert told == ["0 orders", "1 order", "1,200 orders"]
    assert counted(2, "copy", "copies") == "2 copies"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("cancel", "somebody asked for it"),
        ("card_declined", "card declined"),
        ("Too_big!", "Too_big!"),
    ],
)
def test_an_order_says_why_in_words(code: str, said: str):
    document: dict[str, Any] = {
        "order_id": "o", "status": "cancelled", "payment": "voided", "fulfilment": "none",
        "reason": {"code": code},
    }  # fmt: skip
    assert f"why: {said}" in text_of(document)


def commands(command: click.Command, ctx: click.Context) -> list[tuple[str, click.Command]]:
    found = [(ctx.command_path, command)]
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            one = command.get_command(ctx, name)
            assert one is not None
            found += commands(one, click.Context(one, info_name=name, parent=ctx))
    return found


def test_every_verb_and_option_says_what_it_is_for():
    assert VERBS.keys() == HELP.keys()
    for path, command in commands(quire, click.Context(quire, info_name="quire")):
        assert command.help, path
        for one in command.params:
            if isinstance(one, click.Option):
                assert one.help, f"{path} {one.opts[0]}"
