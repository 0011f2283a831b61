"""From what an event asks for to its commands, by the same rules as the API's own requests."""

from collections.abc import Awaitable, Callable
from functools import partial

from api.goods import refuse_unknown
from api.intake.mappers import Asked, GoodsReceipt, Scan
from api.place import placed, priced
from api.problems import Problem
from api.service import Service
from api.wanted import Wanted
from api.wishes import Ids, Made
from domain.inventory.messages import ReceiveStock
from domain.shipping.messages import RecordScan
from store.parcels import Parcel

Make = Callable[[Ids], Awaitable[Made]]


def makers(service: Service, asked: Asked) -> list[Make]:
    """What makes each command of an event; their order and number follow from the event alone."""
    match asked:
        case Wanted():
            return [partial(_order, service, asked)]
        case Scan():
            return [partial(_scan, service, asked)]
        case GoodsReceipt():
            first, *others = asked.by_sku.items()
            rest = [partial(_goods, asked, *each) for each in others]
            return [partial(_first_goods, service, asked, *first), *rest]


async def look(service: Service, asked: Asked) -> None:
    """Whether its commands could be made now; raises a Problem, and writes nothing."""
    match asked:
        case Wanted():
            await _refuse_other_prices(service, asked)
        case Scan():
            await _parcel(service, asked)
        case GoodsReceipt():
            await _refuse_unknown(service, asked)


async def _order(service: Service, asked: Wanted, ids: Ids) -> Made:
    await _refuse_other_prices(service, asked)
    return await placed(service, asked, ids)


async def _refuse_other_prices(service: Service, asked: Wanted) -> None:
    try:
        await priced(service, asked.lines)
    except Problem as problem:
        if problem.status == 409:  # a caller can order anew; an event only comes again as it is
            problem.status = 422
        raise


async def _scan(service: Service, asked: Scan, _: Ids) -> Made:
    parcel = await _parcel(service, asked)
    command = RecordScan(
        parcel.order_id, parcel.parcel_id, asked.name, asked.status, asked.at, asked.place
    )
    return Made(command, {"order_id": parcel.order_id})


async def _parcel(service: Service, asked: Scan) -> Parcel:
    """By our own id when the scan has it. One that is not there may be about to be."""
    known = service.parcels
    found = await known.get((bool(asked.parcel_id), asked.parcel_id or asked.tracking))
    if found is None:
        raise Problem(
            409,
            "parcel_unknown",
            "no parcel of that name has a label yet",
            hint="Send the same event again.",
            headers={"Retry-After": "1"},
        )
    return found


async def _first_goods(
    service: Service, asked: GoodsReceipt, sku: str, quantity: int, ids: Ids
) -> Made:
    """Looks at all that came in together, so that an event is taken whole or not at all."""
    await _refuse_unknown(service, asked)
    return await _goods(asked, sku, quantity, ids)


async def _goods(asked: GoodsReceipt, sku: str, quantity: int, _: Ids) -> Made:
    return Made(ReceiveStock(sku, quantity, asked.reference), {"sku": sku})


async def _refuse_unknown(service: Service, asked: GoodsReceipt) -> None:
    if not asked.uncatalogued:
        await refuse_unknown(service, asked.by_sku.keys())
