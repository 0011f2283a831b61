"""What a payment remembers: what is held, taken and given back, and what is not answered yet."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from domain.message import Money
from domain.payment.messages import Step

RENEWAL = "renewal"  # the subject of an authorisation that takes the place of one that ends
UNREACHABLE = "provider_unreachable"  # the code of what was given up


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
    at_checkout: bool = False
    unsure: bool = False  # an answer was lost on the way, so that it may have been done


class Authentication(Struct, frozen=True):
    attempt: int
    amount: Money
    reference: str
    off_session: bool = False


class State(Struct, frozen=True):
    """`authorized` is all that was ever held, `captured` what was taken of it.

    `done` names each capture and refund that was made; `pending` those asked again, in the order in
    which they came; a void among them that has a subject is of a hold that was given up and may be
    there all the same. `failures` counts the captures and refunds that came to nothing; `abandoned`
    are the challenges, by reference, that the customer may still confirm.
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
    failures: Mapping[tuple[Step, str], int] = {}
    abandoned: Mapping[str, Authentication] = {}

    @property
    def refuses(self) -> bool:
        """It was voided before anything was held: a tombstone for what comes late."""
        return self.voided and self.authorized is None

    def off_session(self, wish: Wish) -> bool:
        """Money was held before: whoever is asked anew has left the checkout long ago, unless they
        came back there to pay again."""
        return self.authorized is not None and not wish.at_checkout

    @property
    def voidable(self) -> Money | None:
        """What a void would let go; None when nothing can be held."""
        if self.held and self.authorized is not None:
            return Money(self.held, self.authorized.currency)
        return self.authentication.amount if self.authentication is not None else None

    @property
    def held(self) -> int:
        """What can still be captured."""
        if self.authorized is None or self.voided or self.expired:
            return 0
        return self.authorized.amount_minor - self.captured
