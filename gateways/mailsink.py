"""A small real SMTP server that keeps what it gets and passes nothing on."""

import asyncio
import logging
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from gateways.mailbox import Mailbox

LARGEST_BYTES = 10_000_000
LOOPBACK = "127.0.0.1"


class _Keeping:
    """What aiosmtpd calls when a message is whole."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        try:
            id = self._mailbox.keep(content)
        except OSError:
            logging.getLogger("quire.mail").exception("a mail cannot be written down")
            return "452 4.3.1 no room for it"
        return f"250 2.0.0 kept as {id}"


async def listen(port: int, directory: Path) -> asyncio.Server:
    """Take mail on loopback from now on."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd writes down addresses
    loop = asyncio.get_running_loop()
    handler = _Keeping(Mailbox(directory))

    def session() -> SMTP:
        return SMTP(
            handler,
            hostname="localhost",
            ident="Quire mail sink",
            data_size_limit=LARGEST_BYTES,
            enable_SMTPUTF8=True,
            loop=loop,
        )

    return await loop.create_server(session, LOOPBACK, port)
