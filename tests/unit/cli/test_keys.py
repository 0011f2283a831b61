"""Passwords and certificates are made once, and fit each other."""

import ssl
from pathlib import Path

import pytest
from click import UsageError
from psycopg.conninfo import conninfo_to_dict

from cli.output import Failure
from tests.unit.cli.key_world import EVERY, files, of_an_earlier_quire, run


def test_what_is_made_is_made_once(tmp_path: Path):
    run(tmp_path, "app", "owner", "tls", "kafka")
    made = files(tmp_path)
    run(tmp_path, "app", "owner", "tls", "kafka")
    assert files(tmp_path) == made


def test_each_role_has_a_password_of_its_own(tmp_path: Path):
    run(tmp_path, "app", "owner")
    made = files(tmp_path)
    passwords = [text for name, text in made.items() if name.endswith("password")]
    assert len(set(passwords)) == len(passwords) == 4
    secret = made["owner/reader-password"]
    assert made["owner/reader-dsn"] == f"postgresql://quire_reader:{secret}@postgres:5432/quire"
    assert set(made) == {
        "app/password", "app/dsn", "owner/owner-password", "owner/owner-dsn",
        "owner/reader-password", "owner/reader-dsn", "owner/admin-password",
    }  # fmt: skip


def test_a_password_of_ones_own_is_quoted_without_the_end_of_its_line(tmp_path: Path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "password").write_text("p@ss/word\n")
    run(tmp_path, "app", "owner")
    dsn = files(tmp_path)["app/dsn"]
    assert dsn == "postgresql://quire_app:p%40ss%2Fword@postgres:5432/quire"


def test_tls_can_be_added_later_and_keeps_the_passwords(tmp_path: Path):
    run(tmp_path, "app", "owner")
    before = files(tmp_path)
    run(tmp_path, "app", "owner", "tls")
    after = files(tmp_path)
    assert after["app/password"] == before["app/password"]
    assert after["app/dsn"] == (
        f"{before['app/dsn']}?sslmode=verify-full&sslrootcert={tmp_path}/app/ca.pem"
    )


def test_what_was_made_is_told_by_directory_and_can_be_used_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    root = tmp_path / "a shop"
    root.mkdir()
    monkeypatch.chdir(root)
    run(Path(), "app", "owner", "tls")
    told = capsys.readouterr().err.splitlines()
    assert "made server.key, server.pem in tls/postgres" in told
    assert "made ca.pem, password, dsn in app" in told
    assert len(told) == 5
    for dsn in (root / "app/dsn", root / "owner/owner-dsn", root / "owner/reader-dsn"):
        assert conninfo_to_dict(dsn.read_text())["sslrootcert"] == str(root / "app/ca.pem")


def test_a_dsn_of_an_earlier_quire_becomes_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    run(Path(), "app", "owner", "tls")
    dsn = tmp_path / "app/dsn"
    now = dsn.read_text()
    dsn.write_text(now.replace(f"{tmp_path}/", ""))
    of_an_earlier_quire(tmp_path)
    run(Path(), "app", "owner", "tls")
    assert dsn.read_text() == now


def test_no_user_of_kafka_without_tls(tmp_path: Path):
    with pytest.raises(UsageError):
        run(tmp_path, "app", "owner", "kafka")
    assert files(tmp_path) == {}


def test_the_broker_knows_each_password_and_nobody_else_does(tmp_path: Path):
    run(tmp_path, "app", "owner", "tls", "kafka")
    made = files(tmp_path / "kafka")
    users = {name.split("/")[0] for name in made} - {"broker"}
    passwords = {user: made[f"{user}/password"] for user in users}
    assert "admin" in users
    assert len(set(passwords.values())) == len(users)
    for user, password in passwords.items():
        assert made["broker/jaas.conf"].count(f'user_{user}="{password}"') == 2
        assert {name for name, text in made.items() if password in text} == {
            f"{user}/password",
            "broker/jaas.conf",
        }


