"""A lag is not a loss: how far the partitions were read, compared with what was sent."""

from collections.abc import Mapping, Sequence

from bus.batches import Place
from bus.topics import Extent, Offsets
from store.connect import AsyncConnection
from store.relaying import next_offsets


class Reading:
    """One look at the fences and at Kafka."""

    def __init__(
        self, fences: Mapping[tuple[str, Place], int], extents: Mapping[Place, Extent]
    ) -> None:
        self._extents = extents
        self._fences: dict[Place, int] = {}
        for (_, place), offset in fences.items():
            self._fences[place] = max(offset, self._fences.get(place, 0))

    @classmethod
    async def now(
        cls, conn: AsyncConnection, offsets: Offsets, places: Sequence[Place]
    ) -> "Reading":
        """Look; outcomes must be read after this, never before."""
        return cls(await next_offsets(conn), await offsets.extents(places))

    def is_past(self, place: Place, end: int) -> bool:
        """Whether nothing before `end` can still be on its way to an outcome: it was read, the
        broker deleted it, or the topic is shorter than what was once sent."""
        start, now_end = self._extents[place]
        return max(self._fences.get(place, 0), start) >= end or now_end < end
