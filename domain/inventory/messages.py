"""Commands and events of inventory. The names are the wire and storage format."""

from typing import ClassVar, Literal

from msgspec import Struct

from domain.message import Command, Event, Shortage, SkuQuantity

ReleaseCause = Literal["cancel", "expiry", "payment"]


class ReservationCommand(Command, frozen=True):
    context: ClassVar[str] = "inventory"
    order_id: str

    @property
    def key(self) -> str:
        return self.order_id

    @property
    def stream(self) -> str:
        return f"reservation-{self.order_id}"


class ReserveStock(ReservationCommand, frozen=True):
    """All of `lines` or nothing; with policy `backorder` the order waits its turn."""

    kind: ClassVar[str] = "quire.inventory.reserve"
    lines: tuple[SkuQuantity, ...]
    shortage: Literal["reject", "backorder"] = "reject"


class CommitReservation(ReservationCommand, frozen=True):
    """The goods have left: `lines` come off the shelf and out of the reservation."""

    kind: ClassVar[str] = "quire.inventory.commit"
    lines: tuple[SkuQuantity, ...]
    parcel_id: str = ""


class ReleaseReservation(ReservationCommand, frozen=True):
    """Gives back `lines`, or all that is still reserved when there are none."""

    kind: ClassVar[str] = "quire.inventory.release"
    cause: ReleaseCause
    lines: tuple[SkuQuantity, ...] = ()
    reference: str = ""


class StockCommand(Command, frozen=True):
    context: ClassVar[str] = "inventory"
    sku: str

    @property
    def key(self) -> str:
        return self.sku

    @property
    def stream(self) -> str:
        return f"stock-{self.sku}"


class ReceiveStock(StockCommand, frozen=True):
    kind: ClassVar[str] = "quire.inventory.receive"
    quantity: int
    reference: str = ""


class AdjustStock(StockCommand, frozen=True):
    """A count or a write-off: `delta` may be negative, never below what is reserved."""

    kind: ClassVar[str] = "quire.inventory.adjust"
    delta: int
    reason: str


class RestockReturn(StockCommand, frozen=True):
    """Returned goods of one order go back on the shelf."""

    kind: ClassVar[str] = "quire.inventory.restock"
    quantity: int
    order_id: str
    reference: str = ""


class ReservationEvent(Event, frozen=True):
    order_id: str

    @property
    def stream(self) -> str:
        return f"reservation-{self.order_id}"


class StockReserved(ReservationEvent, frozen=True):
    type: ClassVar[str] = "quire.inventory.reserved.v1"
    lines: tuple[SkuQuantity, ...]


class StockRanShort(ReservationEvent, frozen=True):
    type: ClassVar[str] = "quire.inventory.ran_short.v1"
    shortages: tuple[Shortage, ...]


class StockBackordered(ReservationEvent, frozen=True):
    """The order waits for `lines`; it keeps its place."""

    type: ClassVar[str] = "quire.inventory.backordered.v1"
    lines: tuple[SkuQuantity, ...]
    shortages: tuple[Shortage, ...]


class ReservationCommitted(ReservationEvent, frozen=True):
    type: ClassVar[str] = "quire.inventory.committed.v1"
    lines: tuple[SkuQuantity, ...]
    parcel_id: str = ""


class ReservationReleased(ReservationEvent, frozen=True):
    """`lines` are free again. With no lines it is the tombstone of a reservation that never was,
    or of an order that had only been waiting."""

    type: ClassVar[str] = "quire.inventory.released.v1"
    lines: tuple[SkuQuantity, ...]
    cause: ReleaseCause
    reference: str = ""


class StockEvent(Event, frozen=True):
    sku: str

    @property
    def stream(self) -> str:
        return f"stock-{self.sku}"


class StockReceived(StockEvent, frozen=True):
    type: ClassVar[str] = "quire.stock.received.v1"
    quantity: int
    reference: str = ""


class StockAdjusted(StockEvent, frozen=True):
    type: ClassVar[str] = "quire.stock.adjusted.v1"
    delta: int
    reason: str


class StockRestocked(StockEvent, frozen=True):
    type: ClassVar[str] = "quire.stock.restocked.v1"
    quantity: int
    order_id: str
    reference: str = ""


class WaitingOrder(Struct, frozen=True):
    """One who waits, and what of this sku; all that it wants stands in its reservation."""

    order_id: str
    lines: tuple[SkuQuantity, ...]


class StockAvailable(StockEvent, frozen=True):
    """Goods are there for `orders`, who waited longest, oldest first."""

    type: ClassVar[str] = "quire.stock.available.v1"
    orders: tuple[WaitingOrder, ...]
