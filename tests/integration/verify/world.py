"""A log with some sales in it that a superuser can change."""

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.ids import derive
from domain.inventory.messages import ReservationCommitted, StockReceived, StockReserved
from domain.message import Event, Line, Money, SkuQuantity
from domain.order.messages import OrderPlaced
from domain.payment.messages import PaymentAuthorized, PaymentCaptured
from store import seals
from store.chain import link
from store.codec import encode
from store.connect import connect
from store.invariants import Ledger
from store.log import APPEND, NewEvent, columns
from store.verify import Report, verify

KEY = Ed25519PrivateKey.generate()
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
GBP = "GBP"


def chained(events: list[Event], heads: dict[str, tuple[int, bytes]]) -> list[NewEvent]:
    """Number and chain `events`, each behind the last of its stream."""
    facts: list[NewEvent] = []
    for event in events:
        version, head = heads.get(event.stream, (0, b""))
        data = encode(event)
        cause = uuid4()
        fields = (
            event.stream, version + 1, event.type, derive(0, f"{cause}"), AT, AT, "c", cause,
            "quire/test", False,
        )  # fmt: skip
        hashed = link(head, *fields, data)
        heads[event.stream] = (version + 1, hashed)
        facts.append(NewEvent(*fields, data.decode(), hashed))
    return facts


def a_sale(order_id: str) -> list[Event]:
    two = (SkuQuantity("mug", 2),)
    lines = (Line(1, "mug", 2, Money(500, GBP)),)
    return [
        OrderPlaced(order_id, lines, Money(1000, GBP)),
        StockReserved(order_id, two),
        PaymentAuthorized(order_id, 1, Money(1000, GBP), "ref"),
        ReservationCommitted(order_id, two, f"{order_id}.1"),
        PaymentCaptured(order_id, f"{order_id}.1", Money(1000, GBP), "ref"),
    ]


class Log:
    """The log of one test: what is appended here is sealed at once."""

    def __init__(self, app: str, admin: str) -> None:
        self.app = app
        self.admin = admin
        self.heads: dict[str, tuple[int, bytes]] = {}
        self.tamper("truncate event", "truncate seal", "truncate stock_level")

    async def append(self, *events: Event, seal: bool = True) -> None:
        async with await connect(self.app, name="test") as conn:
            await conn.execute(APPEND, columns(chained(list(events), self.heads)))
            await conn.execute(
                "insert into stock_level (sku, on_hand, version, head)"
                " select 'mug', 100 - 2 * (select count(*) from event where type ="
                " 'quire.inventory.committed.v1'), version, hash from event"
                " where stream = 'stock-mug' on conflict (sku) do update"
                " set on_hand = excluded.on_hand"
            )
            while seal and await seals.seal_next(conn, KEY, datetime.now(UTC)):
                pass

    def tamper(self, *statements: str) -> None:
        """Do what only a superuser can: with the triggers off."""
        with psycopg.connect(self.admin) as conn:
            conn.execute("set session_replication_role = replica")
            for statement in statements:
                conn.execute(statement.encode())

    def verify(
        self,
        ledger: Ledger | None = None,
        settle_seconds: float = 60,
        processes: int | None = None,
    ) -> Report:
        key = KEY.public_key()
        return verify(
            self.app, key, ledger=ledger, settle_seconds=settle_seconds, processes=processes
        )

    def codes(self) -> set[tuple[str, int]]:
        return {(one.code, one.position - self.first + 1) for one in self.verify().findings}

    @property
    def first(self) -> int:
        """The position of the test's first fact; positions go on after a truncate."""
        with psycopg.connect(self.app) as conn:
            row = conn.execute("select min(first_position) from seal").fetchone()
        assert row is not None
        return int(row[0])


async def with_three_sales(log: Log) -> None:
    """Sixteen facts in two seals: 1 receipt, then 5 facts a sale."""
    await log.append(StockReceived("mug", 100), *a_sale("a"))
    await log.append(*a_sale("b"), *a_sale("c"))
