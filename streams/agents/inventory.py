"""The inventory agent: remembers reservations, and locks the stock rows it decides on."""

from domain.inventory.decider import decider
from domain.inventory.messages import StockCommand
from domain.inventory.state import Reservation, Shelf
from domain.message import Command, Event
from streams.context import Context
from streams.settings import Settings


def _reservation(state: Reservation, event: Event) -> Reservation:
    return decider.evolve(Shelf(state), event).reservation


def _reads(command: Command) -> tuple[str, ...]:
    # A sku's own stream is never remembered: its state is the locked row.
    return () if isinstance(command, StockCommand) else (command.stream,)


def declare(_: Settings) -> Context:
    return Context(
        "inventory", decider, Reservation(), _reservation, shared_stock=True, reads=_reads
    )
