"""A setting that cannot be used stops a process before it does anything, in one line, unseen."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import quire
from cli.output import Exit, Failure
from cli.troubles import failure_of
from stack.processes import metrics_ports
from stack.settings import Settings

SOUND = {"QUIRE_POSTGRES_DSN": "postgresql://q:q@127.0.0.1:1/q", "QUIRE_KAFKA": "127.0.0.1:1"}
NOT_NUMBERS = ("many", "-1", "nan", "inf", "1e309")


@pytest.mark.parametrize(
    ("words", "name", "values"),
    [
        ("timers", "BATCH_SIZE", ("0", "2.5", *NOT_NUMBERS)),
        ("timers", "BATCH_WAIT_SECONDS", NOT_NUMBERS),
        ("timers", "ANSWER_DAYS", ("0", "99999999999", *NOT_NUMBERS)),
        ("timers", "PARKED_HISTORY_DAYS", ("0", *NOT_NUMBERS)),
        ("timers", "CACHED_STREAMS", ("0", *NOT_NUMBERS)),
        ("timers", "SESSION_TIMEOUT_SECONDS", ("0", *NOT_NUMBERS)),
        ("worker order", "RETURN_WINDOW_DAYS", ("1e300", *NOT_NUMBERS)),
        ("worker shipping", "CARRIER_PAUSED", ("perhaps",)),
        ("worker shipping", "CARRIER_TIMEOUT_SECONDS", ("0", *NOT_NUMBERS)),
        ("worker payment", "PROVIDER_URL", ("nonsense", "ftp://provider", "http://")),
        ("worker payment", "PAYMENT_RETRY_FACTOR", ("0.5", *NOT_NUMBERS)),
        ("worker payment", "PAYMENT_RETRY_JITTER", ("1", *NOT_NUMBERS)),
        ("worker notification", "SMTP_TLS", ("ssl",)),
        ("worker notification", "SMTP_PORT", ("0", "65536", "smtp")),
        ("worker notification", "NOTIFY_WEBHOOK_URL", ("nonsense",)),
        ("source --all", "SOURCE_SINK", ("nonsense", "")),
        ("source --all", "SOURCE_TIMEOUT_SECONDS", ("0", *NOT_NUMBERS)),
        ("api", "API_PORT", ("65536", "http")),
        ("api", "API_CONNECTIONS", ("0", *NOT_NUMBERS)),
        ("api", "LIVE_HEARTBEAT_SECONDS", ("0", *NOT_NUMBERS)),
        ("api", "ALLOW_OPEN", ("perhaps",)),
        ("api", "KAFKA", ("nonsense", "host:port")),
        ("api", "POSTGRES_DSN", ("nonsense",)),
        ("timers", "POSTGRES_DSN", ("",)),
        ("timers", "KAFKA", ("",)),
        ("api", "MASTER_KEY", ("short", "not base64!")),
        ("worker dead-letters", "MASTER_KEY", ("short",)),
        ("sealer", "SEAL_KEY", ("short",)),
        ("provider", "PROVIDER_PORT", ("65536",)),
        ("provider", "WEBHOOK_URL", ("nonsense",)),
    ],
)
def test_a_setting_that_is_none_is_named(words: str, name: str, values: tuple[str, ...]):
    for value in values:
        env = {**SOUND, f"QUIRE_{name}": value}
        done = CliRunner().invoke(quire, ["run", *words.split()], env=env)
        failure = done.exception
        assert isinstance(failure, Failure), (value, done.output)
        assert (failure.code, failure.exit_code) == ("settings_wrong", Exit.NEEDS_A_PERSON)
        assert failure.message == f"missing or not usable: QUIRE_{name}", value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUIRE_BATCH_SIZE", "s3cret"),
        ("QUIRE_LOG_LEVEL", "bogus"),
        ("QUIRE_READY_FILE", "/nowhere/at/all"),
        ("QUIRE_PROFILE", "/proc/nowhere"),
    ],
)
def test_it_is_one_line_without_a_trace(name: str, value: str):
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "run", "timers"],
        env={**SOUND, name: value, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 78
    first, *rest = done.stderr.splitlines()
    assert "settings_wrong" in first
    assert name in first
    assert value not in done.stderr
    assert len(rest) <= 1, done.stderr


@pytest.mark.parametrize("verb", ["up", "up --detach", "doctor"])
def test_pages_of_metrics_past_the_last_port_are_refused(verb: str, tmp_path: Path):
    last = 65_535 - len(metrics_ports(1)) + 1
    assert Settings(metrics_port=last).metrics_port == last
    env = {"QUIRE_METRICS_PORT": str(last + 1)}
    done = CliRunner().invoke(quire, [*verb.split(), "--state-dir", str(tmp_path)], env=env)
    assert done.exception is not None
    failure = failure_of(done.exception)
    assert failure is not None
    assert (failure.code, failure.exit_code) == ("settings_wrong", Exit.NEEDS_A_PERSON)
    assert failure.message == "missing or not usable: QUIRE_METRICS_PORT"
