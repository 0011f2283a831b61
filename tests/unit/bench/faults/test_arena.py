"""The stack that is hurt comes to rest within the time that a run gives it."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from bench.faults.arena import SETTINGS
from cli.faults import faults
from streams.settings import Settings


def test_all_deadlines_together_are_shorter_than_the_time_to_settle(
    monkeypatch: pytest.MonkeyPatch,
):
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    settings = Settings(kafka="none", postgres_dsn=SecretStr("none"))
    periods = settings.periods()
    settle = faults.make_context("faults", ["--dry-run"]).params["settle"]
    pauses = [settings.payment_backoff(), settings.notification_backoff()]
    waits = [pause.longest * (1 + pause.jitter) for pause in pauses]
    waits += [periods.reservation_in_all, periods.authentication, periods.return_window]
    assert sum(waits, timedelta()) < timedelta(seconds=settle)
