"""What the books read of each fact, and no more: msgspec passes over the rest of its text."""

import msgspec
from msgspec import Struct


class SkuLine(Struct, frozen=True, gc=False):
    sku: str
    quantity: int


class NumberedLine(Struct, frozen=True, gc=False):
    line: int
    quantity: int


class Money(Struct, frozen=True, gc=False):
    amount_minor: int


NOTHING = Money(0)


class StockMoved(Struct, frozen=True, gc=False):
    sku: str
    quantity: int = 0
    delta: int = 0


class OfOrder(Struct, frozen=True, gc=False):
    order_id: str


class SkusOfOrder(OfOrder, frozen=True, gc=False):
    lines: tuple[SkuLine, ...] = ()


class LinesOfOrder(OfOrder, frozen=True, gc=False):
    lines: tuple[NumberedLine, ...] = ()


class LinesGivenUp(OfOrder, frozen=True, gc=False):
    lines: tuple[NumberedLine, ...] = ()
    refund: Money = NOTHING


class MoneyOfOrder(OfOrder, frozen=True, gc=False):
    amount: Money


class MoneyOwed(OfOrder, frozen=True, gc=False):
    refund: Money = NOTHING


class RefundsLetGo(OfOrder, frozen=True, gc=False):
    refunds: Money = NOTHING


stock_moved = msgspec.json.Decoder(StockMoved).decode
of_order = msgspec.json.Decoder(OfOrder).decode
skus_of_order = msgspec.json.Decoder(SkusOfOrder).decode
lines_of_order = msgspec.json.Decoder(LinesOfOrder).decode
lines_given_up = msgspec.json.Decoder(LinesGivenUp).decode
money_of_order = msgspec.json.Decoder(MoneyOfOrder).decode
money_owed = msgspec.json.Decoder(MoneyOwed).decode
refunds_let_go = msgspec.json.Decoder(RefundsLetGo).decode
