"""Who gets a message: asked for at the moment of sending, and kept nowhere."""

from typing import Protocol

from msgspec import Struct

from domain.notification.messages import DeliveryRequest


class Recipient(Struct, frozen=True):
    """A person in the clear. Never log one, never store one."""

    email: str = ""
    name: str = ""

    def __repr__(self) -> str:
        return "Recipient(...)"


class ContactErased(Exception):
    """The key of the person is gone, and with it all that was sealed for them."""


class ContactNotReadable(Exception):
    """The contact cannot be read just now; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Recipients(Protocol):
    """Opens the contact of a request; raises the two above."""

    async def recipient(self, request: DeliveryRequest) -> Recipient: ...

    async def close(self) -> None: ...
