"""What would become of dead letters that are redriven, as far as it can be told without posting."""

from typing import Literal, NamedTuple

from api.goods import SHOWN
from api.intake.mappers import Asked, GoodsReceipt, Scan, commands_of
from api.intake.reading import events_of
from api.intake.taking import Event, understood
from api.place import lines_at
from api.problems import Problem
from api.wanted import Wanted
from bus.event import FAILURE, read
from bus.targets import Targets, failed_at, no_address, path_of
from store import catalogue, dead_letters, idempotency, parcels
from store.connect import AsyncConnection
from store.parked import Parked
from store.vault import CannotOpen, Vault
from store.views import stock

INTAKE = "/events"
"""How the address of an intake of ours ends; what others take, only they know."""

Told = tuple[str, str] | Literal["taken", "unknown"]
"""(cause, error) of what would fail; `taken` was taken before, so a repeat changes nothing."""


class Letters(NamedTuple):
    """What opens dead letters, and where they may go; None where that is not known here."""

    vault: Vault | None
    targets: Targets | None

    @staticmethod
    def of(vault: Vault | None, listed: str) -> "Letters":
        """Without a list of targets nobody here knows what the agent was told."""
        return Letters(vault, Targets(listed) if listed else None)


async def try_letter(conn: AsyncConnection, letters: Letters, row: Parked) -> Told:
    """Everything that the agent and the intake check before they change anything."""
    vault = letters.vault
    if vault is None:
        return "unknown"
    try:
        record = await dead_letters.open_letter(conn, vault, row)
    except CannotOpen:
        return "cannot_open", "its key is gone, or was wrapped by another master key"
    event = read(record.headers, record.value)
    refused = letters.targets.refusal(event) if letters.targets else no_address(event)
    if event is None or refused is not None:
        return refused or "unknown"
    if not path_of(failed_at(event)).endswith(INTAKE):
        return "unknown"
    sent = event.without(FAILURE)
    headers = [(name.lower().encode(), text.encode()) for name, text in sent.http_headers().items()]
    try:
        [received] = events_of(headers, sent.data)
        asked = understood(received)
        if (known := await _known(conn, vault, asked)) is not None:
            return known
        await _look(conn, asked.asked)
    except Problem as problem:
        return problem.code, f"{problem.status} {problem.detail}"
    return "unknown"


async def _known(conn: AsyncConnection, vault: Vault, event: Event) -> Told | None:
    """None unless all of its rows are there already."""
    origins = [event.part(number) for number in range(commands_of(event.asked))]
    keys = [(origin.caller, origin.key) for origin in origins]
    found = await idempotency.find_all(conn, keys)
    if any(wish.request_hash != vault.fingerprint(event.request_hash) for wish in found.values()):
        return "event_id_reused", "422 another event came with this id from this source"
    return "taken" if len(found) == len(keys) else None


async def _look(conn: AsyncConnection, asked: Asked) -> None:
    """Raises a Problem when no command could be made of it now."""
    match asked:
        case Wanted():
            skus = {line.sku for line in asked.lines}
            lines_at(await catalogue.find(conn, sorted(skus)), asked.lines)
        case Scan():
            find = parcels.by_id if asked.parcel_id else parcels.by_tracking
            if not await find(conn, [asked.parcel_id or asked.tracking]):
                raise Problem(409, "parcel_unknown", "no parcel of that name has a label yet")
        case GoodsReceipt():
            if not asked.uncatalogued:
                await _look_for_goods(conn, asked)


async def _look_for_goods(conn: AsyncConnection, asked: GoodsReceipt) -> None:
    skus = asked.by_sku.keys()
    unknown = skus - (await catalogue.find(conn, sorted(skus))).keys()
    unknown -= await stock.existing(conn, sorted(unknown))
    if unknown:
        named = ", ".join(sorted(unknown)[:SHOWN])
        raise Problem(422, "sku_unknown", f"neither in the catalogue nor in stock: {named}")
