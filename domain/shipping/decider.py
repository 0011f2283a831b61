"""The parcel: scans come twice and out of order; the first in the carrier's hands seals it."""

# ruff: noqa: ARG001 - all who ask are asked alike

from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from domain.decider import Decider
from domain.errors import Refused
from domain.message import Command, Event, LineQuantity
from domain.shipping import messages as m
from domain.shipping.evolve import IMPLIED, evolve, is_further, out_of
from domain.shipping.state import State

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=30)
ENDS = ("delivered", "returned_to_sender", "lost")


def ask(command: Command, state: State, command_id: str) -> m.CarrierRequest | None:
    """What to ask the carrier before deciding. A parcel asks for one label, whoever wants it."""
    match command:
        case m.CreateShipment(parcel_id=parcel_id, lines=lines, warehouse=warehouse):
            if state.created or state.label_deferred or state.refused or state.cancelled:
                return None
            return _label(parcel_id, lines, warehouse, state)
        case m.PollCarrier(parcel_id=parcel_id):
            if state.cancelled or state.status in ENDS:
                return None
            if state.label_deferred:
                return _label(parcel_id, state.lines, state.warehouse, state)
            if not state.created:
                return None
            key = f"{parcel_id}/scan/{state.polls}"
            return m.CarrierRequest("scan", key, parcel_id, state.tracking, state.polls)
        case m.RetryLabel(parcel_id=parcel_id):
            if not state.refused or state.cancelled:
                return None
            return _label(parcel_id, state.lines, state.warehouse, state)
        case _:
            return None


def decide(command: Command | m.Answered, state: State) -> list[Event]:
    match command:
        case m.Answered():
            return _answered(command, state)
        case m.RecordScan():
            return _scanned(command, state, None)
        case m.CancelShipment():
            return _cancel(command, state)
        case m.CreateShipment():
            if state.cancelled and not state.created:
                raise Refused("shipment_cancelled", parcel_id=command.parcel_id)
            return []
        case m.PollCarrier():
            return []
        case m.RetryLabel():
            return _not_refused(command, state)
        case m.ReceiveReturn():
            return _receive(command, state)
        case _:
            raise TypeError(f"{type(command).__name__} is not a command of shipping")


def _not_refused(command: m.RetryLabel, state: State) -> list[Event]:
    if state.label_deferred or (state.created and state.given_up):
        return []  # it is asked for already, or was given since
    if state.created or state.cancelled:
        raise Refused("label_not_refused", parcel_id=command.parcel_id)
    raise Refused("parcel_unknown", parcel_id=command.parcel_id)


def _label(
    parcel_id: str, lines: tuple[LineQuantity, ...], warehouse: str, state: State
) -> m.CarrierRequest:
    """One that a person wants again is another request than the one that was refused."""
    units = sum(line.quantity for line in lines)
    key = f"{parcel_id}/label" + (f"/{state.given_up}" if state.given_up else "")
    return m.CarrierRequest("label", key, parcel_id, units=units, warehouse=warehouse)


def _answered(answered: m.Answered, state: State) -> list[Event]:
    command, answer = answered.command, answered.answer
    if answered.request.step == "label":
        return _labelled(answered, state)
    if answer.outcome == "ok" and answer.status is not None:
        scan = m.RecordScan(
            command.order_id,
            command.parcel_id,
            answer.scan_id,
            answer.status,
            answer.at or answered.now,
            answer.place,
        )
        return _scanned(scan, state, answer.next_at)
    return [_deferred(answered, "scan", state)]


def _labelled(answered: m.Answered, state: State) -> list[Event]:
    command, answer = answered.command, answered.answer
    if state.created or state.cancelled:
        return []
    refusals = state.refusals + 1 if answer.outcome == "refused" else state.refusals
    if answer.outcome == "refused" and refusals >= answered.most_refusals:
        return [_refused(answered, refusals, state)]
    if answer.outcome != "ok":
        return [replace(_deferred(answered, "label", state), refusals=refusals)]
    return [
        m.ShipmentCreated(
            command.order_id,
            command.parcel_id,
            _lines(command, state),
            answer.carrier,
            answer.tracking,
            answer.next_at,
        )
    ]


def _refused(answered: m.Answered, refusals: int, state: State) -> m.ShipmentRefused:
    command = answered.command
    return m.ShipmentRefused(
        command.order_id,
        command.parcel_id,
        answered.answer.code,
        refusals,
        _lines(command, state),
        _warehouse(command, state),
    )


