"""What may be in the body of a request: whole numbers of 64 bits, prices in minor units."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.message import MAIN

LARGEST = 2**63 - 1
WAREHOUSE = r"^[a-z0-9][a-z0-9-]{0,39}$"

Quantity = Annotated[int, Field(strict=True, ge=1, le=LARGEST)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Sku = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Text = Annotated[str, StringConstraints(max_length=1000)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Form(BaseModel):
    """Unknown fields are refused: a misspelt one would be lost without a word."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MoneyForm(Form):
    amount_minor: Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
    currency: Currency


class LineForm(Form):
    """`unit_price` may be left out; when it is given it has to be the catalogue's."""

    sku: Sku
    quantity: Quantity
    unit_price: MoneyForm | None = None


class ContactForm(Form):
    """Sealed before anything is stored or published."""

    name: Text = ""
    email: Annotated[str, StringConstraints(max_length=320)] = ""
    address: Text = ""


class OrderForm(Form):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "lines": [{"sku": "9780141439518", "quantity": 2}],
                    "payment_method": "tok_approve",
                    "customer_id": "c-1001",
                    "contact": {
                        "name": "Ada Lovelace",
                        "email": "ada@example.org",
                        "address": "12 St James's Square, London",
                    },
                }
            ]
        },
    )

    lines: Annotated[list[LineForm], Field(min_length=1, max_length=2000)]
    payment_method: Word
    customer_id: Annotated[str, StringConstraints(max_length=200)] = ""
    contact: ContactForm | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z-]{2,10}$")] = "en"
    shortage: Literal["reject", "backorder"] = "reject"


class OrderLineForm(Form):
    """So many units of an order's line, named by its number or, if that is clear, its sku."""

    line: Annotated[int, Field(strict=True, ge=1, le=100_000)] | None = None
    sku: Sku | None = None
    quantity: Quantity


class CancelForm(Form):
    """Without lines all that is left is cancelled."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"lines": [{"line": 1, "quantity": 1}], "reason": "ordered twice"}]
        },
    )

    lines: list[OrderLineForm] = Field(default_factory=list[OrderLineForm], max_length=2000)
    reason: Text = ""


class PayForm(Form):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"payment_method": "tok_approve"}]},
    )

    payment_method: Word


class SettleForm(Form):
    """Without `write_off` what failed is tried again, on another card if one is named."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"payment_method": "tok_approve"},
                {"write_off": True, "reason": "the customer cannot be found"},
            ]
        },
    )

    payment_method: Annotated[str, StringConstraints(max_length=200)] = ""
    write_off: Annotated[bool, Field(strict=True)] = False
    reason: Text = ""


class ReturnForm(Form):
    """Without lines all that was delivered comes back."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"lines": [{"line": 1, "quantity": 1}], "reason": "torn cover"}]
        },
    )

    lines: list[OrderLineForm] = Field(default_factory=list[OrderLineForm], max_length=2000)
    reason: Text = ""


class RefuseForm(Form):
    reason: Text = ""


class ReceiveForm(Form):
    """Without lines all that was approved came in. What is `unsellable` of it is paid back and does
    not go back on the shelf."""

    lines: list[OrderLineForm] = Field(default_factory=list[OrderLineForm], max_length=2000)
    condition: Text = ""
    unsellable: list[OrderLineForm] = Field(default_factory=list[OrderLineForm], max_length=2000)


class ReceiptForm(Form):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"quantity": 40, "reference": "delivery note 7"}]},
    )

    quantity: Quantity
    reference: Text = ""
    uncatalogued: Annotated[bool, Field(strict=True)] = False


class AdjustmentForm(Form):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"delta": -1, "reason": "water damage"}]},
    )

    delta: Annotated[int, Field(strict=True, ge=-LARGEST, le=LARGEST)]
    reason: Word


class ItemForm(Form):
    """What lies in another warehouse goes into a parcel of its own."""

    sku: Sku
    title: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    price: MoneyForm
    warehouse: Annotated[str, StringConstraints(pattern=WAREHOUSE)] = MAIN
    details: dict[str, str] = Field(default_factory=dict[str, str], max_length=50)


class CatalogueForm(Form):
    """Items that are there already get the new title, price and warehouse."""

    items: Annotated[list[ItemForm], Field(min_length=1, max_length=1000)]
