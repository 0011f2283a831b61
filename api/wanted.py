"""What `POST /orders` takes, read by msgspec: the quick twin of `forms.OrderForm`.

It takes nothing that the form refuses. Fields stand by name, so that the bytes of a request's
fingerprint are those of its form with sorted keys.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.json import Decoder

from api.forms import LARGEST


class WantedPrice(Struct, frozen=True, forbid_unknown_fields=True):
    amount_minor: Annotated[int, Meta(ge=0, le=LARGEST)]
    currency: Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]


class WantedLine(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    quantity: Annotated[int, Meta(ge=1, le=LARGEST)]
    sku: Annotated[str, Meta(min_length=1, max_length=100)]
    unit_price: WantedPrice | None = None


class WantedContact(Struct, frozen=True, forbid_unknown_fields=True):
    address: Annotated[str, Meta(max_length=1000)] = ""
    email: Annotated[str, Meta(max_length=320)] = ""
    name: Annotated[str, Meta(max_length=1000)] = ""


class Wanted(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    contact: WantedContact | None = None
    customer_id: Annotated[str, Meta(max_length=200)] = ""
    language: Annotated[str, Meta(pattern=r"\A[a-zA-Z-]{2,10}\Z")] = "en"
    lines: Annotated[list[WantedLine], Meta(min_length=1, max_length=2000)]
    payment_method: Annotated[str, Meta(min_length=1, max_length=200)]
    shortage: Literal["reject", "backorder"] = "reject"


decode = Decoder(Wanted).decode
