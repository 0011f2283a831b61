"""Everything that can happen next to a shop with three orders, each told in a line."""

from collections.abc import Callable
from datetime import timedelta

from domain.inventory.messages import AdjustStock, ReceiveStock
from domain.message import Charge, Command, Line, LineQuantity
from domain.notification.messages import Channel, SetPreferences
from domain.order import messages as order
from domain.payment.messages import ConfirmAuthentication, RenewAuthorization
from domain.shipping.messages import ReceiveReturn, RecordScan, RetryLabel, ScanStatus
from tests.books import check_books
from tests.lives.tape import Tape
from tests.shop import place, pounds
from tests.world import DeliveryOutcome, World

ORDERS = ("o-1", "o-2", "o-3")
SKUS = ("mug", "pen", "hat")
CARDS = ("tok_approve", "tok_other")
ANSWERS = ("approve", "decline", "decline_retryable", "action", "unreachable", "lost", "done")
LABELS = ("ok", "unreachable", "nothing_yet", "refused")
CHANNELS: tuple[tuple[Channel, ...], ...] = ((), ("email",), ("webhook",), ("email", "webhook"))
POSTED: tuple[DeliveryOutcome, ...] = ("sent", "unreachable", "failed", "suppressed")
JOURNEYS: tuple[tuple[ScanStatus, ...], ...] = (
    ("handed_over", "in_transit", "delivered"),
    ("delivered",),
    ("handed_over", "lost"),
    ("in_transit", "attempt_failed", "returned_to_sender"),
    ("handed_over", "delivered", "in_transit", "lost"),
    ("handed_over", "lost", "delivered"),
)
STATUSES: tuple[ScanStatus, ...] = (
    "handed_over", "in_transit", "attempt_failed", "delivered", "lost", "returned_to_sender",
)  # fmt: skip
SHORT = (timedelta(minutes=1), timedelta(minutes=11), timedelta(minutes=16))
LONG = (timedelta(hours=7), timedelta(hours=25), timedelta(days=6, hours=13), timedelta(days=31))

Move = Callable[[World, Tape], str]


def places(world: World, tape: Tape) -> str:
    order_id = tape.one_of(ORDERS)
    lines = tuple(
        Line(
            number,
            SKUS[number - 1],
            tape.one_of((1, 2, 3, 24)),
            pounds(500),
            warehouse=tape.one_of(("main", "north")),
        )
        for number in range(1, 2 + tape.upto(2))
    )
    postage = tape.one_of((0, 250, -300))
    return sends(
        world,
        place(
            order_id,
            *lines,
            method=tape.one_of(("tok_approve", "tok_approve", "")),
            shortage=tape.one_of(("reject", "backorder")),
            charges=(Charge("postage", pounds(postage)),) if postage else (),
        ),
    )


def sends(world: World, command: Command) -> str:
    world.send(command)
    return repr(command)


def lines_of(tape: Tape) -> tuple[LineQuantity, ...]:
    number = 1 + tape.upto(2)
    return (LineQuantity(number, SKUS[number - 1], 1 + tape.upto(2)),)


def cancels(world: World, tape: Tape) -> str:
    order_id = tape.one_of(ORDERS)
    lines = lines_of(tape) if tape.upto(1) else ()
    return sends(world, order.CancelOrder(order_id, lines, parcels_first=refused(world, order_id)))


def refused(world: World, order_id: str) -> tuple[str, ...]:
    """The parcels of the order that the carrier will not have, as its document shows them."""
    names = (name.removeprefix("shipment-") for name, one in world.parcels.items() if one.refused)
    return tuple(name for name in names if name.rpartition(".")[0] == order_id)


def pays(world: World, tape: Tape) -> str:
    return sends(world, order.PayOrder(tape.one_of(ORDERS), tape.one_of(CARDS)))


def holds(world: World, tape: Tape) -> str:
    order_id = tape.one_of(ORDERS)
    return sends(world, tape.one_of((order.HoldOrder(order_id), order.ReleaseHold(order_id))))


def settles(world: World, tape: Tape) -> str:
    order_id = tape.one_of(ORDERS)
    wish = tape.one_of(
        (
            order.SettleOrder(order_id),
            order.SettleOrder(order_id, "tok_other"),
            order.SettleOrder(order_id, write_off=True),
        )
    )
    return sends(world, wish)


def returns(world: World, tape: Tape) -> str:
    order_id, number = tape.one_of(ORDERS), tape.one_of((1, 1, 1, 2))
    match tape.upto(4):
        case 0 | 1:
            window = tape.one_of(("open", "none"))
            wish: Command = order.RequestReturn(order_id, lines_of(tape), window=window)
            if tape.upto(1):
                return f"{sends(world, wish)}, {sends(world, order.ApproveReturn(order_id, 1))}"
        case 2:
            wish = order.ApproveReturn(order_id, number)
        case 3:
            wish = order.RefuseReturn(order_id, number)
        case _:
            wish = ReceiveReturn(order_id, number, lines_of(tape))
    return sends(world, wish)


