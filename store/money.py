"""The money that the log says was moved, fact by fact: for a comparison with the provider."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from domain.payment import messages as payment
from store.codec import decode_event
from store.rawlog import RawLog

STEPS = {
    payment.PaymentAuthorized.type: "authorize",
    payment.AuthorizationCameLate.type: "authorize",
    payment.PaymentCaptured.type: "capture",
    payment.AuthorizationVoided.type: "void",
    payment.PaymentRefunded.type: "refund",
}


class Moved(NamedTuple):
    """One movement; `subject` is the parcel or the refund, empty where a step has none."""

    order_id: str
    step: str
    subject: str
    amount_minor: int
    currency: str
    at: datetime
    position: int


def moved(dsn: str) -> Iterator[Moved]:
    """In log order, without what was imported: the provider never saw that."""
    with RawLog(dsn) as log:
        for position, recorded, imported, kind, data in log.entries(0, None, list(STEPS)):
            if imported:
                continue
            name = kind.decode()
            at = datetime.fromtimestamp(recorded / 1_000_000, UTC)
            one = _moved(decode_event(name, data), STEPS[name], at, position)
            if one is not None:
                yield one


def _moved(event: object, step: str, at: datetime, position: int) -> Moved | None:
    match event:
        case payment.PaymentCaptured(order_id=order_id, parcel_id=subject, amount=amount):
            pass
        case payment.PaymentRefunded(order_id=order_id, refund_id=subject, amount=amount):
            pass
        case (
            payment.PaymentAuthorized(order_id=order_id, amount=amount)
            | payment.AuthorizationCameLate(order_id=order_id, amount=amount)
        ):
            subject = ""
        case payment.AuthorizationVoided(order_id=order_id, amount=amount) if amount is not None:
            subject = ""
        case _:
            return None
    if not amount.amount_minor:
        return None
    return Moved(order_id, step, subject, amount.amount_minor, amount.currency, at, position)
