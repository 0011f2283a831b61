"""Whether goods that come in are ours: a sku that nobody knows is most often mistyped."""

from collections.abc import Collection

from api.problems import Problem
from api.service import Service
from store.views import stock

SHOWN = 20


COMES_LATER = (
    "Put it into the catalogue first; if that comes later, say uncatalogued: true (--uncatalogued)."
)


async def refuse_unknown(
    service: Service, skus: Collection[str], *, hint: str = COMES_LATER
) -> None:
    """422 `sku_unknown` unless each sku stands in the catalogue, or has been on the shelf."""
    unknown = set(skus) - (await service.prices.find(skus)).keys()
    if unknown:
        async with service.db() as conn:
            unknown -= await stock.existing(conn, sorted(unknown))
    if unknown:
        raise Problem(
            422,
            "sku_unknown",
            f"neither in the catalogue nor in stock: {', '.join(sorted(unknown)[:SHOWN])}",
            hint=hint,
            skus=sorted(unknown),
        )
