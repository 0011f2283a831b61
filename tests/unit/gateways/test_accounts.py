"""The simulator's own rules, and that its ledger keeps them over a restart."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.message import Money
from domain.payment.messages import ProviderRequest, Step
from gateways.accounts import Periods
from gateways.ledger import KeyReused, Ledger, read_ledger


class Book:
    """A ledger whose process dies before each call."""

    def __init__(self, path: Path) -> None:
        self.path, self.periods = path, Periods()
        self._asked = 0

    def ask(self, step: Step, amount: int, card: str = "", key: str = "", **more: Any) -> str:
        self._asked += 1
        request = ProviderRequest(
            step, key or f"k{self._asked}", "o", Money(amount, "GBP"), card, **more
        )
        ledger = Ledger(self.path, url="http://provider", periods=self.periods)
        entry = ledger.perform(request).entry
        ledger.close()
        return entry.code or entry.outcome

    def customer(self, *, confirmed: bool) -> str:
        [reference] = {one.reference for one in read_ledger(self.path) if one.url}
        ledger = Ledger(self.path, periods=self.periods)
        done = ledger.settle(reference, confirmed=confirmed)
        ledger.close()
        assert done is not None
        return done.entry.code or done.entry.outcome

    def reference(self) -> str:
        return next(one.reference for one in read_ledger(self.path) if one.url)

    def moved(self) -> list[tuple[str, int]]:
        return [
            (one.step, one.amount_minor)
            for one in read_ledger(self.path)
            if one.outcome == "approved"
        ]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "ledger.jsonl")


def test_captures_are_parts_of_what_is_held(book: Book):
    assert book.ask("authorize", 900, "tok_approve") == "approved"
    assert book.ask("capture", 400) == "approved"
    assert book.ask("capture", 501) == "more_than_authorized"
    assert book.ask("capture", 500) == "approved"
    assert book.ask("capture", 1) == "more_than_authorized"


def test_refunds_are_parts_of_what_was_taken(book: Book):
    book.ask("authorize", 900, "tok_approve")
    assert book.ask("refund", 1) == "more_than_captured"
    book.ask("capture", 400)
    assert book.ask("refund", 300) == "approved"
    assert book.ask("refund", 101) == "more_than_captured"
    assert book.ask("refund", 100) == "approved"


def test_what_was_voided_is_held_no_more(book: Book):
    book.ask("authorize", 900, "tok_approve")
    assert book.ask("void", 900) == "approved"
    assert book.ask("capture", 1) == "more_than_authorized"


def test_a_final_capture_lets_go_of_the_rest(book: Book):
    book.ask("authorize", 900, "tok_approve")
    assert book.ask("capture", 400, final=True) == "approved"
    assert book.ask("capture", 1) == "more_than_authorized"


def test_a_void_is_of_the_hold_that_it_names(book: Book):
    book.ask("authorize", 900, "tok_approve", key="a")
    book.ask("authorize", 300, "tok_approve", key="b")
    assert book.ask("void", 900, reference="a") == "approved"  # an answer that never came
    assert book.ask("capture", 1, reference="sim-a") == "more_than_authorized"
    assert book.ask("capture", 300, reference="sim-b") == "approved"


def test_a_challenge_that_was_voided_cannot_be_confirmed(book: Book):
    book.ask("authorize", 900, "tok_3ds", subject="1")
    assert book.ask("void", 900, reference=book.reference()) == "approved"
    assert book.customer(confirmed=True) == "authorization_voided"
    assert book.moved() == [("void", 900)]


def test_a_hold_lapses_and_is_renewed(book: Book):
    book.periods = Periods(hold=timedelta(0))
    book.ask("authorize", 900, "tok_approve")
    assert book.ask("capture", 900) == "authorization_expired"
    book.periods = Periods()
    assert book.ask("authorize", 900, reference="sim-k1", subject="renewal") == "approved"
    assert book.ask("capture", 900) == "approved"


def test_a_key_is_done_once(book: Book):
    book.ask("authorize", 900, "tok_approve")
    for _ in range(3):
        assert book.ask("capture", 400, key="parcel 1") == "approved"
    assert book.moved() == [("authorize", 900), ("capture", 400)]


def test_a_key_that_stands_for_something_else_is_refused(book: Book):
    book.ask("authorize", 900, "tok_approve", key="a")
    with pytest.raises(KeyReused):
        book.ask("authorize", 901, "tok_approve", key="a")
    with pytest.raises(KeyReused):
        book.ask("capture", 900, key="a")
    assert book.moved() == [("authorize", 900)]


def test_the_customer_is_asked_and_confirms(book: Book):
    assert book.ask("authorize", 900, "tok_3ds", key="a", subject="1") == "action_required"
    assert book.ask("capture", 900) == "more_than_authorized"
    assert book.customer(confirmed=True) == "approved"
    assert book.customer(confirmed=False) == "approved"  # once is once
    assert book.ask("authorize", 900, reference=book.reference(), subject="1") == "approved"
    assert book.ask("authorize", 900, "tok_3ds", key="a", subject="1") == "approved"  # by now
    assert book.ask("capture", 900) == "approved"
    held = [step for step, _ in book.moved() if step == "authorize"]
    assert len(held) == 1, "asking what became of it holds nothing again"


def test_a_confirmed_hold_can_be_renewed(book: Book):
    book.ask("authorize", 900, "tok_3ds", subject="1")
    book.customer(confirmed=True)
    assert book.ask("authorize", 900, reference=book.reference(), subject="renewal") == "approved"
    assert [step for step, _ in book.moved()] == ["authorize", "authorize"]


def test_the_customer_refuses(book: Book):
    book.ask("authorize", 900, "tok_3ds", subject="1")
    assert book.customer(confirmed=False) == "authentication_failed"
    asked = book.ask("authorize", 900, reference=book.reference(), subject="1")
    assert asked == "authentication_failed"
    assert book.moved() == []


def test_the_customer_comes_too_late(book: Book):
    book.periods = Periods(challenge=timedelta(0))
    book.ask("authorize", 900, "tok_3ds", subject="1")
    assert book.customer(confirmed=True) == "authentication_expired"
    assert book.moved() == []


def test_who_did_not_come_back_yet_is_asked_still(book: Book):
    book.ask("authorize", 900, "tok_3ds", subject="1")
    reference = book.reference()
    assert book.ask("authorize", 900, reference=reference, subject="1") == "action_required"
    assert book.reference() == reference
    assert book.customer(confirmed=True) == "approved"
