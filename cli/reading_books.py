"""A catalogue file: each line a book, or a reject with its reason."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cli.output import Exit, Failure
from domain.message import MAIN

COLUMNS = ("book_id", "isbn13", "title", "price_cents")
WAREHOUSE = "warehouse"
DETAILS = ("isbn10", "authors", "year", "language", "rating", "ratings_count")
LONGEST_TITLE = 1000
LONGEST_DETAIL = 4000
LARGEST = 2**63 - 1

_ZSTD = b"\x28\xb5\x2f\xfd"
_ISBN = re.compile(r"97[89]\d{10}")
_ID = re.compile(r"[A-Za-z0-9._-]{1,80}")
_WHOLE = re.compile(r"[0-9]{1,19}")
_WAREHOUSE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Book(NamedTuple):
    """A line that is good; without an ISBN its sku is `book-<book_id>`.

    `warehouse` is its own column, which a file may leave out.
    """

    sku: str
    title: str
    price_cents: int
    details: dict[str, str]
    warehouse: str = MAIN


class Reject(NamedTuple):
    """A line that is left out, and why."""

    line: int
    reason: str
    what: str


class Shelf(NamedTuple):
    """All of a file; `digest` names its content."""

    books: Sequence[Book]
    rejects: Sequence[Reject]
    digest: str


def read(file: BinaryIO, name: str) -> Shelf:
    """The books of a CSV file, plain or zstd; fails when it is not one."""
    whole = _plain(file.read(), name)
    rows = csv.DictReader(io.StringIO(_text(whole, name), newline=""), strict=True)
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise Failure(
            "columns_missing",
            f"{name}, line 1: no column {', '.join(missing)}",
            hint="The first line has to name"
            f" {','.join(COLUMNS)}, and may name {','.join((*DETAILS, WAREHOUSE))}.",
            exit_code=Exit.USAGE,
        )
    books: dict[str, Book] = {}
    rejects: list[Reject] = []
    for line, row in _rows(rows, name):
        judged = _judge(line, row)
        if isinstance(judged, Book) and judged.sku in books:
            judged = Reject(line, "sku_twice", judged.sku)
        if isinstance(judged, Reject):
            rejects.append(judged)
        else:
            books[judged.sku] = judged
    return Shelf(list(books.values()), rejects, sha256(whole).hexdigest()[:16])


def write_rejects(path: Path, rejects: Sequence[Reject]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(Reject._fields)
        writer.writerows(rejects)


def _plain(content: bytes, name: str) -> bytes:
    if not content.startswith(_ZSTD):
        return content
    import zstandard

    clear = bytearray()
    fault = ""
    while content and not fault:  # a file may hold several frames
        frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            clear += frame.decompress(content)
        except zstandard.ZstdError as error:
            fault = str(error)
        else:
            fault = "" if frame.eof else "the end is missing"
            content = frame.unused_data
    if fault:
        raise Failure("not_zstd", f"{name}: broken zstd: {fault}", exit_code=Exit.USAGE)
    return bytes(clear)


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Failure(
            "not_utf8",
            f"{name}, line {line}: not UTF-8",
            hint="Convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE",
            exit_code=Exit.USAGE,
        ) from error


def _rows(
    rows: "csv.DictReader[str]", name: str
) -> Iterator[tuple[int, dict[str | None, str | None]]]:
    """Each row with the line on which it begins."""
    begin = rows.line_num + 1
    try:
        for row in rows:
            yield begin, {**row}
            begin = rows.line_num + 1
    except csv.Error as error:
        raise Failure("not_csv", f"{name}, line {begin}: {error}", exit_code=Exit.USAGE) from error


def _judge(line: int, row: dict[str | None, str | None]) -> Book | Reject:
    if None in row or None in row.values():
        return Reject(line, "columns_wrong", "more or fewer fields than the first line")
    fields = {str(name): str(value).strip() for name, value in row.items()}
    isbn, title, price = fields["isbn13"], fields["title"], fields["price_cents"]
    if "\0" in "".join(fields.values()):
        return Reject(line, "text_not_storable", "a NUL character")
    if isbn and not _is_isbn(isbn):
        return Reject(line, "isbn_wrong", isbn[:50])
    if not isbn and not _ID.fullmatch(fields["book_id"]):
        return Reject(line, "id_missing", fields["book_id"][:50])
    if not title or len(title) > LONGEST_TITLE:
        return Reject(line, "title_wrong", f"{len(title)} characters")
    if not _WHOLE.fullmatch(price) or int(price) > LARGEST:
        return Reject(line, "price_wrong", price[:50])
    warehouse = fields.get(WAREHOUSE) or MAIN
    if not _WAREHOUSE.fullmatch(warehouse):
        return Reject(line, "warehouse_wrong", warehouse[:50])
    details = {name: fields[name][:LONGEST_DETAIL] for name in DETAILS if fields.get(name)}
    return Book(isbn or f"book-{fields['book_id']}", title, int(price), details, warehouse)


def _is_isbn(text: str) -> bool:
    if not _ISBN.fullmatch(text):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(text)) % 10 == 0
