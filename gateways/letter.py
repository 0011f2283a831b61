"""One e-mail of a notification: the same notification makes the same Message-ID, always."""

from email.headerregistry import Address, BaseHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime
from functools import lru_cache
from hashlib import sha256

from domain.notification.messages import DeliveryRequest
from gateways.recipients import Recipient
from gateways.rendering import render


class AddressNotUsable(Exception):
    """No mail can be sent to what stands in the contact. Says nothing of what that is."""


def letter(request: DeliveryRequest, recipient: Recipient, sender: str) -> EmailMessage:
    """The whole message; raises `AddressNotUsable`."""
    made = EmailMessage(policy=SMTP)
    made["From"] = _header("From", sender)
    made["To"] = _address(recipient)
    made["Message-ID"] = message_id(request.notification_id, sender)
    made["Date"] = localtime()
    # So that no holiday notice comes back.
    made["Auto-Submitted"] = _header("Auto-Submitted", "auto-generated")
    told = render(request, recipient.name)
    made["Subject"] = told.subject
    made["Content-Language"] = _header("Content-Language", told.language)
    made.set_content(told.text)
    made.add_alternative(told.html, subtype="html")
    return made


def message_id(notification_id: str, sender: str) -> str:
    """Who sends it again after a crash gives it the same one, so that readers see it once."""
    domain = sender.rpartition("@")[2].rstrip(">") or "localhost"
    return f"<quire.{sha256(notification_id.encode()).hexdigest()[:32]}@{domain}>"


@lru_cache(maxsize=64)
def _header(name: str, value: str) -> BaseHeader:
    """A header that many letters share: parsing one costs as much as writing the text."""
    parsed: BaseHeader = SMTP.header_factory(name, value)
    return parsed


def _address(recipient: Recipient) -> Address:
    try:
        return Address(recipient.name, addr_spec=recipient.email.strip())
    except Exception:  # the parser raises IndexError and AttributeError on some of them, too
        # Without its cause: the message would hold the address.
        raise AddressNotUsable from None
