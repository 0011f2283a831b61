"""A payment provider in a file: for the local stack, for tests, and for audits to compare with."""

import asyncio
import fcntl
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from domain.message import Money
from domain.payment.messages import ProviderAnswer, ProviderRequest
from gateways.accounts import (
    APPROVED,
    REFUSED_BY_CUSTOMER,
    RENEWAL,
    TOO_LATE,
    VOIDED,
    Account,
    Challenge,
    Hold,
    Periods,
    answer,
    confirms,
)

PAUSES = {"tok_slow": 2.0}
CONFIRM = "confirm"
"""The step of an entry that tells what became of a challenge, and moves nothing."""


class Entry(Struct, frozen=True, omit_defaults=True):
    """One line of the ledger. `amount_minor` in minor units of `currency`, `at` in UTC."""

    key: str
    step: str
    order_id: str
    amount_minor: int
    currency: str
    outcome: str
    reference: str
    at: datetime
    code: str = ""
    retryable: bool = False
    subject: str = ""
    url: str = ""
    final: bool = False
    off_session: bool = False

    def answer(self) -> ProviderAnswer:
        return ProviderAnswer(
            self.outcome,  # pyright: ignore[reportArgumentType] written from an answer
            reference=self.reference,
            code=self.code,
            retryable=self.retryable,
            url=self.url,
        )


class Entered(NamedTuple):
    """What a key has come to, and whether this call did it."""

    entry: Entry
    new: bool


class KeyReused(Exception):
    """The idempotency key stands for another request."""


_decoder = msgspec.json.Decoder(Entry)
_encoder = msgspec.json.Encoder()


def parse_ledger(lines: Iterable[bytes]) -> Iterator[Entry]:
    """The entries of a ledger's text; a last line that is still being written is left out."""
    return (_decoder.decode(line) for line in lines if line.endswith(b"\n"))


def read_ledger(path: Path) -> Iterator[Entry]:
    """Every entry, in the order in which the provider made them."""
    if not path.exists():
        return
    with path.open("rb") as lines:
        yield from parse_ledger(lines)


