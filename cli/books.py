"""`quire books`: load a catalogue with its stock, through the API."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from cli.output import Failure, api, counted, emit, json_option, url_option

if TYPE_CHECKING:
    import httpx

    from cli.reading_books import Book, Shelf

DEMO = Path(__file__).with_name("demo_books.csv")
DEMO_STOCK = 100
ITEMS_AT_ONCE = 500
RECEIPTS_AT_ONCE = 8
BUSY = {"overloaded", "unavailable"}
BACK_OFF_SECONDS = (1, 2, 4, 8, 15, 30)


@click.command()
@click.argument("file", required=False, type=click.File("rb"))
@click.option("--demo", is_flag=True, help="A dozen old books, with stock.")
@click.option("--stock", type=click.IntRange(0), help="Units of each; none by default.")
@click.option("--currency", default="EUR", show_default=True, help="Of the prices.")
@click.option("--rejects", type=click.Path(path_type=Path), help="Where to write what is left out.")
@url_option
@json_option
def books(
    file: BinaryIO | None,
    demo: bool,
    stock: int | None,
    currency: str,
    rejects: Path | None,
    url: str,
    as_json: bool,
) -> None:
    """Load the catalogue FILE (plain CSV or .zst, - for stdin).

    Loading the same file with the same --stock again changes nothing.
    """
    from cli.reading_books import read, write_rejects

    if (file is None) != demo:
        raise click.UsageError("give a FILE or --demo")
    if demo:
        with DEMO.open("rb") as built_in:
            shelf = read(built_in, "the demo")
        source = "demo"
    else:
        assert file is not None
        shelf = read(file, getattr(file, "name", "the file"))
        source = shelf.digest
    units = DEMO_STOCK if demo and stock is None else stock or 0
    with api(url) as client:
        _put(client, shelf.books, currency)
        received = _receive(client, shelf.books, source, units) if units else 0
    if rejects is not None:
        write_rejects(rejects, shelf.rejects)
    told = {
        "books": len(shelf.books),
        "rejected": _by_reason(shelf),
        "receipts": received,
        "units": received * units,
    }
    emit(told, as_json=as_json, text=lambda: _text(shelf, received, units))


def demo_skus(count: int) -> tuple[str, ...]:
    """The first skus of the demo catalogue."""
    from cli.reading_books import read

    with DEMO.open("rb") as built_in:
        return tuple(book.sku for book in read(built_in, "the demo").books[:count])


def _put(client: "httpx.Client", found: Sequence["Book"], currency: str) -> None:
    for start in range(0, len(found), ITEMS_AT_ONCE):
        items = [
            {
                "sku": book.sku,
                "title": book.title,
                "price": {"amount_minor": book.price_cents, "currency": currency},
                "warehouse": book.warehouse,
                "details": book.details,
            }
            for book in found[start : start + ITEMS_AT_ONCE]
        ]
        client.put("/catalogue", json={"items": items})


def _receive(client: "httpx.Client", found: Sequence["Book"], source: str, units: int) -> int:
    """One receipt a book; its key says which, so that a second run adds nothing."""
    from concurrent.futures import ThreadPoolExecutor

    def one(book: "Book") -> bool:
        return _receipt(client, book.sku, f"books|{source}|{book.sku}|{units}", units)

    quiet = not sys.stderr.isatty()
    with ThreadPoolExecutor(RECEIPTS_AT_ONCE) as pool:
        try:
            with click.progressbar(
                pool.map(one, found),
                length=len(found),
                label="stock",
                file=sys.stderr,
                hidden=quiet,
            ) as done:
                return sum(done)
        finally:
            pool.shutdown(cancel_futures=True)


def _receipt(client: "httpx.Client", sku: str, key: str, units: int) -> bool:
    """Asks again while the API is busy: the key makes it one receipt. False when it was there."""
    from urllib.parse import quote

    for seconds in (*BACK_OFF_SECONDS, 0):
        try:
            answer = client.post(
                f"/stock/{quote(sku, safe='')}/receipts",
                json={"quantity": units, "reference": "books"},
                headers={"Idempotency-Key": key},
            )
        except Failure as failure:
            if failure.code not in BUSY or not seconds:
                raise
            time.sleep(seconds)
        else:
            return "idempotent-replayed" not in answer.headers
    raise AssertionError("the last try returns or raises")


def _by_reason(shelf: "Shelf") -> dict[str, int]:
    counts: dict[str, int] = {}
    for reject in shelf.rejects:
        counts[reject.reason] = counts.get(reject.reason, 0) + 1
    return counts


def _text(shelf: "Shelf", received: int, units: int) -> str:
    lines = [f"{counted(len(shelf.books), 'book')}, {counted(received, 'receipt')} of {units}"]
    lines += [f"  line {each.line}: {each.reason}: {each.what}" for each in shelf.rejects[:10]]
    if len(shelf.rejects) > 10:
        lines.append(f"  and {len(shelf.rejects) - 10} more; --rejects FILE takes all")
    return "\n".join(lines)
