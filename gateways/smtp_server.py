"""The mail server that the settings name, and what is made sure of before mail goes there."""

import ssl
from typing import Literal, NamedTuple

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException

from domain.notification.messages import DeliveryAnswer

Tls = Literal["none", "starttls", "tls"]


class CaFileNotUsable(Exception):
    """The file of authorities cannot be read, or there is none in it; says which file."""


class Server(NamedTuple):
    """Where mail is handed in, and as whom; `ca_file` is PEM, without it the system's authorities
    count."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = ""
    tls: Tls = "starttls"
    seconds: float = 4
    connections: int = 8
    ca_file: str = ""


def trust(server: Server) -> ssl.SSLContext | None:
    """Whose certificates are taken; None where nothing is encrypted. Raises `CaFileNotUsable`."""
    if server.tls == "none":
        return None
    try:
        return ssl.create_default_context(cafile=server.ca_file or None)
    except OSError as error:  # ssl.SSLError is one
        why = f"{server.ca_file} holds no certificates in PEM: {type(error).__name__}"
        raise CaFileNotUsable(why) from error


async def connected(server: Server, trusted: ssl.SSLContext | None) -> SMTP:
    """A connection over which mail may go: encrypted and signed in as far as the settings say."""
    smtp = SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user or None,
        password=server.password or None,
        use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls",
        tls_context=trusted,
        timeout=server.seconds,
    )
    await smtp.connect()
    return smtp


def why_not(error: Exception) -> DeliveryAnswer:
    """Why there is no connection: each of these may be mended, so it is worth another try."""
    if isinstance(error, SMTPAuthenticationError):
        return DeliveryAnswer("unreachable", "smtp_not_authenticated")
    if _of_certificate(error) or _of_certificate(error.__cause__):
        return DeliveryAnswer("unreachable", "smtp_certificate_not_trusted")
    if type(error) is SMTPException and "STARTTLS" in str(error):  # it has no class of its own
        return DeliveryAnswer("unreachable", "smtp_without_starttls")
    return DeliveryAnswer("unreachable", "smtp_away")


def _of_certificate(error: BaseException | None) -> bool:
    return isinstance(error, ssl.SSLCertVerificationError)
