"""E-mail over SMTP: at least once, and with the same Message-ID each time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import monotonic

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
)

from domain.notification.messages import DeliveryAnswer, DeliveryRequest
from gateways.breaker import Breaker
from gateways.letter import AddressNotUsable, letter
from gateways.recipients import ContactErased, ContactNotReadable, Recipients
from gateways.smtp_server import Server, connected, trust, why_not

_OF_THE_MESSAGE = (SMTPSenderRefused, SMTPRecipientRefused, SMTPDataError)
_AWAY = DeliveryAnswer("unreachable", "smtp_away")


class SmtpSender:
    """Sends each message over one of a few connections that stay open.

    Opens a contact only when its turn has come, and forgets it with the message. A server that
    cannot be used, for whatever reason, is left alone after three failures in a row.
    """

    def __init__(
        self, server: Server, recipients: Recipients, breaker: Breaker | None = None
    ) -> None:
        self._server = server
        self._trusted = trust(server)
        self._recipients = recipients
        self._breaker = breaker or Breaker(monotonic)
        self._slots = asyncio.Semaphore(server.connections)
        self._idle: list[SMTP] = []
        self._why_not = _AWAY

    async def perform(self, request: DeliveryRequest) -> DeliveryAnswer:
        async with self._slots:
            if not self._breaker.admits():
                return self._why_not
            try:
                return await self._deliver(request)
            except ContactErased:
                return DeliveryAnswer("failed", "contact_erased")
            except ContactNotReadable as reason:
                return DeliveryAnswer("unreachable", reason.code)
            except AddressNotUsable:
                return DeliveryAnswer("failed", "address_not_usable")
            except Exception as fault:
                # Its text could hold the address, and the engine writes down what a fault says.
                raise RuntimeError(f"{type(fault).__name__} while sending") from None

    async def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
        await self._recipients.close()

    async def _deliver(self, request: DeliveryRequest) -> DeliveryAnswer:
        recipient = await self._recipients.recipient(request)
        if not recipient.email:
            return DeliveryAnswer("suppressed", "no_address")
        message = letter(request, recipient, self._server.sender)
        try:
            async with asyncio.timeout(self._server.seconds), self._connection() as smtp:
                await smtp.send_message(message)
        except (SMTPException, OSError) as error:  # TimeoutError is an OSError
            answer = _of_the_message(error)
            if answer is None:
                self._breaker.failed()
                self._why_not = why_not(error)
                return self._why_not
        else:
            answer = DeliveryAnswer("sent")
        self._breaker.succeeded()
        return answer

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[SMTP]:
        """One that works; it is kept for the next message unless something goes wrong."""
        smtp = await self._reuse() or await connected(self._server, self._trusted)
        try:
            yield smtp
        except BaseException as error:
            if isinstance(error, SMTPRecipientsRefused) and smtp.is_connected:
                self._idle.append(smtp)  # the connection is as good as before
            else:
                smtp.close()
            raise
        self._idle.append(smtp)

    async def _reuse(self) -> SMTP | None:
        """A connection that the server has not closed meanwhile."""
        while self._idle:
            smtp = self._idle.pop()
            try:
                await smtp.rset()
            except (SMTPException, OSError):
                smtp.close()
            else:
                return smtp
        return None


def _of_the_message(error: Exception) -> DeliveryAnswer | None:
    """What the server says to the message itself, where 5xx is final; else None."""
    if isinstance(error, SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, _OF_THE_MESSAGE):
        outcome = "failed" if error.code >= 500 else "unreachable"
        return DeliveryAnswer(outcome, f"smtp_{error.code}")
    if isinstance(error, SMTPNotSupported):  # an address with other letters than ASCII
        return DeliveryAnswer("failed", "address_not_usable")
    return None