def test_a_server_can_be_told_by_its_certificate(tmp_path: Path):
    run(tmp_path, "app", "owner", "tls")
    authority = tmp_path / "tls" / "ca.pem"
    for name, host in (("postgres/server", "postgres"), ("kafka/kafka", "kafka")):
        key = tmp_path / "tls" / f"{name}.key"
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(tmp_path / "tls" / f"{name}.pem", key if key.exists() else None)
        for called in (host, "localhost", "127.0.0.1"):
            shake_hands(server, ssl.create_default_context(cafile=str(authority)), called)
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(server, ssl.create_default_context(cafile=str(authority)), "elsewhere")
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(server, ssl.create_default_context(), host)


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, called: str) -> None:
    """Without a socket; raises what the client finds wrong."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=called)
    theirs = server.wrap_bio(there, back, server_side=True)
    waiting = {ours, theirs}
    while waiting:
        for side in (ours, theirs):
            try:
                side.do_handshake()
                waiting.discard(side)
            except ssl.SSLWantReadError:
                continue


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "app").write_text("a file, no directory")
    with pytest.raises(Failure, match="app/password cannot be written") as told:
        run(tmp_path, "app", "owner")
    assert told.value.code == "not_writable"


@pytest.mark.parametrize("earlier", [True, False], ids=["made by 0.1.0", "made by us"])
def test_what_a_person_wrote_stays(
    tmp_path: Path, earlier: bool, capsys: pytest.CaptureFixture[str]
):
    run(tmp_path, *EVERY)
    if earlier:
        of_an_earlier_quire(tmp_path)
    jaas = (tmp_path / "kafka/broker/jaas.conf").read_text()
    theirs = {
        "app/dsn": "postgresql://quire_app:other@db.example:5432/quire",
        "app/ca.pem": "-----BEGIN CERTIFICATE-----\nof a company\n",
        "kafka/broker/jaas.conf": jaas.replace(";", ' user_partner="p";', 1),
    }
    for name, text in theirs.items():
        (tmp_path / name).write_text(text)
    capsys.readouterr()
    run(tmp_path, *EVERY)
    now = files(tmp_path)
    assert {name: now[name] for name in theirs} == theirs
    told = capsys.readouterr().err
    assert all(str(tmp_path / name) in told for name in theirs)


@pytest.mark.parametrize("earlier", [True, False], ids=["made by 0.1.0", "made by us"])
def test_what_we_wrote_follows_what_it_is_made_of(tmp_path: Path, earlier: bool):
    run(tmp_path, *EVERY)
    before = files(tmp_path)
    if earlier:
        of_an_earlier_quire(tmp_path)
    for old in (tmp_path / "tls").rglob("*.*"):
        old.unlink()  # the certificates are renewed
    (tmp_path / "kafka/relay/password").write_text("another")
    run(tmp_path, *EVERY)
    now = files(tmp_path)
    assert now["tls/ca.pem"] != before["tls/ca.pem"]
    assert now["app/ca.pem"] == now["kafka/relay/ca.pem"] == now["tls/ca.pem"]
    assert now["kafka/broker/jaas.conf"].count('user_relay="another"') == 2
    run(tmp_path, "app", "owner")
    assert "sslmode" not in files(tmp_path)["app/dsn"], "without TLS again"


def test_a_password_that_was_changed_changes_the_dsn_that_we_wrote(tmp_path: Path):
    run(tmp_path, "app", "owner")
    (tmp_path / "app/password").write_text("another")
    run(tmp_path, "app", "owner")
    assert files(tmp_path)["app/dsn"] == "postgresql://quire_app:another@postgres:5432/quire"


def test_a_certificate_of_ones_own_wants_its_authority(tmp_path: Path):
    (tmp_path / "tls/postgres").mkdir(parents=True)
    (tmp_path / "tls/postgres/server.pem").write_text("of a company")
    with pytest.raises(Failure, match="not the authority"):
        run(tmp_path, *EVERY)
    assert files(tmp_path) == {"tls/postgres/server.pem": "of a company"}
