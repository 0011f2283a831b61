"""Mail over TLS and with a password, to a real SMTP server that has a certificate or none."""

from pathlib import Path

import pytest

from domain.notification.messages import DeliveryAnswer
from gateways.breaker import Breaker
from gateways.smtp import SmtpSender
from gateways.smtp_server import Server, Tls
from streams.agents.notification import channels
from streams.lifecycle import CannotGoOn
from tests.integration.certificates import Files, certificates
from tests.integration.hand import settings
from tests.integration.mail_office import PASSWORD, USER, office
from tests.integration.test_mail_answers import REQUEST, Book, Clock

SENT = DeliveryAnswer("sent")


async def answers(
    port: int, tls: Tls, *, ca: Path | None, password: str = PASSWORD, count: int = 1
):
    server = Server(
        "127.0.0.1", port, "shop@quire.example", USER, password, tls,
        ca_file=str(ca) if ca else "",
    )  # fmt: skip
    sender = SmtpSender(server, Book(), Breaker(Clock()))
    try:
        return [await sender.perform(REQUEST) for _ in range(count)]
    finally:
        await sender.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_signed_in_over_an_encrypted_connection(files: Files, tls: Tls):
    async with office(files, tls) as server:
        assert await answers(server.port, tls, ca=files.authority, count=2) == [SENT, SENT]
    assert server.taken == [True, True]
    assert server.tried == 1  # the connection is used again
    assert b"AUTH" not in server.in_the_clear
    assert b"MAIL" not in server.in_the_clear


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_wrong_password_sends_nothing_and_is_not_tried_for_ever(files: Files, tls: Tls):
    async with office(files, tls) as server:
        told = await answers(server.port, tls, ca=files.authority, password="wrong", count=9)
    assert set(told) == {DeliveryAnswer("unreachable", "smtp_not_authenticated")}
    assert server.taken == []
    assert server.tried <= 6  # three times, by each way of signing in


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_of_an_authority_that_nobody_named_is_refused(files: Files, tls: Tls):
    async with office(files, tls) as server:
        told = await answers(server.port, tls, ca=None)
    assert told == [DeliveryAnswer("unreachable", "smtp_certificate_not_trusted")]
    assert (server.taken, server.tried) == ([], 0)
    assert b"AUTH" not in server.in_the_clear


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_of_another_address_is_refused(tmp_path: Path, tls: Tls):
    others = certificates(tmp_path, "127.0.0.2")
    async with office(others, tls) as server:
        told = await answers(server.port, tls, ca=others.authority)
    assert told == [DeliveryAnswer("unreachable", "smtp_certificate_not_trusted")]
    assert (server.taken, server.tried) == ([], 0)


async def test_where_starttls_is_wanted_and_not_there_nothing_goes_out_in_the_clear(files: Files):
    async with office(None, "none") as server:
        told = await answers(server.port, "starttls", ca=files.authority)
    assert told == [DeliveryAnswer("unreachable", "smtp_without_starttls")]
    assert (server.taken, server.tried) == ([], 0)
    assert server.in_the_clear.upper().startswith(b"EHLO")
    for secret in (b"AUTH", b"MAIL", b"RCPT"):
        assert secret not in server.in_the_clear


async def test_a_server_that_speaks_no_tls_at_its_first_byte_hears_no_word(files: Files):
    async with office(None, "none") as server:
        [told] = await answers(server.port, "tls", ca=files.authority)
    assert told == DeliveryAnswer("unreachable", "smtp_away")
    assert (server.taken, server.tried) == ([], 0)
    assert b"EHLO" not in server.in_the_clear


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_authorities_that_holds_none_stops_the_worker(
    tmp_path: Path, content: str | None
):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    wanted = settings("dbname=none", tmp_path, smtp_host="127.0.0.1", smtp_ca_file=str(file))
    with pytest.raises(CannotGoOn, match="QUIRE_SMTP_CA_FILE"):
        channels(wanted)
