"""What followed from each fact of an order in the past: nobody is charged or told anything.

The live process, `domain/fulfilment.py`, is not asked: imported facts have no commands.
"""

from collections import Counter
from collections.abc import Iterable

from domain.inventory import messages as inventory
from domain.message import Command, Event, LineQuantity, SkuQuantity
from domain.order import messages as order
from domain.payment import messages as payment


def follow(fact: Event) -> list[Command]:
    """The wishes that the deciders hear next. Hand-over waits for the clock of the file."""
    match fact:
        case order.OrderEvent():
            return _after_order(fact)
        case payment.PaymentEvent():
            return _after_payment(fact)
        case inventory.StockReserved(order_id=id):
            return [order.RecordStockReserved(id)]
        case inventory.ReservationReleased(order_id=id, cause=cause, reference=reference):
            return [order.RecordReservationReleased(id, cause, reference)]
        case _:
            return []


def _after_order(fact: order.OrderEvent) -> list[Command]:
    id = fact.order_id
    match fact:
        case order.OrderPlaced(lines=lines):
            units = Counter[str]()
            for line in lines:
                units[line.sku] += line.quantity
            return [inventory.ReserveStock(id, _by_sku(units))]
        case order.PaymentRequested(attempt=attempt, amount=amount, payment_method=method):
            return [payment.AuthorizePayment(id, attempt, amount, method)]
        case order.OrderShipped():
            return _handed_over(fact)
        case order.CancellationRequested(cancellation=number, parcels=parcels):
            return [order.RecordShipmentCancelled(id, one.parcel_id, number) for one in parcels]
        case order.OrderLinesCancelled():
            return _lines_cancelled(fact)
        case order.ReturnRequested(return_no=number):
            return [order.ApproveReturn(id, number)]
        case order.ReturnApproved(return_no=number, lines=lines):
            return [order.RecordReturnReceived(id, number, lines)]
        case order.ReturnSettled():
            return _settled(fact)
        case _:
            return []


def _after_payment(fact: payment.PaymentEvent) -> list[Command]:
    id = fact.order_id
    match fact:
        case payment.PaymentAuthorized(attempt=attempt, amount=amount):
            return [order.RecordPaymentAuthorized(id, attempt, amount)]
        case payment.PaymentCaptured(parcel_id=parcel, amount=amount):
            return [order.RecordPaymentCaptured(id, parcel, amount)]
        case payment.AuthorizationVoided():
            return [order.RecordAuthorizationVoided(id)]
        case payment.PaymentRefunded(refund_id=refund, amount=amount):
            return [order.RecordPaymentRefunded(id, refund, amount)]
        case _:
            return []


def _handed_over(fact: order.OrderShipped) -> list[Command]:
    id, parcel = fact.order_id, fact.parcel_id
    commit = inventory.CommitReservation(id, _skus(fact.lines), parcel)
    if not fact.amount.amount_minor:
        return [commit]
    return [commit, payment.CapturePayment(id, parcel, fact.amount, final=fact.last)]


def _lines_cancelled(fact: order.OrderLinesCancelled) -> list[Command]:
    id = fact.order_id
    commands: list[Command] = [
        inventory.ReleaseReservation(id, fact.cause, _skus(fact.lines), fact.reference)
    ]
    if fact.void:
        commands.append(payment.VoidAuthorization(id, fact.reason))
    if fact.refund.amount_minor:
        commands.append(payment.RefundPayment(id, fact.reference, fact.refund))
    return commands


def _settled(fact: order.ReturnSettled) -> list[Command]:
    id, number = fact.order_id, fact.return_no
    restocks: list[Command] = [
        inventory.RestockReturn(line.sku, line.quantity, id, f"return-{number}")
        for line in _skus(fact.lines)
    ]
    if not fact.refund.amount_minor:
        return restocks
    return [payment.RefundPayment(id, fact.refund_id, fact.refund), *restocks]


def _skus(lines: Iterable[LineQuantity]) -> tuple[SkuQuantity, ...]:
    units = Counter[str]()
    for line in lines:
        units[line.sku] += line.quantity
    return _by_sku(units)


def _by_sku(units: Counter[str]) -> tuple[SkuQuantity, ...]:
    return tuple(SkuQuantity(sku, quantity) for sku, quantity in units.items())