class Ledger:
    """The book itself: one line a key, written before it is told.

    Every process reads what the others wrote: so it survives kill -9 and a change of owner, as a
    real provider would.
    """

    def __init__(self, path: Path, *, url: str = "", periods: Periods | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._url = url
        self._periods = periods or Periods()
        self._read_to = 0
        self._entries: dict[str, Entry] = {}
        self._accounts: dict[str, Account] = {}
        self._challenges: dict[str, Entry] = {}

    def perform(self, request: ProviderRequest, told: ProviderAnswer | None = None) -> Entered:
        """Do it once for its key; `told` is an answer that a script wants instead of the rules'."""
        with self._alone():
            known = self._entries.get(request.key)
            if known is not None:
                if not _same(request, known):
                    raise KeyReused(request.key)
                return Entered(self._by_now(known), new=False)
            return Entered(self._enter(request, told), new=True)

    def settle(self, reference: str, *, confirmed: bool) -> Entered | None:
        """The customer came back from 3-D Secure; None for a reference that asked nobody."""
        with self._alone():
            asked = self._challenges.get(reference)
            if asked is None:
                return None
            known = self._entries.get(_settled_key(reference))
            if known is not None:
                return Entered(known, new=False)
            now = datetime.now(UTC)
            challenge = self._accounts[asked.order_id].challenges[reference]
            late = challenge.lapses_at <= now
            said = TOO_LATE if late else APPROVED if confirmed else REFUSED_BY_CUSTOMER
            said = challenge.settled or said
            entry = msgspec.structs.replace(
                asked, key=_settled_key(reference), outcome=said.outcome, at=now, code=said.code,
                retryable=said.retryable, url="",
            )  # fmt: skip
            return Entered(self._write(entry), new=True)

    def challenge(self, reference: str) -> Entry | None:
        """The authorisation behind a 3-D Secure page, as it is by now."""
        with self._alone():
            asked = self._challenges.get(reference)
            return None if asked is None else self._by_now(asked)

    def close(self) -> None:
        os.close(self._file)

    @contextmanager
    def _alone(self) -> Generator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self._catch_up()
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _catch_up(self) -> None:
        size = os.fstat(self._file).st_size
        while self._read_to < size:
            text = os.pread(self._file, size - self._read_to, self._read_to)
            complete = text[: text.rfind(b"\n") + 1]
            if not complete:  # a writer was killed in the middle of its line: it never answered
                os.ftruncate(self._file, self._read_to)
                return
            for line in complete.splitlines():
                self._learn(_decoder.decode(line))
            self._read_to += len(complete)

    def _by_now(self, entry: Entry) -> Entry:
        """A challenge's first answer is outdated when the customer has come back."""
        if entry.outcome != "action_required":
            return entry
        return self._entries.get(_settled_key(entry.reference), entry)

    def _enter(self, request: ProviderRequest, told: ProviderAnswer | None) -> Entry:
        now = datetime.now(UTC)
        account = self._accounts.get(request.order_id) or Account()
        said = told or answer(request, account, now)
        confirming = confirms(request, account)
        moved = account.named(request.reference) if request.step in ("capture", "void") else ""
        reference, url = moved or request.reference or f"sim-{request.key}", ""
        if said.outcome == "action_required":
            if not confirming:
                reference = f"3ds-{sha256(request.key.encode()).hexdigest()[:24]}"
            url = f"{self._url}/3ds/{reference}"
        return self._write(
            Entry(
                key=request.key,
                step=CONFIRM if confirming else request.step,
                order_id=request.order_id,
                amount_minor=request.amount.amount_minor,
                currency=request.amount.currency,
                outcome=said.outcome,
                reference=reference,
                at=now,
                code=said.code,
                retryable=said.retryable,
                subject=request.subject,
                url=url,
                final=request.final,
                off_session=request.off_session,
            )
        )

    def _write(self, entry: Entry) -> Entry:
        line = _encoder.encode(entry) + b"\n"
        os.write(self._file, line)
        self._read_to += len(line)
        self._learn(entry)
        return entry

    def _learn(self, entry: Entry) -> None:
        self._entries[entry.key] = entry
        account = self._accounts.setdefault(entry.order_id, Account())
        if entry.key == _settled_key(entry.reference):
            account.challenges[entry.reference].settled = entry.answer()
        if entry.outcome == "action_required" and entry.step == "authorize":
            self._challenges[entry.reference] = entry
            periods = self._periods
            patience = periods.off_session if entry.off_session else periods.challenge
            account.challenges[entry.reference] = Challenge(entry.amount_minor, entry.at + patience)
        if entry.outcome == "approved":
            self._move(entry, account)

    def _move(self, entry: Entry, account: Account) -> None:
        match entry.step:
            case "authorize":
                lapses_at = entry.at + self._periods.hold
                account.holds.pop(entry.reference, None)  # a renewal is the newest
                account.holds[entry.reference] = Hold(entry.amount_minor, lapses_at)
                account.keys[entry.key] = entry.reference
            case "capture":
                account.captured += entry.amount_minor
                hold = account.holds.get(entry.reference)
                if hold is not None:
                    hold.amount_minor = 0 if entry.final else hold.amount_minor - entry.amount_minor
            case "void":
                _void(account, entry.reference)
            case "refund":
                account.refunded += entry.amount_minor
            case _:
                pass


class SimulatedProvider:
    """The ledger without a process around it: approves, or declines by the card's token."""

    def __init__(
        self, path: Path, *, delay_seconds: float = 0, periods: Periods | None = None
    ) -> None:
        self._ledger = Ledger(path, periods=periods)
        self._delay = delay_seconds

    async def perform(self, request: ProviderRequest) -> ProviderAnswer:
        pause = self._delay + PAUSES.get(request.payment_method, 0)
        if pause:
            await asyncio.sleep(pause)
        try:
            return self._ledger.perform(request).entry.answer()
        except KeyReused:
            return ProviderAnswer("declined", code="idempotency_key_reused")

    def close(self) -> None:
        self._ledger.close()


def _void(account: Account, reference: str) -> None:
    """A hold, or a challenge that nobody confirmed yet and nobody can confirm any more."""
    if reference in account.holds:
        account.holds[reference].amount_minor = 0
    challenge = account.challenges.get(reference)
    if challenge is not None and challenge.settled is None:
        challenge.settled = VOIDED


def _settled_key(reference: str) -> str:
    return f"{reference}/authentication"


def _same(request: ProviderRequest, known: Entry) -> bool:
    """Void and renewal say what is held by now, which another owner may have seen otherwise."""
    step = "authorize" if known.step == CONFIRM else known.step
    if (request.step, request.order_id) != (step, known.order_id):
        return False
    if request.step == "void" or request.subject == RENEWAL:
        return True
    return request.amount == Money(known.amount_minor, known.currency)
