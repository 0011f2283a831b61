"""Orders as they are served: the stored document, and the deadline that comes next.

Deadlines are no part of the view, which follows from the log alone: when one is due depends on the
settings of that time. They are read where they are armed.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from psycopg import AsyncConnection

from domain.effects import effect_of


class NextDeadline(Struct, frozen=True):
    """When something happens by itself, and what; past when it is about to happen."""

    at: datetime
    kind: str
    effect: str


# First all timers of the order, of which there are few: sorted as it stands, the index of what is
# due might be read from its beginning.
_READ = (
    "select order_id, document, name, due_at from order_view left join lateral ("
    " with own as materialized (select name, due_at from timer"
    " where stream in ('order-' || order_id, 'payment-' || order_id))"
    " select name, due_at from own order by due_at, name limit 1) as next on true"
    " where order_id = any(%b::text[])"
)
_encoder = msgspec.json.Encoder()


async def read(conn: AsyncConnection, order_ids: Sequence[str]) -> dict[str, str]:
    """Documents by order, each with its `next_deadline`, null when there is none."""
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(_READ, (list(order_ids),))
        return {
            order_id: _with(document, name, due_at)
            for order_id, document, name, due_at in await cursor.fetchall()
        }


def _with(document: str, name: str | None, due_at: datetime) -> str:
    """The document stays the text that it is: to decode it would cost more than to read it."""
    effect = effect_of(name) if name else None
    told = "null"
    if effect is not None:
        told = _encoder.encode(NextDeadline(due_at, effect.kind, effect.text)).decode()
    return f'{document[:-1]},"next_deadline":{told}}}'
