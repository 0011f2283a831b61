"""A mail server that speaks TLS, lets nobody in who does not sign in, and counts what it got."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from gateways.smtp_server import Tls
from tests.integration.certificates import Files

USER, PASSWORD = "shop", "correct horse"


class Office:
    """What a mail server took in, from whom, and all that it was told in the clear."""

    def __init__(self, password: str) -> None:
        self.port = 0
        self._known = LoginPassword(USER.encode(), password.encode())
        self.taken: list[bool] = []
        self.tried = 0
        self.in_the_clear = b""
        self.open: list[asyncio.BaseTransport] = []

    def knows(self, server: SMTP, session: object, envelope: object, how: str, who: object):
        self.tried += 1
        return AuthResult(success=who == self._known, handled=False)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.taken.append(bool(session.authenticated))
        return "250 fine"


@asynccontextmanager
async def office(files: Files | None, tls: Tls, password: str = PASSWORD) -> AsyncGenerator[Office]:
    """A server that speaks TLS as `tls` says, and lets nobody in who does not sign in."""
    made, loop = Office(password), asyncio.get_running_loop()
    context = None
    if files is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(files.certificate, files.key)

    class Overheard(SMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.open.append(transport)
            super().connection_made(transport)

        def data_received(self, data: bytes) -> None:
            assert self.transport is not None
            if self.transport.get_extra_info("sslcontext") is None:
                made.in_the_clear += data
            super().data_received(data)

    def session() -> SMTP:
        return Overheard(
            made, hostname="test", loop=loop, authenticator=made.knows,
            tls_context=context if tls == "starttls" else None,
            auth_required=tls == "starttls", auth_require_tls=tls == "starttls",
        )  # fmt: skip

    first = context if tls == "tls" else None
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=first)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        for transport in made.open:
            transport.close()
        server.close()
