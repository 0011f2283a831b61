"""What the provider was told to do instead of the usual: by card, by order, or to everybody."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from domain.payment.messages import ProviderAnswer

Action = Literal["approve", "decline", "3ds", "slow", "unavailable", "timeout"]
CUSTOMER = "authentication"
"""The step at which the customer comes back from 3-D Secure."""


class Script(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An action, and which calls it is for; what is left empty fits all.

    `slow` waits `seconds` before it does anything; `unavailable` says 503 for `seconds` and does
    nothing; `timeout` does it and never answers. `notices` webhooks tell what was done, each
    `notice_seconds` after the answer, or before it when `notice_first`.
    """

    action: Action
    token: str = ""
    order_id: str = ""
    step: str = ""
    calls: int | None = None
    seconds: float = 0
    code: str = "card_declined"
    retryable: bool = False
    notices: int = 0
    notice_seconds: float = 0
    notice_first: bool = False
    id: str = ""
    until: datetime | None = None

    def fits(self, step: str, order_id: str, token: str) -> bool:
        return (
            self.step in ("", step)
            and self.order_id in ("", order_id)
            and self.token in ("", token)
        )

    @property
    def told(self) -> ProviderAnswer | None:
        """The answer that stands whatever the rules say."""
        if self.action != "decline":
            return None
        return ProviderAnswer("declined", code=self.code, retryable=self.retryable)


class Scripts:
    """The newest that fits wins; one with `calls` goes when they are used up."""

    def __init__(self) -> None:
        self._kept: list[Script] = []

    def add(self, script: Script, now: datetime) -> Script:
        until = None
        if script.action == "unavailable" and script.seconds:
            until = now + timedelta(seconds=script.seconds)
        kept = replace(script, id=uuid4().hex[:8], until=until)
        self._kept.insert(0, kept)
        return kept

    def all(self, now: datetime) -> list[Script]:
        self._kept = [one for one in self._kept if one.until is None or one.until > now]
        return list(self._kept)

    def clear(self, id: str = "") -> int:
        """Forget one of them, or all; says how many."""
        before = len(self._kept)
        self._kept = [one for one in self._kept if id not in ("", one.id)]
        return before - len(self._kept)

    def take(self, step: str, order_id: str, token: str, now: datetime) -> Script | None:
        """The script for a call, which counts as used by it."""
        for script in self.all(now):
            if script.fits(step, order_id, token):
                self._use(script)
                return script
        return None

    def _use(self, script: Script) -> None:
        if script.calls is None:
            return
        place = self._kept.index(script)
        if script.calls <= 1:
            del self._kept[place]
        else:
            self._kept[place] = replace(script, calls=script.calls - 1)
