"""Passwords and certificates are made once, and fit each other."""

import ssl
from pathlib import Path

import pytest
from click import UsageError

from cli.keys import make
from cli.output import Failure


def run(root: Path, *names: str) -> None:
    make.main([f"--{name}={root / name}" for name in names], standalone_mode=False)


def files(root: Path) -> dict[str, str]:
    return {str(p.relative_to(root)): p.read_text() for p in root.rglob("*") if p.is_file()}


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
