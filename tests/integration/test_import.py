"""History goes in once, to the penny, also through a kill -9, and troubles nobody."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest
import zstandard

from cli.importing.reader import COLUMNS
from store.verify import verify

Rows = list[tuple[str, str, str, int, str, str, str]]
HISTORY = "QUIRE_UCI_HISTORY"  # the real file, where there is one

SMALL: Rows = [
    ("536365", "85123A", "HOLDER", 6, "2010-12-01 08:26:00", "2.55", "17850"),
    ("536365", "85123a", "HOLDER", 2, "2010-12-01 08:26:00", "2.55", "17850"),
    ("536365", "POST", "POSTAGE", 1, "2010-12-01 08:26:00", "18.0", "17850"),
    ("536366", "71053", "LANTERN", 4, "2010-12-01 08:28:00", "3.39", ""),
    ("C536367", "85123A", "HOLDER", -3, "2010-12-01 08:50:00", "2.55", "17850"),
    ("536368", "71053", "", -2, "2010-12-01 09:00:00", "0.0", ""),
    ("536369", "22633", "WARMER", 7, "2010-12-02 10:00:00", "1.85", "13047"),
    ("C536370", "85123A", "HOLDER", -2, "2010-12-09 08:50:00", "2.55", "17850"),
    ("C536371", "85123A", "HOLDER", -9, "2010-12-10 08:50:00", "2.55", "17850"),
    ("A536372", "B", "Adjust bad debt", 1, "2010-12-10 09:00:00", "-11062.06", ""),
]


def text(rows: Rows) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for number, (invoice, code, title, quantity, at, price, customer) in enumerate(rows, 1):
        writer.writerow((number, invoice, code, title, quantity, at, price, customer, "EIRE"))
    return out.getvalue()


class Quire:
    """The command on a database that is empty at first."""

    def __init__(self, dsn: str, admin: str) -> None:
        self.dsn = dsn
        with psycopg.connect(admin) as conn:
            conn.execute("set session_replication_role = replica")
            conn.execute("truncate event, seal, stock_level, checkpoint, timer, outcome")

    def start(self, *words: str, stdin: int | None = None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", "import", *words, "--format", "uci", "--json"],
            env={**os.environ, "QUIRE_POSTGRES_DSN": self.dsn},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=stdin,
        )

    def run(self, *words: str | Path, stdin: bytes = b"", code: int = 0) -> dict[str, Any]:
        process = self.start(*map(str, words), stdin=subprocess.PIPE)
        out, err = process.communicate(stdin)
        assert process.returncode == code, err.decode()
        assert not err, "there is no terminal, so there is no progress bar"
        return json.loads(out.splitlines()[-1])

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn) as conn:
            return conn.execute(query.encode()).fetchall()

    def types(self, stream: str) -> list[str]:
        rows = self.ask(f"select type from event where stream = '{stream}' order by version")
        return [row[0].removeprefix("quire.").removesuffix(".v1") for row in rows]


@pytest.fixture
def quire(postgres_dsn: str, admin_dsn: str) -> Quire:
    return Quire(postgres_dsn, admin_dsn)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.csv"
    file.write_text(text(SMALL))
    return file


def test_each_line_is_accepted_mapped_or_rejected(quire: Quire, small: Path, tmp_path: Path):
    figures = quire.run(small, "--rejects", tmp_path / "rejects")
    assert {key: figures[key] for key in ("orders", "order_lines", "units", "gross")} == {
        "orders": 3, "order_lines": 4, "units": 19, "gross": 46.91
    }  # fmt: skip
    assert figures["cancel_invoices"] == figures["cancel_lines"] == 3
    assert (figures["cancel_units"], figures["cancel_gross"]) == (14, 35.7)
    assert (figures["customers"], figures["skus"]) == (2, 3)
    assert figures["mapped"] == {"charge": 1, "write_off": 1}
    assert figures["rejected"] == {"negative_price": 1, "partly_unmatched": 1}
    assert figures["unmatched"] == {"lines": 1, "units": 6, "gross": 15.3}
    assert figures["accepted"] + 2 + 2 == figures["lines"] == 10
    rejects = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
    assert [(one["line"], one["reason"], one["units"]) for one in rejects] == [
        (10, "partly_unmatched", 6),
        (11, "negative_price", 1),
    ]


def test_a_cancellation_within_the_hour_cancels_and_a_later_one_returns(quire: Quire, small: Path):
    quire.run(small)
    assert quire.types("order-uci-536365") == [
        "order.placed", "order.payment_requested", "order.confirmed",
        "order.cancellation_requested", "order.lines_cancelled", "order.stock_released",
        "order.shipped", "order.paid", "order.delivered", "order.completed",
        *["order.return_requested", "order.return_approved", "order.return_settled",
          "order.refunded"] * 2,
    ]  # fmt: skip
    assert quire.types("payment-uci-536365") == [
        "payment.authorized", "payment.captured", "payment.refunded", "payment.refunded",
    ]  # fmt: skip
    [[placed, shipped]] = quire.ask(
        "select min(occurred_at)::text, max(occurred_at)::text from event"
        " where stream = 'order-uci-536366'"
    )
    assert (placed, shipped) == ("2010-12-01 08:28:00+00", "2010-12-01 09:28:00+00")


def test_it_troubles_nobody_and_the_log_is_sound(quire: Quire, small: Path):
    quire.run(small)
    assert quire.ask("select distinct imported, source from event") == [(True, "import:uci")]
    assert quire.ask("select count(*) from timer") == [(0,)]
    assert quire.ask("select count(*) from outcome") == [(0,)]
    assert quire.ask("select count(*) from stock_level where reserved > 0") == [(0,)]
    report = verify(quire.dsn, None, ledger={}, settle_seconds=-60)
    assert report.ok, report.findings


def test_a_second_run_imports_nothing(quire: Quire, small: Path):
    first = quire.run(small)
    before = quire.ask("select count(*) from event")
    again = quire.run(small)
    assert (again["already_imported"], again["orders"], again["events"]) == (True, 0, 0)
    assert quire.run(small, "--resume")["gross"] == first["gross"]
    assert quire.ask("select count(*) from event") == before


def test_a_longer_file_adds_only_what_is_new(quire: Quire, small: Path):
    quire.run(small)
    before = quire.ask("select count(*) from event")
    row = ("C536380", "22633", "WARMER", -7, "2010-12-20 10:00:00", "1.85", "13047")
    small.write_text(text([*SMALL, row]))
    figures = quire.run(small)
    assert figures["orders"] == 0
    assert figures["rejected"]["already_imported"] == 9
    assert (figures["cancel_units"], figures["unmatched"]["units"]) == (7, 0)
    assert quire.types("order-uci-536369")[-1] == "order.refunded"
    assert quire.ask("select count(*) from event") > before


def test_a_dry_run_writes_nothing_and_counts_the_same(quire: Quire, small: Path):
    dry = quire.run(small, "--dry-run")
    for table in ("event", "stock_level", "checkpoint"):
        assert quire.ask(f"select count(*) from {table}") == [(0,)]
    wet = quire.run(small)
    assert {**dry, "dry_run": False} == wet


def test_stdin_zstd_crlf_and_a_byte_order_mark_change_nothing(quire: Quire, tmp_path: Path):
    plain = quire.run("-", "--dry-run", stdin=text(SMALL).encode())
    lf = text(SMALL).replace("\r\n", "\n")
    assert quire.run("-", "--dry-run", stdin=b"\xef\xbb\xbf" + lf.encode()) == plain
    packed = tmp_path / "small.csv.zst"
    half = len(lf) // 2
    frames = [zstandard.compress(part.encode()) for part in (lf[:half], lf[half:])]
    packed.write_bytes(b"".join(frames))
    assert quire.run(packed, "--dry-run") == plain


def test_an_order_that_lives_is_left_alone(quire: Quire, small: Path):
    quire.run(small)
    with psycopg.connect(quire.dsn) as conn:
        conn.execute(
            "insert into event (stream, version, type, id, occurred_at, recorded_at, correlation,"
            " causation, source, imported, data, hash) select stream, version + 1,"
            " 'quire.order.return_requested.v1', gen_random_uuid(), now(), now(), 'x',"
            " gen_random_uuid(), 'quire/api', false,"
            ' \'{"order_id":"uci-536369","return_no":1,"lines":[]}\', hash from event'
            " where stream = 'order-uci-536369' order by version desc limit 1"
        )
    row = ("C536380", "22633", "WARMER", -7, "2010-12-20 10:00:00", "1.85", "13047")
    small.write_text(text([*SMALL, row]))
    figures = quire.run(small)
    assert figures["rejected"]["order_is_live"] == 2  # the sale, and the cancellation
    assert quire.types("order-uci-536369")[-1] == "order.return_requested"


@pytest.mark.parametrize("lines", [704, 1_112])
def test_a_long_order_passes(quire: Quire, tmp_path: Path, lines: int):
    rows: Rows = [
        ("900001", f"{10_000 + n}", "THING", n + 1, "2011-01-01 10:00:00", "0.01", "1")
        for n in range(lines)
    ]
    file = tmp_path / "long.csv"
    file.write_text(text(rows))
    figures = quire.run(file)
    assert (figures["orders"], figures["order_lines"]) == (1, lines)
    assert quire.types("order-uci-900001")[-1] == "order.completed"


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"", "not_csv", "line 1"),
        (b"\x00\x01\x02 garbage", "not_csv", "line 1"),
        (text(SMALL).replace("unit_price", "cost").encode(), "missing_column", "unit_price"),
        (text(SMALL).encode() + b'9,"never closed,', "not_csv", "line 12"),
        (zstandard.compress(text(SMALL).encode())[:-20], "truncated", "zstd"),
        (b"\x28\xb5\x2f\xfd not really", "not_zstd", "zstd"),
    ],
)
def test_a_file_that_is_not_what_it_says(
    quire: Quire, tmp_path: Path, content: bytes, code: str, word: str
):
    file = tmp_path / "odd.csv"
    file.write_bytes(content)
    error = quire.run(file, code=2)["error"]
    assert error["code"] == code
    assert word in error["message"]
    assert quire.ask("select count(*) from event") == [(0,)]


def test_an_interrupted_import_goes_on_only_when_asked(quire: Quire, tmp_path: Path):
    """Kill -9 after some batches; --resume ends with the totals and rejects of one run."""
    rows: Rows = []
    for n in range(2_500):
        at = f"2011-01-{1 + n // 100:02} {n % 100 // 10:02}:{n % 10:02}:00"
        rows.append((f"{600_000 + n}", f"{20_000 + n % 50}", "THING", 1 + n % 7, at, "1.25", "7"))
        rows.append((f"C{700_000 + n}", f"{20_000 + n % 50}", "THING", -4, at, "1.25", "7"))
        rows.append((f"{600_000 + n}", "POST" if n % 5 else "PADS", "", 1, at, "0.001", "7"))
    file, whole, pieces = tmp_path / "file.csv", tmp_path / "whole", tmp_path / "pieces"
    file.write_text(text(rows))
    dry = quire.run(file, "--dry-run", "--rejects", whole)
    process = quire.start(str(file), "--rejects", str(pieces))
    wait_for(lambda: quire.ask("select count(*) from checkpoint where position > 0") == [(1,)])
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    [[position]] = quire.ask("select position from checkpoint")
    assert 0 < position < len(rows)
    assert quire.run(file, code=5)["error"]["code"] == "import_unfinished"
    resumed = quire.run(file, "--resume", "--rejects", pieces)
    assert {**resumed, "dry_run": True} == dry | {"events": resumed["events"]}
    assert pieces.read_text() == whole.read_text()
    assert verify(quire.dsn, None, settle_seconds=-60).ok


def wait_for(condition: Any, seconds: float = 60) -> None:
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, "it did not come to that"
        sleep(0.01)


@pytest.mark.skipif(HISTORY not in os.environ, reason=f"{HISTORY} names no file")
def test_the_real_file_comes_out_to_the_penny(quire: Quire):
    figures = quire.run(os.environ[HISTORY])
    assert {key: value for key, value in figures.items() if key in README} == README
    assert (
        sum(figures["mapped"].values()) + sum(figures["rejected"].values()) + figures["accepted"]
        == figures["lines"]
    )
    [[returned]] = quire.ask(
        "select sum((data->'refund'->>'amount_minor')::bigint) from event"
        " where type = 'quire.order.return_settled.v1'"
    )
    [[cancelled]] = quire.ask(
        "select sum((data->'amount'->>'amount_minor')::bigint) from event"
        " where type = 'quire.order.lines_cancelled.v1'"
    )
    unmatched = round(figures["unmatched"]["gross"] * 100)
    assert returned + cancelled + unmatched == round(README["cancel_gross"] * 100)
    assert verify(quire.dsn, None, ledger={}, settle_seconds=-60).ok


README: dict[str, float] = {
    "orders": 12_648,
    "order_lines": 318_075,
    "units": 3_401_966,
    "gross": 6_190_989.99,
    "cancel_invoices": 2_305,
    "cancel_lines": 5_512,
    "cancel_units": 145_557,
    "cancel_gross": 219_272.55,
    "customers": 3_343,
    "skus": 3_543,
    "lines": 327_416,
}
