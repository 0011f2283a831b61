"""What is personal is sealed under its person's key, and gone with it."""

from pathlib import Path

import pytest

from store.connect import AsyncConnection
from store.vault import CannotOpen, Vault, read_master_key


async def test_only_the_same_person_and_master_open_it(conn: AsyncConnection) -> None:
    vault = Vault(bytes(32))
    sealed = await vault.seal(conn, "customer:1", b"Ada")
    assert sealed != await vault.seal(conn, "customer:1", b"Ada")
    assert await Vault(bytes(32)).open(conn, "customer:1", sealed) == b"Ada"
    await vault.seal(conn, "customer:2", b"Bob")
    with pytest.raises(CannotOpen):
        await vault.open(conn, "customer:2", sealed)
    with pytest.raises(CannotOpen):
        await Vault(b"x" * 32).open(conn, "customer:1", sealed)
    with pytest.raises(CannotOpen):
        await vault.open(conn, "customer:1", sealed[:-3] + "AAA")


async def test_without_the_key_nothing_opens(conn: AsyncConnection) -> None:
    sealed = await Vault(bytes(32)).seal(conn, "order:1", b"Ada")
    await conn.execute("delete from contact_key where subject = 'order:1'")
    with pytest.raises(CannotOpen):
        await Vault(bytes(32)).open(conn, "order:1", sealed)


async def test_the_file_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "master.key"
    made = read_master_key(path)
    assert len(made) == 32
    assert read_master_key(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
