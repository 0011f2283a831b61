"""Webhooks are believed when their signature is, and for five minutes."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateways.signature import BadSignature, check, read_secret, sign

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
BODY = b'{"id":"n1"}'
GOOD = sign("secret", BODY, NOW)


def code(header: str, body: bytes = BODY, now: datetime = NOW, secret: str = "secret") -> str:
    with pytest.raises(BadSignature) as refused:
        check(secret, header, body, now)
    return refused.value.code


def test_a_good_one_is_believed():
    check("secret", GOOD, BODY, NOW)


def test_it_is_the_mac_that_others_can_compute():
    at = datetime.fromtimestamp(1_700_000_000, UTC)
    mac = "7d44587dddbaf4c7f70fef20f48cd594834ffea1641e3ac227b84408298738af"
    assert sign("whsec", b"{}", at) == f"t=1700000000,v1={mac}"


@pytest.mark.parametrize("minutes", [-4.9, 4.9])
def test_five_minutes_of_difference_are_allowed(minutes: float):
    check("secret", GOOD, BODY, NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize("minutes", [-5.1, 5.1, 60 * 24])
def test_an_old_or_a_coming_time_is_not(minutes: float):
    assert code(GOOD, now=NOW + timedelta(minutes=minutes)) == "signature_old"


def test_another_body_time_or_secret_is_not():
    assert code(GOOD, b'{"id":"n2"}') == "signature_wrong"
    assert code(GOOD.replace("t=1", "t=2", 1)) == "signature_wrong"
    assert code(GOOD, secret="other") == "signature_wrong"
    assert code(GOOD[:-1]) == "signature_wrong"


def test_one_of_two_secrets_is_enough():
    _, _, old = sign("old secret", BODY, NOW).partition(",")
    check("secret", f"{GOOD},{old}", BODY, NOW)
    check("old secret", f"{GOOD},{old}", BODY, NOW)


@pytest.mark.parametrize(
    "header", ["", "v1=aa", "t=1", "t=x,v1=aa", "t=-5,v1=aa", "t=\u0663,v1=aa", "t=1" * 9 + ",v1=a"]
)
def test_what_is_no_signature_is_refused(header: str):
    assert code(header) == "signature_missing"


def test_a_mac_that_is_not_ascii_is_refused():
    assert code("t=1,v1=\u00e9") == "signature_wrong"


def test_the_secret_is_made_once_and_private(tmp_path: Path):
    path = tmp_path / "webhook.key"
    made = read_secret(path)
    assert len(made) == 64
    assert read_secret(path) == made
    assert read_secret(path, given="mine") == "mine"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
