"""How clients are told to sign in to Kafka, and what is wrong with what they are told."""

from pathlib import Path

import faust
import pytest

from bus.security import security, wrong
from streams.faustapp import credentials
from tests.integration.certificates import certificates

ALICE = {
    "QUIRE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "QUIRE_KAFKA_USERNAME": "alice",
    "QUIRE_KAFKA_PASSWORD": "wonder",
}


def told(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_without_a_word_it_is_spoken_in_the_clear():
    assert wrong() == []
    assert security().settings() == {"security_protocol": "PLAINTEXT"}
    assert credentials() is None


def test_a_user_signs_in_over_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    authority = certificates(tmp_path).authority
    told(monkeypatch, **ALICE, QUIRE_KAFKA_CA_FILE=str(authority))
    assert wrong() == []
    settings = security().settings()
    assert settings.pop("ssl_context").check_hostname
    assert settings == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "alice",
        "sasl_plain_password": "wonder",
    }


def test_faust_signs_in_the_same_way(monkeypatch: pytest.MonkeyPatch):
    told(monkeypatch, **ALICE, QUIRE_KAFKA_SASL_MECHANISM="PLAIN")
    made = credentials()
    assert isinstance(made, faust.SASLCredentials)
    assert (made.username, made.password) == ("alice", "wonder")
    assert (made.protocol.value, made.mechanism.value) == ("SASL_SSL", "PLAIN")
    assert made.ssl_context is security().context
    monkeypatch.setenv("QUIRE_KAFKA_SECURITY_PROTOCOL", "SSL")
    assert isinstance(credentials(), faust.SSLCredentials)


def test_the_password_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    told(monkeypatch, **ALICE)
    assert "wonder" not in repr(security())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUIRE_KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("QUIRE_KAFKA_SECURITY_PROTOCOL", "PLAINTEXT"),  # with a user, who would not be asked
        ("QUIRE_KAFKA_SASL_MECHANISM", "GUESS"),
        ("QUIRE_KAFKA_USERNAME", ""),
        ("QUIRE_KAFKA_PASSWORD", ""),
        ("QUIRE_KAFKA_CA_FILE", "/nowhere.pem"),
    ],
)
def test_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    told(monkeypatch, **ALICE)
    monkeypatch.setenv(name, value)
    assert wrong() == [name]
