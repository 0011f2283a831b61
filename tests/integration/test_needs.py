"""Orders that need somebody are found in the list, until they do not any more."""

from pathlib import Path

import migrations
from domain.message import Event, Line, LineQuantity, Parcel
from domain.notification import messages as notification
from domain.order import messages as order
from domain.shipping import messages as shipping
from store.connect import AsyncConnection
from store.views import orders
from store.views.compare import Difference, compare
from store.views.every import VIEWS
from store.views.needs import ATTENTION, NEEDS
from store.views.orders import Filter
from store.views.shadow import rebuild
from streams.projector import Projector
from tests.integration.facts import eur, record

LINES = (LineQuantity(1, "mug", 1),)
BACKFILL = Path(migrations.HERE, "versions", "0011_needs_of_old.sql")


def confirmed(name: str) -> list[Event]:
    return [
        order.OrderPlaced(name, (Line(1, "mug", 1, eur(500)),), eur(500), customer_id=name),
        order.OrderConfirmed(name, eur(500), (Parcel(f"{name}.1", LINES),)),
        notification.NotificationSent(f"{name}.1", name, "order_confirmed", "email"),
    ]


TROUBLES: dict[str, Event] = {
    "label": shipping.ShipmentRefused("label", "label.1", "too_big", 3, LINES),
    "message": notification.NotificationFailed(
        "message.2", "message", "order_shipped", "email", "smtp_away"
    ),
    "money": order.OrderPaymentFailed("money", "capture", "money.1", "declined", eur(500)),
    "return": order.ReturnRequested("return", 1, LINES),
}
NO_TROUBLE = notification.NotificationFailed(
    "sound.2", "sound", "order_shipped", "email", "contact_erased"
)
ENDS: list[Event] = [
    shipping.ShipmentCreated("label", "label.1", LINES),
    order.OrderPaymentRetried("money", "capture", "money.1", eur(500), 1),
    order.ReturnRefused("return", 1),
]


async def project(conn: AsyncConnection, *facts: Event) -> None:
    await record(conn, facts)
    projector = Projector(conn)
    while await projector.step():
        pass


async def needing(conn: AsyncConnection, bits: int, *, customer: str = "") -> set[str]:
    documents, _ = await orders.page(conn, Filter(customer_id=customer, needs=bits), "", 100)
    return {orders.decode(each).order_id for each in documents}


async def test_each_is_found_by_what_it_needs(
    conn: AsyncConnection, owner: AsyncConnection
) -> None:
    await project(conn, *(fact for name in (*TROUBLES, "sound") for fact in confirmed(name)))
    assert await needing(conn, ATTENTION) == set()
    assert len(await needing(conn, 0)) == 5
    await project(conn, *TROUBLES.values(), NO_TROUBLE)

    async def all_are_found() -> None:
        for need, bit in NEEDS.items():
            assert await needing(conn, bit) == {need}
        assert await needing(conn, ATTENTION) == set(TROUBLES)

    await all_are_found()
    assert await needing(conn, ATTENTION, customer="money") == {"money"}

    await rebuild(owner, VIEWS["orders"])
    await all_are_found()
    await conn.execute("update order_view set needs = 0 where order_id not in ('money', 'sound')")
    different: list[Difference] = []
    await compare(conn, different.append)
    assert {each.key for each in different} == {"label", "message", "return"}
    await owner.execute(BACKFILL.read_bytes())  # what older code wrote
    await all_are_found()

    await project(conn, *ENDS)
    assert await needing(conn, ATTENTION) == {"message"}, "what did not leave stays undone"