def _warehouse(command: m.ParcelCommand, state: State) -> str:
    return command.warehouse if isinstance(command, m.CreateShipment) else state.warehouse


def _lines(command: m.ParcelCommand, state: State) -> tuple[LineQuantity, ...]:
    return command.lines if isinstance(command, m.CreateShipment) else state.lines


def _deferred(
    answered: m.Answered, step: Literal["label", "scan"], state: State
) -> m.ShipmentDeferred:
    command, answer = answered.command, answered.answer
    tries = state.tries + 1
    pause = min(FIRST_PAUSE * 2 ** min(tries - 1, 20), LONGEST_PAUSE)
    return m.ShipmentDeferred(
        command.order_id,
        command.parcel_id,
        step,
        answer.next_at or answered.now + pause,
        _lines(command, state) if step == "label" else (),
        tries,
        warehouse=_warehouse(command, state),
        code=answer.code,
    )


def _scanned(scan: m.RecordScan, state: State, next_poll: datetime | None) -> list[Event]:
    """All scans are kept; one that was overtaken, or of a cancelled parcel, moves nothing."""
    if not state.created or not scan.parcel_id.startswith(f"{scan.order_id}."):
        raise Refused("parcel_unknown", parcel_id=scan.parcel_id)
    if scan.scan_id in state.scans:
        return _polled_on(scan, state, next_poll)
    order_id, parcel_id = scan.order_id, scan.parcel_id
    rest = (scan.scan_id, scan.at, scan.place, next_poll)
    again = scan.status == state.status and scan.status != "attempt_failed"
    if state.cancelled or again or not is_further(scan.status, scan.at, state):
        return [m.ShipmentMoved(order_id, parcel_id, *rest, scan.status)]
    first: list[Event] = []
    if not state.handed_over and scan.status != "handed_over":
        implied = f"{scan.scan_id}{IMPLIED}"
        first = [m.ShipmentHandedOver(order_id, parcel_id, implied, scan.at, scan.place)]
    match scan.status:
        case "handed_over":
            return [m.ShipmentHandedOver(order_id, parcel_id, *rest)]
        case "in_transit":
            return [*first, m.ShipmentMoved(order_id, parcel_id, *rest)]
        case "attempt_failed":
            return [*first, m.DeliveryAttemptFailed(order_id, parcel_id, *rest)]
        case "delivered":
            return [*first, m.ShipmentDelivered(order_id, parcel_id, *rest)]
        case "lost":
            return [*first, m.ShipmentLost(order_id, parcel_id, *rest)]
        case "returned_to_sender":
            return [*first, m.ShipmentReturned(order_id, parcel_id, *rest)]


def _polled_on(scan: m.RecordScan, state: State, next_poll: datetime | None) -> list[Event]:
    """A scan that came before is no news, but the carrier is asked again; the same answer is not
    written twice."""
    if next_poll is None or next_poll == state.next_poll:
        return []
    order_id, parcel_id = scan.order_id, scan.parcel_id
    return [m.ShipmentDeferred(order_id, parcel_id, "scan", next_poll, scan_id=scan.scan_id)]


def _cancel(command: m.CancelShipment, state: State) -> list[Event]:
    """What was never created leaves a tombstone, so that a late creation is refused."""
    order_id, parcel_id, number = command.order_id, command.parcel_id, command.cancellation
    if number in state.cancellations:
        return []
    if state.handed_over:
        return [m.ShipmentKept(order_id, parcel_id, number)]
    whole = not out_of(state.lines, command.lines)
    return [m.ShipmentCancelled(order_id, parcel_id, command.lines, number, whole)]


def _receive(command: m.ReceiveReturn, state: State) -> list[Event]:
    if state.received:
        return []
    if not command.lines:
        raise Refused("no_lines")
    for line in (*command.lines, *command.unsellable):
        if line.quantity <= 0:
            raise Refused("quantity_not_positive", line=line.line, quantity=line.quantity)
    if out_of(command.unsellable, command.lines):
        raise Refused("too_many", return_no=command.return_no)
    received = m.ReturnReceived(
        command.order_id, command.return_no, command.lines, command.condition, command.unsellable
    )
    return [received]


decider: Decider[Command | m.Answered, Event, State] = Decider(State(), decide, evolve)
