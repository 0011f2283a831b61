"""The invariants of the domain, checked over a world in memory."""

from domain.deadlines import retry_name
from domain.order.state import units
from domain.order.status import order_status
from domain.payment.messages import AuthorizationCameLate, AuthorizationExpired, Step
from tests.world import World


def check_books(world: World) -> None:
    """What holds after every single step."""
    _check_stock(world)
    for order_id in world.orders:
        _check_order(world, order_id)
        _check_money(world, order_id)


def check_at_rest(world: World) -> None:
    """What holds when nothing is under way and no deadline is left."""
    assert not world.busy()
    assert not world.timers
    for order_id, state in world.orders.items():
        assert state.closed or state.base == "none", (order_id, order_status(state), state)
        held = world.payments.get(order_id)
        assert held is None or not held.pending
        books = world.provider
        assert not state.owed
        assert not state.unrefunded
        _check_nothing_held(world, order_id)
        if held is not None:
            assert held.captured == books.total("capture", order_id)
            assert held.refunded == books.total("refund", order_id)
            _check_shares(world, order_id)
            assert state.captured == held.captured
            assert state.refunded == held.refunded
    assert not [name for name, one in world.parcels.items() if one.refused and not one.cancelled]
    assert not any(world.waiting.values())
    assert all(level.reserved == 0 for level in world.levels.values())


def _check_shares(world: World, order_id: str) -> None:
    """No parcel is paid back with the money of another, where nothing was owed meanwhile."""
    if world.orders[order_id].failures:
        return
    taken = world.provider.by_subject("capture", order_id)
    back = world.provider.by_subject("refund", order_id)
    for_returns = sum(minor for name, minor in back.items() if name.startswith("return-"))
    kept = 0
    for parcel_id in world.orders[order_id].parcels:
        share = back.get(f"lost-{parcel_id}", 0)
        assert share in (0, taken.get(parcel_id, 0)), parcel_id
        kept += taken.get(parcel_id, 0) - share
    assert for_returns <= kept


def _check_nothing_held(world: World, order_id: str) -> None:
    """Nothing is left to lapse by itself but what the provider was asked to let go and did not,
    and the log says so."""
    lapsed = any(
        isinstance(fact, AuthorizationExpired) for fact in world.facts(f"payment-{order_id}")
    )
    left = [one for one in world.provider.left(order_id) if one not in world.provider.kept]
    assert not left, f"{order_id}: money is still held: {left}"
    assert lapsed or not world.provider.left(order_id), f"{order_id}: nobody knows what is held"


def _check_stock(world: World) -> None:
    reserved: dict[str, int] = {}
    for reservation in world.reservations.values():
        if reservation.status == "reserved":
            for line in reservation.lines:
                reserved[line.sku] = reserved.get(line.sku, 0) + line.quantity
    for sku, level in world.levels.items():
        assert level.reserved == reserved.get(sku, 0), sku
        assert 0 <= level.reserved <= level.on_hand, sku
    queued = {
        (sku, one.order_id): one.quantity for sku, many in world.waiting.items() for one in many
    }
    wanted = {
        (line.sku, order_id): line.quantity
        for order_id, one in world.reservations.items()
        if one.status == "waiting"
        for line in one.lines
    }
    assert queued == wanted


def _check_order(world: World, order_id: str) -> None:
    state = world.orders[order_id]
    if state.placed is None:
        return
    ordered = {line.line: line.quantity for line in state.placed.lines}
    shipped: dict[int, int] = {}
    for parcel in state.parcels.values():
        if parcel.status != "planned":
            for line, quantity in units(parcel.lines).items():
                shipped[line] = shipped.get(line, 0) + quantity
    for line, quantity in ordered.items():
        assert shipped.get(line, 0) <= quantity - state.cancelled.get(line, 0)
        assert state.cancelled.get(line, 0) >= 0
    if state.closed:
        _check_closed(world, order_id)


def _check_closed(world: World, order_id: str) -> None:
    state = world.orders[order_id]
    reservation = world.reservations.get(order_id)
    assert reservation is None or not reservation.lines or reservation.status == "short", order_id
    assert not state.captures_open
    if state.base not in ("completed", "rejected"):
        assert not state.refunds_open  # a return after the end is a kindness
        assert not state.awaited
    streams = (f"order-{order_id}", f"payment-{order_id}", f"shipment-{order_id}.")
    payment = world.payments.get(order_id)
    late = _asked_later(world, order_id)
    pending = set(payment.pending) if payment is not None else set[tuple[str, str]]()
    assert pending <= late, order_id
    retries = {(f"payment-{order_id}", retry_name(*name)) for name in late}
    assert not [
        name
        for name, timer in world.timers.items()
        if name[0].startswith(streams) and timer.due_at > world.now and name not in retries
    ], order_id


def _asked_later(world: World, order_id: str) -> set[tuple[Step, str]]:
    """What may be asked of the provider after an order has closed: the void of a hold that came
    late, since it may have closed long before, and the refund of a return after the end."""
    facts = world.facts(f"payment-{order_id}")
    late = {one.reference for one in facts if isinstance(one, AuthorizationCameLate)}
    voids: set[tuple[Step, str]] = {("void", reference) for reference in late}
    refunds: set[tuple[Step, str]] = {
        ("refund", name) for name in world.orders[order_id].refunds_open
    }
    return voids | refunds


def _check_money(world: World, order_id: str) -> None:
    payment = world.payments.get(order_id)
    if payment is None or payment.authorized is None:
        return
    assert payment.refunded <= payment.captured <= payment.authorized.amount_minor
    books = world.provider
    assert books.total("refund", order_id) <= books.total("capture", order_id)
    assert payment.captured <= books.total("capture", order_id)
    assert payment.refunded <= books.total("refund", order_id)
