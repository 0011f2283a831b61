"""How clients are told to sign in to Kafka, and what is wrong with what they are told."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import faust
import pytest
import uvloop

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


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_nobody_waits_for_the_goodbye_of_a_broker(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    new_loop: Callable[[], asyncio.AbstractEventLoop],
):
    files = certificates(tmp_path)
    told(monkeypatch, **ALICE, QUIRE_KAFKA_CA_FILE=str(files.authority))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    gone = Event()

    def busy(listener: socket.socket) -> None:
        """A broker that has a request in hand, and reads nothing meanwhile."""
        with context.wrap_socket(listener.accept()[0], server_side=True):
            gone.wait(20)

    async def come_and_go(port: int) -> None:
        context = security().context
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.close()
        async with asyncio.timeout(10):
            await writer.wait_closed()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        broker = Thread(target=busy, args=[listener], daemon=True)
        broker.start()
        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(come_and_go(listener.getsockname()[1]))
        finally:
            gone.set()
            broker.join()


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
