"""What would become of a dead letter that is redriven."""

from uuid import uuid4

from api.letters import Letters
from api.rehearsal import preview
from domain.message import LineQuantity
from domain.shipping.messages import ShipmentCreated
from store.parked import Parked
from store.parked_choice import Choice
from store.vault import Vault, read_master_key
from tests.integration.dead_letters.world import Way, letter
from tests.integration.facts import record
from tests.integration.intake_world import ORDER


async def test_a_preview_tells_what_can_be_told(way: Way):
    """What the agent or the intake would refuse now; nothing of it is posted or written."""
    tracking, letters = uuid4().hex, seen_by(way)
    scan = {"tracking": tracking, "scan_id": "s", "status": "lost", "at": "2026-11-20T10:00:00Z"}
    await way.put("partner.scans", scan)
    [late] = await way.parked()
    assert await preview_of(way, late, letters) == "parcel_unknown"
    made = ShipmentCreated("o", f"o.{tracking[:6]}", (LineQuantity(1, "mug", 1),), "x", tracking)
    await record(way.conn, [made])
    assert await preview_of(way, late, letters) == "untold"
    assert await preview_of(way, late, Letters(None, None)) == "untold"
    assert await preview_of(way, late, Letters(Vault(bytes(32)), None)) == "cannot_open"

    other = Letters.of(letters.vault, "http://elsewhere.example/events")
    assert await preview_of(way, late, other) == "address_not_allowed"
    await way.put("partner.orders", {**ORDER, "lines": [{"sku": "none", "quantity": 1}]})
    await way.put("partner.orders", {**ORDER, "surprise": 1})
    await way.put("partner.goods-receipts", {"lines": [{"sku": "none", "quantity": 1}]})
    others = [row for row in await way.parked(4) if row.id != late.id]
    assert sorted(row.cause for row in others) == ["data_not_valid", "sku_unknown", "sku_unknown"]
    for row in others:
        assert await preview_of(way, row, letters) == row.cause
    assert way.intake.commands() == []

    await way.wish(late, "redrive")
    assert await way.gone(late) == "applied"


async def test_a_preview_knows_what_was_taken_before(way: Way):
    id = uuid4().hex
    await letter(way, id=id)
    [row] = await way.parked()
    event = {"specversion": "1.0", "id": id, "source": "//shop"}
    data = {"lines": [{"sku": "mug", "quantity": 1}]}
    assert await preview_of(way, row, seen_by(way)) == "untold"
    kind = "partner.goods-receipt.v1"
    await way.intake.structured({**event, "type": kind, "data": data})
    assert await preview_of(way, row, seen_by(way)) == "sent"
    await letter(way, id=id, source="//another", knativeerrorcode="500")
    [*_, second] = await way.parked(2)
    other = {"lines": [{"sku": "mug", "quantity": 2}]}
    await way.intake.structured({**event, "source": "//another", "type": kind, "data": other})
    assert await preview_of(way, second, seen_by(way)) == "event_id_reused"


def seen_by(way: Way) -> Letters:
    master = read_master_key(way.settings.state_dir / "master.key")
    return Letters.of(Vault(master), way.settings.redrive_targets)


async def preview_of(way: Way, row: Parked, letters: Letters) -> str:
    """The cause it would stay for, `untold`, or `sent`."""
    seen = await preview(way.conn, Choice([row.id]), letters)
    assert (seen.messages, seen.sent) == (1, 1)
    if seen.failing:
        assert seen.failing[0].fails is not None
        return seen.failing[0].fails[0]
    return "untold" if seen.untold else "sent"
