"""A supplier's stock file as a goods receipt: one event for each state of the file.

The event's id is made of its content: the same file is received once, however often it is posted.
"""

import asyncio
import csv
import hashlib
import io
import logging
from pathlib import Path

import msgspec

from bus.event import Event
from streams.lifecycle import CannotGoOn, beat, pause, ready, stopping
from streams.posting import Poster

LOOK_SECONDS = 10.0
FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
TIMEOUT_SECONDS = 30.0
SOURCE = "//supplier/stock"
TYPE = "partner.goods-receipt.v1"
HEAD = ["sku", "quantity"]

log = logging.getLogger("quire.supplier")


class NotAStockFile(Exception):
    """The file cannot be read as `sku,quantity`."""


async def run(file: Path, sink: str, *, once: bool, uncatalogued: bool = False) -> None:
    """Post each state of the file until SIGTERM, or its present one; raises CannotGoOn.

    `uncatalogued` lets in skus that no catalogue knows yet.
    """
    stop = stopping()
    poster = Poster(sink, timeout_seconds=TIMEOUT_SECONDS)
    posted = ""
    ready()
    try:
        while not stop.is_set():
            beat()
            event = _read(file, once=once, uncatalogued=uncatalogued)
            if event is not None and event.attributes["id"] != posted:
                await _post(poster, event, stop)
                posted = event.attributes["id"]
            if once or await pause(stop, LOOK_SECONDS):
                return
    finally:
        poster.close()


def _read(file: Path, *, once: bool, uncatalogued: bool) -> Event | None:
    try:
        return event_of(file.read_bytes(), uncatalogued=uncatalogued)
    except (OSError, NotAStockFile) as wrong:
        if once:
            raise CannotGoOn(f"{file}: {wrong}") from wrong
        log.warning("%s: %s", file, wrong)  # it may be half written
        return None


def event_of(content: bytes, *, uncatalogued: bool = False) -> Event | None:
    """The receipt that a file is; none for one without lines. Raises NotAStockFile."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        if not rows or rows[0] != HEAD:
            raise NotAStockFile(f"its first line has to be {','.join(HEAD)}")
        lines = [{"sku": sku, "quantity": int(quantity)} for sku, quantity in rows[1:]]
    except (ValueError, csv.Error) as wrong:
        raise NotAStockFile(str(wrong)) from wrong
    if not lines:
        return None
    id = hashlib.sha256(content).hexdigest()
    attributes = {"specversion": "1.0", "id": id, "source": SOURCE, "type": TYPE}
    receipt: dict[str, object] = {"lines": lines, "reference": f"file {id[:12]}"}
    if uncatalogued:
        receipt["uncatalogued"] = True
    return Event(attributes, "application/json", msgspec.json.encode(receipt))


async def _post(poster: Poster, event: Event, stop: asyncio.Event) -> None:
    """Until it is taken, or will never be; raises CannotGoOn."""
    wait = FIRST_WAIT
    while (failure := await poster.post(event)) is not None:
        if not failure.may_pass:
            raise CannotGoOn(
                f"refused with {failure.code} {failure.reason}: {failure.body[:500]!r}"
            )
        log.warning("not taken: %d %s; again in %.1f s", failure.code, failure.reason, wait)
        beat()
        if await pause(stop, wait):
            return
        wait = min(LONGEST_WAIT, wait * 2)
    log.info("posted %s", event.attributes["id"])
