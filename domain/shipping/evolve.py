"""What each fact of shipping changes; no checks, no surprises."""

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from domain.message import Event, LineQuantity
from domain.shipping import messages as m
from domain.shipping.state import State

RANK: Mapping[m.ScanStatus, int] = {
    "handed_over": 1,
    "in_transit": 2,
    "attempt_failed": 2,
    "lost": 3,
    "returned_to_sender": 4,
    "delivered": 5,
}


def evolve(state: State, event: Event) -> State:
    match event:
        case m.ShipmentCreated(lines=lines, tracking=tracking):
            return replace(
                state,
                created=True,
                label_deferred=False,
                refused=False,
                lines=lines,
                tracking=tracking,
                tries=0,
            )
        case m.ShipmentRefused(lines=lines, warehouse=warehouse, refusals=refusals):
            return replace(
                state,
                label_deferred=False,
                refused=True,
                refusals=refusals,
                given_up=state.given_up + 1,
                lines=lines,
                warehouse=warehouse,
                tries=0,
            )
        case m.ScanEvent():
            return _scanned(state, event)
        case m.ShipmentDeferred():
            return _deferred(state, event)
        case m.ShipmentCancelled(lines=lines, cancellation=cancellation, whole=whole):
            return replace(
                state,
                lines=out_of(state.lines, lines),
                cancelled=state.cancelled or whole,
                cancellations=state.cancellations | {cancellation},
            )
        case m.ShipmentKept(cancellation=cancellation):
            return replace(state, cancellations=state.cancellations | {cancellation})
        case m.ReturnReceived():
            return replace(state, received=True)
        case _:
            raise TypeError(f"{type(event).__name__} is not an event of shipping")


def status_of(event: m.ScanEvent) -> m.ScanStatus:
    match event:
        case m.ShipmentMoved():
            return event.status
        case m.ShipmentHandedOver():
            return "handed_over"
        case m.DeliveryAttemptFailed():
            return "attempt_failed"
        case m.ShipmentDelivered():
            return "delivered"
        case m.ShipmentLost():
            return "lost"
        case m.ShipmentReturned():
            return "returned_to_sender"
        case _:
            raise TypeError(f"{type(event).__name__} is not a scan")


def _deferred(state: State, event: m.ShipmentDeferred) -> State:
    if event.step == "label":
        return replace(
            state,
            label_deferred=True,
            refused=False,
            refusals=event.refusals,
            lines=event.lines,
            warehouse=event.warehouse,
            tries=event.tries,
        )
    if event.scan_id:
        return replace(state, tries=0, polls=state.polls + 1, next_poll=event.next_poll)
    return replace(state, tries=event.tries, next_poll=event.next_poll)


def _scanned(state: State, event: m.ScanEvent) -> State:
    status = status_of(event)
    scans = state.scans | {event.scan_id}
    state = replace(state, scans=scans, tries=0)
    if event.next_poll is not None:  # what comes by itself says nothing of the next poll
        state = replace(state, polls=state.polls + 1, next_poll=event.next_poll)
    if state.cancelled or not is_further(status, event.at, state):
        return state
    return replace(state, status=status, rank=RANK[status], at=event.at)


def place_of(status: m.ScanStatus, at: datetime) -> tuple[int, datetime, bool]:
    """By which the furthest of all scans is found: rank, the carrier's time, and where both are
    equal the bad news, so that the order in which they come says nothing."""
    return RANK[status], at, status == "attempt_failed"


def is_further(status: m.ScanStatus, at: datetime, state: State) -> bool:
    """Whether a scan is ahead of all that came."""
    if state.status == "" or state.at is None:
        return True
    return place_of(status, at) > place_of(state.status, state.at)


IMPLIED = "/handed_over"


def out_of(
    lines: tuple[LineQuantity, ...], taken: tuple[LineQuantity, ...]
) -> tuple[LineQuantity, ...]:
    gone: dict[int, int] = {}
    for line in taken:
        gone[line.line] = gone.get(line.line, 0) + line.quantity
    return tuple(
        LineQuantity(line.line, line.sku, rest)
        for line in lines
        if (rest := line.quantity - gone.get(line.line, 0)) > 0
    )
