"""One e-mail of a notification: the same notification makes the same Message-ID, always."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime
from hashlib import sha256

from domain.notification.messages import DeliveryRequest
from gateways.recipients import Recipient
from gateways.rendering import render


class AddressNotUsable(Exception):
    """No mail can be sent to what stands in the contact. Says nothing of what that is."""


def letter(request: DeliveryRequest, recipient: Recipient, sender: str) -> EmailMessage:
    """The whole message; raises `AddressNotUsable`."""
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = _address(recipient)
    made["Message-ID"] = message_id(request.notification_id, sender)
    made["Date"] = localtime()
    made["Auto-Submitted"] = "auto-generated"  # so that no holiday notice comes back
    told = render(request, recipient.name)
    made["Subject"] = told.subject
    made["Content-Language"] = told.language
    made.set_content(told.text)
    made.add_alternative(told.html, subtype="html")
    return made


def message_id(notification_id: str, sender: str) -> str:
    """Who sends it again after a crash gives it the same one, so that readers see it once."""
    domain = sender.rpartition("@")[2].rstrip(">") or "localhost"
    return f"<quire.{sha256(notification_id.encode()).hexdigest()[:32]}@{domain}>"


def _address(recipient: Recipient) -> Address:
    try:
        return Address(recipient.name, addr_spec=recipient.email.strip())
    except Exception:  # the parser raises IndexError and AttributeError on some of them, too
        # Without its cause: the message would hold the address.
        raise AddressNotUsable from None
