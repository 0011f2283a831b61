"""What a parcel remembers, and what the package with a return does."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from domain.message import MAIN, LineQuantity
from domain.shipping.messages import ScanStatus


class State(Struct, frozen=True):
    """`rank` and `at` are those of the furthest scan; `scans` are the ids of all that came.

    `polls` counts those that the carrier told when it was asked, `next_poll` is when it is next.
    `refusals` counts how often its label was refused, `given_up` how often that was for good;
    `refused` as long as a person has to decide.
    """

    created: bool = False
    label_deferred: bool = False
    refused: bool = False
    refusals: int = 0
    given_up: int = 0
    lines: tuple[LineQuantity, ...] = ()
    warehouse: str = MAIN
    tracking: str = ""
    tries: int = 0
    polls: int = 0
    next_poll: datetime | None = None
    scans: frozenset[str] = frozenset()
    status: ScanStatus | Literal[""] = ""
    rank: int = 0
    at: datetime | None = None
    cancelled: bool = False
    cancellations: frozenset[int] = frozenset()
    received: bool = False

    @property
    def handed_over(self) -> bool:
        return self.rank > 0
