"""What those who watch have not seen yet: of each thing its newest state, in the order of change.

Each keeps a place of its own. Who falls behind gets of a thing only how it stands by now, so a slow
reader holds nobody up, costs no memory and misses nothing that still counts.
"""

import asyncio
from collections import OrderedDict
from uuid import uuid4

import msgspec

_encode = msgspec.json.Encoder().encode


class Feed:
    """Places are numbers that only grow; they mean nothing to another life of the process."""

    def __init__(self) -> None:
        self._life = uuid4().hex[:8]
        self._last = 0
        self._newest: OrderedDict[tuple[str, str], tuple[int, bytes]] = OrderedDict()
        self._change = asyncio.Event()
        self.closed = False

    def put(self, kind: str, key: str, told: object) -> None:
        """The thing `key` of this kind is now as `told` says."""
        self._last += 1
        self._newest[kind, key] = (self._last, _encode(told))
        self._newest.move_to_end((kind, key))
        self._wake()

    def drop(self, kind: str, key: str) -> None:
        """Tell it to nobody who comes from now on."""
        self._newest.pop((kind, key), None)

    def place(self, event_id: str) -> int:
        """Where somebody stands who saw this event last; at the beginning if it is not ours."""
        life, _, number = event_id.partition("-")
        ours = life == self._life and number.isascii() and number.isdigit() and len(number) < 19
        return int(number) if ours else 0

    def after(self, place: int) -> tuple[int, bytes]:
        """The place where it ends, and what changed after `place`, as server-sent events."""
        events: list[bytes] = []
        for (kind, _), (number, data) in reversed(self._newest.items()):
            if number <= place:
                break
            events.append(
                b"id: %b-%d\nevent: %b\ndata: %b\n\n"
                % (self._life.encode(), number, kind.encode(), data)
            )
        return self._last, b"".join(reversed(events))

    def change(self) -> asyncio.Event:
        """Set with the next change: take it before looking."""
        return self._change

    def close(self) -> None:
        """Let go of all who watch, and of who comes to."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        change, self._change = self._change, asyncio.Event()
        change.set()