def scans(world: World, tape: Tape) -> str:
    """A partner's scan: twice under the same id, and late by the carrier's own clock."""
    order_id, status = tape.one_of(ORDERS), tape.one_of(STATUSES)
    parcel = f"{order_id}.{1 + tape.upto(2)}"
    at = world.now - timedelta(minutes=tape.upto(60))
    return sends(world, RecordScan(order_id, parcel, f"{parcel}-{status}", status, at))


def restocks(world: World, tape: Tape) -> str:
    sku, quantity = tape.one_of(SKUS), 1 + tape.upto(30)
    count = AdjustStock(sku, tape.upto(4) - 3, "count")
    return sends(world, tape.one_of((ReceiveStock(sku, quantity), count)))


def chooses_channels(world: World, tape: Tape) -> str:
    return sends(world, SetPreferences("c-1", tape.one_of(CHANNELS)))


def renews(world: World, tape: Tape) -> str:
    return sends(world, RenewAuthorization(tape.one_of(ORDERS)))


def customer(world: World, tape: Tape) -> str:
    """Whoever was asked by the provider answers there, maybe long after we gave it up."""
    references = list(world.provider.challenges)
    if not references:
        return ""
    reference, confirms = tape.one_of(references), bool(tape.upto(3))
    world.provider.customer(reference, confirms=confirms)
    return f"customer of {reference} {'confirms' if confirms else 'refuses'}"


def comes_back(world: World, tape: Tape) -> str:
    return sends(world, ConfirmAuthentication(tape.one_of(ORDERS), 1 + tape.upto(1)))


def webhook(world: World, tape: Tape) -> str:
    """Any notice of the provider, early or late, for the first time or again."""
    if not world.provider.notices:
        return ""
    return sends(world, tape.one_of(world.provider.notices))


def repeats(world: World, tape: Tape) -> str:
    """The relay, a timer or a client sends again what was handled."""
    if not world.handled:
        return ""
    sent = world.handled[-1 - tape.upto(min(255, len(world.handled) - 1))]
    world.repeat(sent)
    return f"again {sent.id}"


def handles(world: World, tape: Tape) -> str:
    """Some messages, of keys in any order."""
    steps: list[str] = []
    for _ in range(1 + tape.upto(7)):
        names = world.busy()
        if not names:
            break
        name = tape.one_of(names)
        steps.append(f"{name[0]} {name[1]}: {type(world.queues[name][0].command).__name__}")
        world.step(name)
        check_books(world)
    return "handle " + "; ".join(steps)


def drains(world: World, tape: Tape) -> str:
    world.drain()
    return "drain"


def waits(world: World, tape: Tape) -> str:
    """Time passes; long only when nothing lies in a queue, as with the real timer process."""
    by = tape.one_of(SHORT)
    world.tick(by)
    return f"wait {by}"


def waits_long(world: World, tape: Tape) -> str:
    world.drain()
    by = tape.one_of(LONG)
    world.tick(by)
    return f"drain, wait {by}"


def days_later(world: World, tape: Tape) -> str:
    """Deadline by deadline, so that parcels arrive and what hangs on them comes in turn."""
    end = world.now + timedelta(days=3)
    world.drain()
    while (due := world.next_due() or end) < end:
        world.tick(max(due - world.now, timedelta()))
        world.drain()
    return f"until {end}"


def until_due(world: World, tape: Tape) -> str:
    world.drain()
    due = world.next_due()
    if due is not None:
        world.tick(max(due - world.now, timedelta()))
    return f"until {due}"


def provider_says(world: World, tape: Tape) -> str:
    words = [tape.one_of(ANSWERS) for _ in range(1 + tape.upto(2))]
    world.provider.script.extend(words)
    return f"provider will say {words}"


def provider_away(world: World, tape: Tape) -> str:
    by = tape.one_of((timedelta(minutes=1), timedelta(hours=2), timedelta(hours=30)))
    world.provider.down_until = world.now + by
    return f"provider is away for {by}"


def carrier_says(world: World, tape: Tape) -> str:
    if tape.upto(1):
        word = tape.one_of(LABELS)
        world.carrier.script.append(word)
        return f"carrier will say {word}"
    world.carrier.journey = tape.one_of(JOURNEYS)
    return f"parcels travel {world.carrier.journey}"


def mail_says(world: World, tape: Tape) -> str:
    word = tape.one_of(POSTED)
    world.post.append(word)
    return f"mail is {word}"


def refuses_labels(world: World, tape: Tape) -> str:
    words = ["refused"] * (1 + tape.upto(4))
    world.carrier.script.extend(words)
    return f"carrier refuses {len(words)} times"


def relabels(world: World, tape: Tape) -> str:
    order_id = tape.one_of(ORDERS)
    return sends(world, RetryLabel(order_id, f"{order_id}.{1 + tape.upto(2)}"))


MOVES: tuple[Move, ...] = (
    drains, handles, handles, handles, handles, until_due, until_due, days_later, waits, waits_long,
    places, places, cancels, cancels, pays, holds, settles, settles, returns, returns, returns,
    scans, scans, restocks, chooses_channels, renews, customer, customer, comes_back, webhook,
    webhook, repeats, repeats, provider_says, provider_says, provider_away, carrier_says, mail_says,
    refuses_labels, relabels,
)  # fmt: skip
"""How often each is chosen; the first are the simplest."""
