"""What a fact sends out, and what it does not."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from bus.message import RELAY
from domain.catalog import KINDS
from domain.ids import derive
from domain.inventory.messages import ReserveStock
from domain.message import Event, Line, Money
from domain.notification.messages import NotificationAlsoWanted, Notify
from domain.order.messages import OrderCancelled, OrderPlaced, OrderRefunded
from store.codec import UnknownType, encode
from store.log import Recorded
from streams.reactions import commands_of, fact_of, key_of

SINCE = dict.fromkeys(KINDS, 0)
RECORDED = datetime(2026, 11, 21, 10, 30, 0, 123_999, tzinfo=UTC)
PLACED = OrderPlaced("o-1", (Line(1, "mug", 2, Money(500, "GBP")),), Money(1000, "GBP"))


def recorded(**changes: object) -> Recorded:
    plain = Recorded(
        7, "order-o-1", 1, OrderPlaced.type, UUID(int=5), datetime(2020, 1, 1, tzinfo=UTC),
        RECORDED, "thread", uuid4(), "quire/api", False, encode(PLACED), b"",
    )  # fmt: skip
    return plain._replace(**changes)


def test_a_command_is_the_same_each_time_and_names_its_cause():
    [reserve] = [one for one in commands_of(recorded(), SINCE) if one.type == ReserveStock.kind]
    assert reserve in commands_of(recorded(), SINCE)
    origin = f"fact|{UUID(int=5)}|{ReserveStock.kind}|"
    assert reserve.id == derive(1_795_257_000_123, origin)  # by the time it was recorded
    assert (reserve.source, reserve.causation, reserve.correlation) == (
        RELAY,
        UUID(int=5),
        "thread",
    )
    assert (reserve.key, reserve.subject, reserve.prev) == ("o-1", "reservation-o-1", None)


def test_imported_history_sends_nothing_whatever_it_is():
    for name in (OrderPlaced.type, "quire.order.unheard_of.v1"):
        assert commands_of(recorded(imported=True, type=name), SINCE) == []
        assert fact_of(recorded(imported=True, type=name)) is None


def test_a_kind_counts_from_where_it_was_first_deployed():
    kinds = {one.type for one in commands_of(recorded(), SINCE)}
    later = SINCE | {ReserveStock.kind: 7}
    assert {one.type for one in commands_of(recorded(), later)} == kinds - {ReserveStock.kind}
    assert {one.type for one in commands_of(recorded(position=8), later)} == kinds


ALSO = NotificationAlsoWanted(
    "o-1.order_refunded.email.return-1", "o-1", "order_refunded", "webhook",
    "o-1.order_refunded.webhook.return-1",
)  # fmt: skip


@pytest.mark.parametrize("event", [OrderRefunded("o-1", "return-1", Money(500, "GBP")), ALSO])
def test_a_kind_of_mail_counts_from_where_it_was_first_deployed(event: Event):
    fact = recorded(type=event.type, stream=event.stream, data=encode(event))
    deployed = SINCE | {"quire.notification.notify.order_refunded": 7}
    assert commands_of(fact, deployed) == []
    for relayed, since in ((fact._replace(position=8), deployed), (fact, SINCE)):
        [mail] = commands_of(relayed, since)
        assert mail.type == Notify.kind
    assert commands_of(fact._replace(imported=True), SINCE) == []
    cancelled = OrderCancelled("o-1")
    older = recorded(type=cancelled.type, stream=cancelled.stream, data=encode(cancelled))
    assert len(commands_of(older, deployed)) == 1  # a kind of mail from the beginning


def test_an_unknown_type_of_fact_is_an_error():
    with pytest.raises(UnknownType):
        commands_of(recorded(type="quire.order.unheard_of.v1"), SINCE)


@pytest.mark.parametrize(
    ("stream", "key"),
    [
        ("order-0190a-1", "0190a-1"),
        ("reservation-0190a-1", "0190a-1"),
        ("payment-0190a-1", "0190a-1"),
        ("shipment-0190a-1.2", "0190a-1"),
        ("notification-0190a-1.confirmed.email.x", "0190a-1"),
        ("stock-mug.blue", "mug.blue"),
        ("preferences-c.1", "c.1"),
    ],
)
def test_the_facts_of_an_order_share_a_key(stream: str, key: str):
    assert key_of(stream) == key
