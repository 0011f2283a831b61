"""A parked message whose turn has come: decided again, given up, or replaced by an edited one."""

from typing import NamedTuple

from store.commit import Decided
from store.errors import Unfit
from store.parked import Parked
from streams.batch import Batch
from streams.incoming import Incoming, read_parked
from streams.insistence import OurFault

Problem = tuple[str, str]
"""A cause and what was wrong."""


class BrokeAgain(Unfit):
    """A parked message broke its batch again."""

    def __init__(self, one: Incoming) -> None:
        assert one.problem is not None, "who breaks a batch says why"
        super().__init__(one.problem[1])
        self.problem = one.problem


def problem_of(error: Unfit) -> Problem:
    """Why a parked message stays, when Postgres or writing it down refused it."""
    if isinstance(error, BrokeAgain):
        return error.problem
    return ("cannot_handle" if isinstance(error, OurFault) else "not_storable", str(error))


class Turn(NamedTuple):
    """`before` is the message as it was parked, `one` what is decided in its place."""

    row: Parked
    before: Incoming
    one: Incoming

    @staticmethod
    def of(row: Parked, context: str, problem: Problem | None) -> "Turn":
        """`problem` is why it could not be written just now; then it stays parked."""
        before = read_parked(row, context)
        one = read_parked(row.edited, context) if row.wish == "edit" else before
        if problem is not None:
            one.give_up(*problem)
        return Turn(row, before, one)

    @property
    def kept(self) -> list[Incoming]:
        """What there is to decide: nothing of what is given up."""
        return [] if self.row.wish == "discard" else [self.one]

    def settle(self, work: Batch, decided: Decided) -> None:
        """Makes of the batch a change of the parked row; a timer that is gone is not armed."""
        decided.resettle(self.row)
        timer = work.timer_of(self.before)
        if self.row.wish in {"discard", "edit"} and timer is not None:
            decided.ended.append(timer)
