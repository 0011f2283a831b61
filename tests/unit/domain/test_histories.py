"""Any history: random wishes, answers, scans and clock ticks, delivered in any order of keys."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.inventory.messages import AdjustStock, ReceiveStock
from domain.message import Charge, Command, LineQuantity
from domain.order import messages as order
from domain.payment.messages import ConfirmAuthentication, RenewAuthorization
from domain.shipping.messages import ReceiveReturn, RecordScan, ScanStatus
from tests.books import check_at_rest, check_books
from tests.lives.life import settle
from tests.shop import line, place, pounds
from tests.world import World

ORDERS = ("o-1", "o-2")
SKUS = ("mug", "pen", "hat")
WAREHOUSES = ("main", "main", "north")
WORDS: tuple[str, ...] = (
    "approve",
    "decline",
    "decline_retryable",
    "action",
    "unreachable",
    "lost",
    "done",
)
JOURNEYS: tuple[tuple[ScanStatus, ...], ...] = (
    ("handed_over", "in_transit", "delivered"),
    ("delivered",),
    ("handed_over", "lost"),
    ("in_transit", "attempt_failed", "returned_to_sender"),
    ("handed_over", "delivered", "in_transit", "lost"),
)

STATUSES: tuple[ScanStatus, ...] = JOURNEYS[4]

order_ids = st.sampled_from(ORDERS)
skus = st.sampled_from(SKUS)
few = st.integers(1, 3)
some_lines = st.lists(
    st.tuples(st.integers(1, 3), few), min_size=1, max_size=2, unique_by=lambda pair: pair[0]
).map(lambda pairs: tuple(LineQuantity(number, SKUS[number - 1], n) for number, n in pairs))


@st.composite
def placed(draw: st.DrawFn) -> Command:
    wanted = draw(st.lists(few, min_size=1, max_size=3))
    lines = [
        replace(line(n, SKUS[n - 1], quantity), warehouse=WAREHOUSES[n - 1])
        for n, quantity in enumerate(wanted, 1)
    ]
    shortage = draw(st.sampled_from(("reject", "backorder")))
    charge = draw(st.sampled_from((0, 250, -300)))
    charges = (Charge("postage", pounds(charge)),) if charge else ()
    return place(draw(order_ids), *lines, shortage=shortage, charges=charges)


@st.composite
def scanned(draw: st.DrawFn) -> Command:
    order_id = draw(order_ids)
    status = draw(st.sampled_from(STATUSES))
    number = draw(st.integers(0, 3))
    at = World().now + timedelta(minutes=draw(st.integers(0, 60)))
    parcel = draw(st.sampled_from((1, 1, 2)))
    scan_id = f"partner-{status}-{number}"
    return RecordScan(order_id, f"{order_id}.{parcel}", scan_id, status, at)


before_hand_over: st.SearchStrategy[Command] = st.one_of(
    st.builds(order.CancelOrder, order_ids, some_lines),
    st.builds(order.CancelOrder, order_ids, some_lines),
    st.builds(order.CancelOrder, order_ids),
    st.builds(order.PayOrder, order_ids, st.just("tok_other")),
    st.builds(ConfirmAuthentication, order_ids, st.integers(1, 2)),
    st.builds(order.HoldOrder, order_ids),
    st.builds(order.ReleaseHold, order_ids),
    st.builds(RenewAuthorization, order_ids),
)
after_hand_over: st.SearchStrategy[Command] = st.one_of(
    st.builds(order.RequestReturn, order_ids, some_lines),
    st.builds(order.RequestReturn, order_ids, some_lines),
    st.builds(order.RequestReturn, order_ids, some_lines, window=st.just("none")),
    st.builds(order.ApproveReturn, order_ids, st.integers(1, 2)),
    st.builds(order.RefuseReturn, order_ids, st.integers(1, 2)),
    st.builds(ReceiveReturn, order_ids, st.integers(1, 2), some_lines),
    scanned(),
)
around: st.SearchStrategy[Command] = st.one_of(
    placed(),
    st.builds(ReceiveStock, skus, st.integers(1, 5)),
    st.builds(AdjustStock, skus, st.integers(-3, 2), st.just("count")),
)
wishes = st.one_of(before_hand_over, before_hand_over, after_hand_over, around)

Move = Callable[[World], None]


def sends(command: Command) -> Move:
    return lambda world: void(world.send(command))


def repeats(number: int) -> Move:
    """What was sent before comes again under the same id."""

    def again(world: World) -> None:
        for name, queue in world.queues.items():
            if queue:
                sent = queue[number % len(queue)]
                world.queues[name].append(sent)
                return

    return again


def handles(picks: list[int]) -> Move:
    def handle(world: World) -> None:
        for pick in picks:
            names = world.busy()
            if names:
                world.step(names[pick % len(names)])
                check_books(world)

    return handle


def scripts(words: Sequence[str]) -> Move:
    return lambda world: world.provider.script.extend(words)


def travels(journey: tuple[ScanStatus, ...]) -> Move:
    def travel(world: World) -> None:
        world.carrier.journey = journey

    return travel


def waits(minutes: int) -> Move:
    """Time passes; long waits only when nothing lies in a queue, as in the real timer process."""

    def wait(world: World) -> None:
        if not world.busy() or minutes < 20:
            world.tick(timedelta(minutes=minutes))

    return wait


def void(_: object) -> None:
    """For lambdas that must return nothing."""


def drains(world: World) -> None:
    world.drain()


def until_due(world: World) -> None:
    """To the next deadline, as the timer process does it."""
    world.drain()
    due = world.next_due()
    if due is not None:
        world.tick(max(due - world.now, timedelta()))


def deliver(world: World) -> None:
    """As far as it goes within three days."""
    end = world.now + timedelta(days=3)
    while (due := world.next_due() or end) < end or world.busy():
        world.tick(max(min(due, end) - world.now, timedelta()))
        world.drain()


words: st.SearchStrategy[str] = st.sampled_from(WORDS)
moves: st.SearchStrategy[Move] = st.one_of(
    wishes.map(sends),
    wishes.map(sends),
    wishes.map(sends),
    st.lists(st.integers(0, 7), min_size=1, max_size=12).map(handles),
    st.lists(st.integers(0, 7), min_size=1, max_size=12).map(handles),
    st.just(drains),
    st.just(until_due),
    st.just(until_due),
    st.integers(0, 5).map(repeats),
    st.lists(words, min_size=1, max_size=3).map(scripts),
    st.sampled_from(JOURNEYS).map(travels),
    st.sampled_from((1, 5, 11, 16, 400, 1_500, 45_000)).map(waits),
)


@settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    st.lists(placed(), min_size=2, max_size=3),
    st.lists(words, max_size=8),
    st.lists(st.sampled_from(("ok", "unreachable", "nothing_yet")), max_size=4),
    st.booleans(),
    st.lists(moves, min_size=10, max_size=50),
)
def test_every_order_ends_at_rest_and_the_books_balance(
    first: list[Command], answers: list[str], labels: list[str], late: bool, history: list[Move]
) -> None:
    world = World()
    world.provider.script.extend(answers)
    world.carrier.script.extend(labels)
    for sku in SKUS:
        world.send(ReceiveStock(sku, 4))
    for command in first:
        world.send(command)
    if late:
        deliver(world)
    for move in history:
        move(world)
        check_books(world)
    settle(world, [])
    check_books(world)
    check_at_rest(world)


@settings(
    max_examples=100, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    placed(),
    st.lists(
        st.one_of(
            after_hand_over.map(sends),
            after_hand_over.map(sends),
            st.just(drains),
            st.just(until_due),
            st.lists(words, min_size=1, max_size=3).map(scripts),
        ),
        min_size=5,
        max_size=30,
    ),
)
def test_returns_in_any_order_pay_back_what_came_back(first: Command, history: list[Move]) -> None:
    world = World()
    for sku in SKUS:
        world.send(ReceiveStock(sku, 4))
    world.send(first)
    deliver(world)
    for move in history:
        move(world)
        check_books(world)
    settle(world, [])
    check_at_rest(world)
