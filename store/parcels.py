"""Which order a parcel belongs to, by its id or its tracking number: from the fact that made it."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg import AsyncConnection


class Parcel(NamedTuple):
    """A parcel that has its label."""

    order_id: str
    parcel_id: str


# Type and expression are those of the index event_tracking, word for word.
_BY_TRACKING = (
    "select left(data ->> 'tracking', 200), data ->> 'order_id', data ->> 'parcel_id', position"
    " from event where type = 'quire.shipping.created.v1'"
    " and left(data ->> 'tracking', 200) = any(%b::text[])"
)
_BY_ID = (
    "select data ->> 'order_id', data ->> 'parcel_id' from event"
    " where stream = any(%b::text[]) and type = 'quire.shipping.created.v1'"
)


async def by_tracking(conn: AsyncConnection, numbers: Sequence[str]) -> dict[str, Parcel]:
    """The parcels of these tracking numbers; of two with the same one, the later."""
    cursor = await conn.execute(_BY_TRACKING, (list(numbers),))
    rows = sorted(await cursor.fetchall(), key=lambda row: row[3])
    return {row[0]: Parcel(row[1], row[2]) for row in rows}


async def by_id(conn: AsyncConnection, parcel_ids: Sequence[str]) -> dict[str, Parcel]:
    """Those of the parcels that are there."""
    streams = [f"shipment-{parcel_id}" for parcel_id in parcel_ids]
    cursor = await conn.execute(_BY_ID, (streams,))
    return {row[1]: Parcel(*row) for row in await cursor.fetchall()}
