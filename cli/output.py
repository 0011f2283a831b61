"""What every verb shares: data on stdout, the rest on stderr, one shape of failure, the exit codes.

For the author of a verb:

- print data with `emit(value, as_json=...)` for one thing and `emit_line(value)` for a list in
  JSON Lines; print anything else with `say(...)`, which goes to stderr;
- fail by raising `Failure(code, message, hint=..., exit_code=...)`; with `--json` on the command
  line it is printed to stdout as `{"error": {"code", "message", "hint"}}`, else as two lines on
  stderr;
- a check that found a difference prints its findings and ends with `differs()` (exit code 1);
- take the usual options from here: `json_option`, `url_option`, `state_dir_option`,
  `port_base_option`, `yes_option`; the values arrive as `as_json`, `url`, `state_dir`,
  `port_base`, `yes`;
- speak to the API through `api(url)`, an httpx client whose errors are already `Failure`s.
"""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import IntEnum
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar, cast

import click

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:8080"

Function = TypeVar("Function", bound=Callable[..., Any])


class Exit(IntEnum):
    """What the exit code of any verb means."""

    FINE = 0
    DIFFERENCE = 1
    USAGE = 2
    NOT_REACHABLE = 3
    NOT_FOUND = 4
    REFUSED = 5
    NEEDS_A_PERSON = 78
    INTERRUPTED = 130


class Failure(Exception):
    """A verb cannot do what it was asked; says why and what would help."""

    def __init__(
        self, code: str, message: str, *, hint: str = "", exit_code: Exit = Exit.REFUSED
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


def json_option(function: Function) -> Function:
    """Add `--json`: one JSON value, or JSON Lines for lists."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def url_option(function: Function) -> Function:
    """Add `--url`: where the API answers; the port base moves the default."""
    return click.option(
        "--url", default=_default_url, show_default=DEFAULT_URL, help="Address of the API."
    )(function)


def state_dir_option(function: Function) -> Function:
    """Add `--state-dir`: where a local stack keeps its data."""
    return click.option(
        "--state-dir",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="QUIRE_STATE_DIR",
        default=Path(".quire"),
        show_default=True,
        help="Where the stack keeps its data.",
    )(function)


def port_base_option(function: Function) -> Function:
    """Add `--port-base`: the API's port; the other parts take the ports after it."""
    return click.option(
        "--port-base",
        type=click.IntRange(1024, 65500),
        envvar="QUIRE_PORT_BASE",
        default=8080,
        show_default=True,
        help="Port of the API; the other parts take the ports after it.",
    )(function)


class Number(click.FloatRange):
    """A number that is one: neither NaN nor infinite."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value!r} is no number to count with", param, ctx)
        return number


def settle_option(function: Function) -> Function:
    """Add `--settle-seconds`, as `settle_seconds`."""
    return click.option(
        "--settle-seconds",
        type=Number(0),
        default=60.0,
        show_default=True,
        help="Leave orders alone that were touched so recently: they may be under way.",
    )(function)


def yes_option(function: Function) -> Function:
    """Add `--yes`: do not ask before something is destroyed."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(function)


def emit(value: object, *, as_json: bool, text: Callable[[], str] | None = None) -> None:
    """Print one thing: as JSON, or as the text made for people."""
    if as_json or text is None:
        emit_line(value)
    else:
        click.echo(text())


def emit_line(value: object) -> None:
    """Print one value as one line of JSON."""
    import msgspec

    click.echo(msgspec.json.encode(value))


def say(message: str) -> None:
    """Tell the person something that is not data."""
    click.echo(message, err=True)


def counted(number: int, noun: str, many: str = "") -> str:
    """`1 order`, `2 orders`; `many` where an s is not enough."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def differs() -> NoReturn:
    """End a check that found a difference."""
    raise SystemExit(Exit.DIFFERENCE)


class Hints(NamedTuple):
    """What helps where nobody is at an address, or where it is none."""

    start: str
    write: str


OF_THE_API = Hints(
    "Start the stack with `quire up`, or name another address with --url.",
    "Write it as http://127.0.0.1:8080: --url, QUIRE_URL or QUIRE_PORT_BASE.",
)


@contextmanager
def api(url: str, *, timeout: float = 30.0, hints: Hints = OF_THE_API) -> Generator["httpx.Client"]:
    """Speak to the API at `url`; what goes wrong on the way is a `Failure`."""
    import httpx

    try:
        with httpx.Client(
            base_url=url, timeout=timeout, event_hooks={"response": [_refuse_problems]}
        ) as client:
            yield client
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as fault:
        raise Failure(
            "url_wrong",
            f"{url} is no address: {fault}",
            hint=hints.write,
            exit_code=Exit.USAGE,
        ) from fault
    except httpx.TransportError as fault:
        raise Failure(
            "not_reachable",
            f"nothing answers at {url}: {fault}",
            hint=hints.start,
            exit_code=Exit.NOT_REACHABLE,
        ) from fault


def leave_well(command: click.Command) -> NoReturn:
    """Run the command line and leave with the code that says what became of it."""
    as_json = "--json" in sys.argv[1:]
    try:
        result = command.main(prog_name="quire", standalone_mode=False)
    except Failure as failure:
        _print_failure(failure, as_json=as_json)
        raise SystemExit(failure.exit_code) from None
    except click.exceptions.NoArgsIsHelpError as shown:
        shown.show()
        raise SystemExit(Exit.USAGE) from None
    except click.ClickException as wrong:
        if as_json:
            _print_failure(Failure("usage", wrong.format_message()), as_json=True)
        else:
            wrong.show()
        raise SystemExit(wrong.exit_code) from None
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        raise SystemExit(Exit.INTERRUPTED) from None
    except BrokenPipeError:  # the reader, `head` perhaps, has seen enough
        sys.stderr.close()
        raise SystemExit(Exit.FINE) from None
    except Exception as fault:
        from cli.troubles import failure_of

        failure = failure_of(fault)
        if failure is None:
            raise
        _print_failure(failure, as_json=as_json)
        raise SystemExit(failure.exit_code) from None
    raise SystemExit(result if isinstance(result, int) else Exit.FINE)


def _default_url() -> str:
    from stack.address import default_url

    return default_url()


def _print_failure(failure: Failure, *, as_json: bool) -> None:
    if as_json:
        error = {"code": failure.code, "message": failure.message, "hint": failure.hint}
        emit_line({"error": error})
        return
    say(f"quire: {failure.message} ({failure.code})")
    if failure.hint:
        say(f"  {failure.hint}")


def _refuse_problems(response: "httpx.Response") -> None:
    """Turn the API's problem documents (RFC 9457) into failures, and being sent elsewhere."""
    if response.has_redirect_location:
        raise Failure(
            "redirected",
            f"{response.url} sends us on to {response.headers['location']}",
            hint="Name the address that it leads to, if that is the one you mean.",
            exit_code=Exit.NOT_REACHABLE,
        )
    if not response.is_error:
        return
    response.read()
    told: Any = {}
    if "json" in response.headers.get("content-type", ""):
        told = response.json()
    problem = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
    raise Failure(
        str(problem.get("code", f"http_{response.status_code}")),
        str(problem.get("detail") or problem.get("title") or response.reason_phrase),
        hint=str(problem.get("hint", "")),
        exit_code=_exit_code(response.status_code),
    )


def _exit_code(status: int) -> Exit:
    if status == 404:
        return Exit.NOT_FOUND
    return Exit.NOT_REACHABLE if status >= 500 else Exit.REFUSED
