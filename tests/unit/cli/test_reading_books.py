"""Each line of a catalogue file is a book, or left out with its reason and its line."""

import io

import pytest
import zstandard

from cli.books import DEMO, demo_skus
from cli.output import Failure
from cli.reading_books import Book, Reject, read

HEAD = "book_id,isbn13,title,authors,price_cents\n"


def shelf(text: str | bytes) -> list[Book | Reject]:
    content = text if isinstance(text, bytes) else text.encode()
    found = read(io.BytesIO(content), "file")
    return [*found.books, *found.rejects]


def test_a_good_line_is_a_book_under_its_isbn_or_its_id() -> None:
    assert shelf(HEAD + "1,9780141439518,Prïde,Jane,899\n2,,Nameless,,0\n") == [
        Book("9780141439518", "Prïde", 899, {"authors": "Jane"}),
        Book("book-2", "Nameless", 0, {}),
    ]


def test_a_file_may_say_in_which_warehouse_a_book_lies() -> None:
    head = "book_id,isbn13,title,price_cents,warehouse\n"
    books = shelf(head + "1,,A,1,north\n2,,B,1,\n3,,C,1,Far North\n")
    assert books == [
        Book("book-1", "A", 1, {}, "north"),
        Book("book-2", "B", 1, {}, "main"),
        Reject(4, "warehouse_wrong", "Far North"),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,9780141439518,A,,12x", "price_wrong"),
        ("1,9780141439518,A,,NaN", "price_wrong"),
        ("1,9780141439518,A,,1e309", "price_wrong"),
        ("1,9780141439518,A,,-5", "price_wrong"),
        ("1,9780141439518,A,,9999999999999999999", "price_wrong"),
        ("1,9780141439519,A,,1", "isbn_wrong"),
        ("1,9780141439518,,,1", "title_wrong"),
        (",,A,,1", "id_missing"),
        ("1,9780141439518,A", "columns_wrong"),
        ("1,9780141439518,A,,1,more", "columns_wrong"),
        ("1,9780141439518,A\0,,1", "text_not_storable"),
    ],
)
def test_a_bad_line_is_left_out_by_name(line: str, reason: str) -> None:
    [reject] = shelf(f"{HEAD}{line}\n")
    assert isinstance(reject, Reject)
    assert (reject.line, reject.reason) == (2, reason)


def test_a_book_that_comes_twice_is_taken_once() -> None:
    book, reject = shelf(HEAD + "1,,A,,1\n1,,B,,2\n")
    assert (book, reject) == (Book("book-1", "A", 1, {}), Reject(3, "sku_twice", "book-1"))


def test_bom_crlf_zstd_and_line_breaks_in_fields_are_read() -> None:
    text = "\ufeff" + HEAD + '1,,"A\nB",,1\n2,,C,,x\n'
    packed = zstandard.compress(text.replace("\n", "\r\n").encode())
    book, reject = shelf(packed)
    assert isinstance(book, Book)
    assert book.title.split() == ["A", "B"]
    assert isinstance(reject, Reject)
    assert reject.line == 4


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"a,b\n1,2\n", "columns_missing", "line 1"),
        (b"", "columns_missing", "line 1"),
        (HEAD.encode() + b"1,,A,,1\n2,,caf\xe9,,1\n", "not_utf8", "line 3"),
        (HEAD.encode() + b'1,,"A"B,,1\n', "not_csv", "line 2"),
        (zstandard.compress(HEAD.encode() * 50)[:-4], "not_zstd", "the end is missing"),
    ],
)
def test_what_is_no_catalogue_fails_naming_the_line(content: bytes, code: str, line: str) -> None:
    with pytest.raises(Failure) as failed:
        shelf(content)
    assert failed.value.code == code
    assert line in failed.value.message


def test_the_demo_is_all_good() -> None:
    with DEMO.open("rb") as file:
        found = read(file, "demo")
    assert (len(found.books), list(found.rejects)) == (12, [])
    assert demo_skus(2) == tuple(book.sku for book in found.books[:2])
