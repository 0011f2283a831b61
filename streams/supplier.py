"""A supplier's stock file as a goods receipt: one event for each state of the file.

The event's id is made of its content: the same file is received once, however often it is posted.
A file cut short may be valid too (`A,12` of `A,120`), so it has to stand still and be ended.
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
SETTLE_SECONDS = 2.0  # a file that says the same so much later is taken for whole
MOST_LOOKS = 30  # at a file that changes all the time, with `once`
FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
TIMEOUT_SECONDS = 30.0
SOURCE = "//supplier/stock"
TYPE = "partner.goods-receipt.v1"
HEAD = ["sku", "quantity"]

log = logging.getLogger("quire.supplier")


class NotAStockFile(Exception):
    """The file cannot be read as `sku,quantity`."""

    code = "stock_file_not_valid"


class Unfinished(NotAStockFile):
    """The last line has no end: more of it may come."""

    code = "stock_file_unfinished"


class Watched:
    """A file that somebody may be writing."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._before: bytes | None = None

    def look(self) -> bytes | None:
        """What stands there, if the look before found the same; else none. Raises OSError."""
        before, self._before = self._before, None
        self._before = self._file.read_bytes()
        return self._before if self._before == before else None


async def run(file: Path, sink: str, *, once: bool, uncatalogued: bool = False) -> None:
    """Post each state of the file until SIGTERM, or its present one; raises CannotGoOn.

    `uncatalogued` lets in skus that no catalogue knows yet.
    """
    stop = stopping()
    poster = Poster(sink, timeout_seconds=TIMEOUT_SECONDS)
    watched, posted, looks = Watched(file), "", 0
    ready()
    try:
        while not stop.is_set():
            beat()
            looks += 1
            try:
                content = watched.look()
                event = None
                if content is not None:
                    event = event_of(content, uncatalogued=uncatalogued)
            except (OSError, NotAStockFile) as wrong:
                _refuse(file, wrong, once=once)
                if await pause(stop, LOOK_SECONDS):
                    return
                continue
            if event is not None and event.attributes["id"] != posted:
                await _post(poster, event, stop)
                posted = event.attributes["id"]
            if once and content is not None:
                return
            if once and looks >= MOST_LOOKS:
                raise CannotGoOn(f"stock_file_changing: {file}: post it when it is written")
            if await pause(stop, SETTLE_SECONDS if content is None else LOOK_SECONDS):
                return
    finally:
        poster.close()


def _refuse(file: Path, wrong: OSError | NotAStockFile, *, once: bool) -> None:
    """With `once` that is the end; else somebody may be about to mend it."""
    code = wrong.code if isinstance(wrong, NotAStockFile) else "stock_file_not_readable"
    if once:
        raise CannotGoOn(f"{code}: {file}: {wrong}") from wrong
    log.warning("waiting: %s: %s: %s", code, file, wrong)


def event_of(content: bytes, *, uncatalogued: bool = False) -> Event | None:
    """The receipt that a file is; none for one without lines. Raises NotAStockFile, Unfinished."""
    if not content.endswith(b"\n"):
        raise Unfinished("it has to end with a newline: without one its last line may be cut")
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
