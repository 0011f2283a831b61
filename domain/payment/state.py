"""What a payment remembers: what is held, taken and given back, and what is not answered yet."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from domain.message import Money
from domain.payment.messages import Step


class Wish(Struct, frozen=True):
    """One thing asked of the provider: `subject` names it within its step, `key` for ever."""

    step: Step
    subject: str
    key: str
    amount: Money
    attempt: int = 0
    payment_method: str = ""
    reference: str = ""
    final: bool = False
    tries: int = 0
    first_at: datetime | None = None


class Authentication(Struct, frozen=True):
    attempt: int
    amount: Money
    reference: str


class State(Struct, frozen=True):
    """`authorized` is all that was ever held, `captured` what was taken of it.

    `done` names each step and subject that has its final answer; `pending` those asked again.
    """

    attempt: int = 0
    answered: int = 0
    authorized: Money | None = None
    reference: str = ""
    captured: int = 0
    refunded: int = 0
    done: frozenset[tuple[Step, str]] = frozenset()
    pending: Mapping[tuple[Step, str], Wish] = {}
    authentication: Authentication | None = None
    voided: bool = False
    expired: bool = False
    final: bool = False

    @property
    def held(self) -> int:
        """What can still be captured."""
        if self.authorized is None or self.voided or self.expired:
            return 0
        return self.authorized.amount_minor - self.captured
