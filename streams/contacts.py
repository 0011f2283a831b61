"""Opens sealed contacts, one at a time, when a message is about to leave."""

import asyncio
import logging

import msgspec

from domain.notification.messages import DeliveryRequest
from gateways.recipients import ContactErased, ContactNotReadable, Recipient
from store.connect import AsyncConnection, connect
from store.errors import Unavailable, translated
from store.vault import CannotOpen, OtherMasterKey, Vault, read_master_key
from streams.settings import Settings

log = logging.getLogger("quire.contacts")


class SealedContacts:
    """Looks the person's key up each time: one that was erased opens nothing any more."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._conn: AsyncConnection | None = None
        self._connecting = asyncio.Lock()

    async def recipient(self, request: DeliveryRequest) -> Recipient:
        person = (
            f"customer:{request.customer_id}"
            if request.customer_id
            else f"order:{request.order_id}"
        )
        try:
            with translated():
                vault = Vault(self._master_key())
                clear = await vault.open(await self._connection(), person, request.contact)
            return msgspec.json.decode(clear, type=Recipient)
        except OtherMasterKey:
            log.warning("a contact was sealed under another master key: see QUIRE_MASTER_KEY")
            raise ContactNotReadable("master_key_wrong") from None
        except (CannotOpen, msgspec.DecodeError):
            raise ContactErased from None
        except Unavailable as away:
            await self.close()
            raise ContactNotReadable("contacts_away") from away

    async def close(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            await conn.close()

    def _master_key(self) -> bytes:
        settings = self._settings
        given = settings.master_key.get_secret_value()
        return read_master_key(settings.state_dir / "master.key", given=given)

    async def _connection(self) -> AsyncConnection:
        async with self._connecting:
            if self._conn is None or self._conn.closed:
                dsn = self._settings.postgres_dsn.get_secret_value()
                self._conn = await connect(dsn, name="quire-notification contacts")
            return self._conn
