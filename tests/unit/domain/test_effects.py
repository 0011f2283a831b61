"""Every deadline of an order or a payment says what it will do; the others are nobody's concern."""

from datetime import UTC, datetime

from domain.deadlines import Arm, Periods, deadlines
from domain.effects import effect_of
from tests.unit.domain.test_golden import corpus

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


def test_what_a_person_waits_for_has_an_effect():
    armed = [
        change
        for event in corpus()
        for change in deadlines(event, NOON, Periods())
        if isinstance(change, Arm)
    ]
    of_people = [each for each in armed if each.command.stream.startswith(("order-", "payment-"))]
    assert len({each.name.split("/")[0] for each in of_people}) > 4
    assert [each.name for each in of_people if effect_of(each.name) is None] == []
    others = [each for each in armed if each not in of_people]
    assert others
    assert [each.name for each in others if effect_of(each.name)] == []


def test_a_deadline_of_many_says_which():
    assert effect_of("quire.order.refuse_return/2") == (
        "refuse_return",
        "return 2 is refused unless its goods have come",
    )
    assert effect_of("quire.payment.retry/capture/o-1.1") == (
        "retry_payment",
        "the payment provider is asked again to capture",
    )
    assert effect_of("quire.payment.retry/void/ref-1") == (
        "void_given_up",
        "what an attempt that was given up may still hold is voided",
    )
