"""An order that is known: by its document, or until that shows by the wish that placed it."""

import msgspec

from api.problems import order_not_found
from api.service import Service
from domain.order.messages import PlaceOrder
from store import codec, idempotency, outcomes
from store.connect import AsyncConnection
from store.idempotency import Wish
from store.views import orders, served
from store.views.document import OrderDocument

_STATUS = {"refused": "rejected", "parked": "parked", "discarded": "rejected"}


async def known_document(conn: AsyncConnection, order_id: str) -> OrderDocument | None:
    """None when it was accepted and does not show yet; a problem when nobody placed it."""
    found = await orders.load(conn, [order_id])
    if order_id in found:
        return found[order_id]
    await _placed(conn, order_id)
    return None


async def read(service: Service, order_id: str) -> bytes:
    """The document ready to serve, or what is known of the order until it shows."""
    document = await service.document(order_id)
    if document is not None:
        return document.encode()
    async with service.db() as conn:
        wish = await _placed(conn, order_id)
        # It may have come in between the two looks.
        document = (await served.read(conn, [order_id])).get(order_id)
        return document.encode() if document is not None else await _accepted(conn, wish)


async def _placed(conn: AsyncConnection, order_id: str) -> Wish:
    kind = PlaceOrder.kind.encode()
    for wish in await idempotency.of_subject(conn, f"order-{order_id}"):
        if ("ce_type", kind) in wish.headers:
            return wish
    raise order_not_found(order_id)


async def _accepted(conn: AsyncConnection, wish: Wish) -> bytes:
    command = codec.decode_command(PlaceOrder.kind, wish.body)
    assert isinstance(command, PlaceOrder)
    outcome = (await outcomes.find(conn, [wish.command_id])).get(wish.command_id)
    status = _STATUS.get(outcome.result, "accepted") if outcome else "accepted"
    reason = {"reason": {"code": outcome.code}} if outcome and outcome.code else {}
    return msgspec.json.encode(
        {
            "order_id": command.order_id,
            "status": status,
            "fulfilment": "none",
            "payment": "created",
            "customer_id": command.customer_id,
            "lines": command.lines,
            "placed_at": wish.created_at,
            **reason,
        }
    )
