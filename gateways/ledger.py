"""A payment provider in a file: for the local stack, for tests, and for audits to compare with."""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from domain.payment.messages import ProviderAnswer, ProviderRequest

DECLINES = {
    "tok_decline": ProviderAnswer("declined", code="card_declined"),
    "tok_decline_insufficient": ProviderAnswer(
        "declined", code="insufficient_funds", retryable=True
    ),
}


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

    def answer(self) -> ProviderAnswer:
        return ProviderAnswer(
            self.outcome,  # pyright: ignore[reportArgumentType] written from an answer
            reference=self.reference,
            code=self.code,
            retryable=self.retryable,
        )


_decoder = msgspec.json.Decoder(Entry)
_encoder = msgspec.json.Encoder()


def read_ledger(path: Path) -> Iterator[Entry]:
    """Every entry, in the order in which the provider made them."""
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            yield _decoder.decode(line)


class SimulatedProvider:
    """Approves, or declines by the card token: tok_approve, tok_decline, tok_decline_insufficient.

    Each answer stands in the file before it is given, and every process reads what the others
    wrote: so it survives kill -9 and a change of owner, as a real provider would.
    """

    def __init__(self, path: Path, *, delay_seconds: float = 0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._delay = delay_seconds
        self._read_to = 0
        self._answers: dict[str, Entry] = {}
        self._held: dict[str, int] = {}

    async def perform(self, request: ProviderRequest) -> ProviderAnswer:
        if self._delay:
            await asyncio.sleep(self._delay)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self._catch_up()
            entry = self._answers.get(request.key)
            if entry is None:
                entry = self._enter(request)
                line = _encoder.encode(entry) + b"\n"
                os.write(self._file, line)
                self._read_to += len(line)
                self._learn(entry)
            return entry.answer()
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._file)

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

    def _learn(self, entry: Entry) -> None:
        self._answers[entry.key] = entry
        if entry.outcome != "approved":
            return
        held = self._held.get(entry.order_id, 0)
        if entry.step == "authorize":
            self._held[entry.order_id] = entry.amount_minor
        elif entry.step == "capture":
            self._held[entry.order_id] = held - entry.amount_minor
        elif entry.step == "void":
            self._held[entry.order_id] = 0

    def _enter(self, request: ProviderRequest) -> Entry:
        answer = self._decide(request)
        return Entry(
            key=request.key,
            step=request.step,
            order_id=request.order_id,
            amount_minor=request.amount.amount_minor,
            currency=request.amount.currency,
            outcome=answer.outcome,
            reference=request.reference or f"sim-{request.key}",
            at=datetime.now(UTC),
            code=answer.code,
            retryable=answer.retryable,
        )

    def _decide(self, request: ProviderRequest) -> ProviderAnswer:
        if request.step == "authorize":
            return DECLINES.get(request.payment_method, ProviderAnswer("approved"))
        over = request.amount.amount_minor > self._held.get(request.order_id, 0)
        if request.step == "capture" and over:
            return ProviderAnswer("declined", code="more_than_authorized")
        return ProviderAnswer("approved")
