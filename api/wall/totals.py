"""Asks what those orders come to whose beginning the wall was not told, and has not read either."""

import asyncio
import logging
from time import monotonic

from api.wall.board import Board
from api.wall.truth import Truth, Unread

EVERY_SECONDS = 2.0
AGAIN_SECONDS = 60.0
"""So long nobody asks again for an order that the API did not know."""

log = logging.getLogger("quire.wall")


async def fill(board: Board, truth: Truth) -> None:
    """Give each order that is shown its total; for ever, since older ones may be told later."""
    asked: dict[str, float] = {}
    while True:
        asked = {
            order_id: at
            for order_id, at in asked.items()
            if order_id in board.orders and at + AGAIN_SECONDS > monotonic()
        }
        try:
            await _fill(board, truth, asked)
        except Unread as fault:
            log.warning("orders are shown without their totals: %s", fault)
        await asyncio.sleep(EVERY_SECONDS)


async def _fill(board: Board, truth: Truth, asked: dict[str, float]) -> None:
    missing = [
        each for each in board.orders.values() if each.total is None and each.order_id not in asked
    ]
    for order_id, what, position, at, _ in missing:
        total = await truth.total(order_id)
        asked[order_id] = monotonic()
        if total is None:
            log.warning("shown without a total, which the API does not tell: %s", order_id)
        else:
            board.happened(order_id, what, position, at, total)
