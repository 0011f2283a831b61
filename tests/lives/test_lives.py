"""Any sequence of wishes, answers, webhooks, scans and ticks of the clock ends at rest."""

from itertools import permutations

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from domain.order.messages import PayOrder
from domain.order.status import status_of
from domain.payment.messages import ConfirmAuthentication, RecordProviderNotice
from tests.books import check_at_rest, check_books
from tests.lives.life import live
from tests.shop import line, place, pounds, stocked
from tests.world import World

LIVES = 10_000
tapes = st.binary(min_size=40, max_size=160)


def test_every_life_ends_at_rest_and_the_books_balance(pytestconfig: pytest.Config) -> None:
    lives = pytestconfig.getoption("lives") or LIVES

    @settings(
        max_examples=lives,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(tapes)
    def one(data: bytes) -> None:
        told: list[str] = []
        try:
            live(data, told)
        except BaseException:
            note("\n".join(line for line in told if line))
            raise

    one()


SIX = (
    ("auth", "declined", 1_000),  # of the first attempt, which the customer refused
    ("3ds", "authorized", 1_000),
    ("3ds", "captured", 600),
    ("3ds", "captured", 400),
    ("3ds", "refunded", 400),
    ("3ds", "voided", 1_000),  # of nothing: the whole was captured
)


def _waits_for_its_customer() -> World:
    """Declined once, and then asked to confirm: all that follows depends on webhooks."""
    world = stocked(mug=5)
    world.provider.script.append("action")
    world.tell(place("o-1", line(1, "mug", 2)))
    [first] = world.provider.challenges
    world.provider.customer(first, confirms=False)
    world.tell(ConfirmAuthentication("o-1", 1))
    world.provider.script.append("action")
    world.tell(PayOrder("o-1", "tok_other"))
    return world


def test_six_webhooks_of_one_payment_end_the_same_in_all_their_720_orders() -> None:
    ends: set[str] = set()
    for order in permutations(SIX):
        world = _waits_for_its_customer()
        auth, action = world.provider.challenges
        world.provider.customer(action, confirms=True)
        for number, (which, status, minor) in enumerate(order, 1):
            reference = auth if which == "auth" else action
            notice = RecordProviderNotice(
                "o-1", f"n-{number}", reference, status, pounds(minor), world.now
            )
            world.tell(notice)
            world.tell(notice)
            check_books(world)
        assert status_of(world.orders["o-1"]) == ("confirmed", "in_fulfilment", "authorized")
        world.run_out()
        check_at_rest(world)
        facts = [type(fact).__name__ for fact in world.facts("payment-o-1")]
        ends.add(f"{world.orders['o-1']} {world.levels} {sorted(facts)}")
    assert len(ends) == 1


@pytest.mark.parametrize(
    "tape",
    [
        # confirmed by the customer while the void of that challenge was being tried again
        "01000000000000010100000d01002202030400200000120000031c0100",
        # voided for a cancellation while the customer was being asked to confirm anew
        (
            "0101000100000000000800180009030d000100002100030d00000b0000000000000024010"
            "10c01001d0012000002210203000000"
        ),
    ],
)
def test_a_life_that_did_not_end_once(tape: str) -> None:
    live(bytes.fromhex(tape), [])
