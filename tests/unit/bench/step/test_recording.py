"""A recording: rates of what pages told, tables, and a chart that can be read."""

import csv
import io
from xml.etree import ElementTree as ET

from bench.step import chart, tables
from bench.step.samples import COLUMNS, Rates, Sample
from bench.step.watching import Seen, read

PAGE = """\
# HELP quire_http_requests_total Requests answered.
quire_http_requests_total{{method="POST",route="/orders",status="202"}} {ok}
quire_http_requests_total{{method="GET",route="/metrics",status="200"}} 99.0
quire_http_requests_total{{method="POST",route="/orders",status="503"}} {bad}
quire_http_request_seconds_bucket{{le="1.0",route="/orders"}} 7.0
process_cpu_seconds_total {cpu}
quire_lag_messages{{agent="order"}} {lag}
quire_reader_lag_positions{{reader="relay"}} 12.0
quire_reader_lag_positions{{reader="projector"}} 30.0
"""


def page(ok: float, bad: float = 0, cpu: float = 0, lag: float = 0) -> str:
    return PAGE.format(ok=ok, bad=bad, cpu=cpu, lag=lag)


def seen(**pages: str) -> Seen:
    return Seen({"api": 1, "worker-order": 2}, {name: read(text) for name, text in pages.items()})


def test_rates_are_since_the_sample_before():
    rates = Rates()
    first = rates.sample(1, seen(a=page(100, cpu=1, lag=5)))
    assert (first.requests, first.errors, first.processors) == (None, None, None)
    assert (first.pods, first.agents, first.relay, first.views) == (3, 5, 12, 30)
    second = rates.sample(3, seen(a=page(140, bad=6, cpu=2, lag=0)))
    assert (second.requests, second.errors, second.processors) == (23, 3, 0.5)


def test_who_came_or_went_or_began_anew_makes_no_rate():
    rates = Rates()
    rates.sample(1, seen(a=page(100), gone=page(1_000)))
    later = rates.sample(2, seen(a=page(110), b=page(5_000)))
    assert later.requests == 10
    assert rates.sample(3, seen(a=page(0), b=page(5_002))).requests == 2


def test_agents_lag_is_that_of_all_and_readers_are_told_twice():
    sample = Rates().sample(0, seen(a=page(0, lag=4), b=page(0, lag=3)))
    assert (sample.agents, sample.relay) == (7, 12)
    assert sample.waiting == 7 + 12 + 30


def test_what_nobody_told_is_not_known():
    sample = Rates().sample(0, seen())
    assert (sample.requests, sample.agents, sample.views) == (None, None, None)


def row(at: float, **told: float | None) -> Sample:
    values = dict.fromkeys(COLUMNS, None) | {"at": at, "pods": 15} | told
    return Sample(**values, by_kind={"api": 1})  # pyright: ignore[reportArgumentType] by name


RECORDING = [
    row(1.0),
    row(3.0, offered=5, requests=4.5, errors=0, p99_ms=20, agents=0, relay=3, views=9),
    row(5.0, offered=200, requests=180, errors=1, p99_ms=1_250, agents=321, relay=0, views=1),
    row(43.2, offered=5, requests=6, errors=0, p99_ms=31, agents=0, relay=0, views=0),
]


def test_the_tables_have_each_column():
    rows = list(csv.reader(io.StringIO(tables.as_csv(RECORDING))))
    assert rows[0] == [*COLUMNS, "pods api"]
    assert rows[1][2] == ""
    assert rows[3][rows[0].index("p99_ms")] == "1250"
    lines = tables.as_markdown(RECORDING).splitlines()
    assert len(lines) == 2 + len(RECORDING)
    assert len({line.count("|") for line in lines}) == 1


def test_a_long_recording_is_shortened_for_people_and_keeps_its_end():
    long = [row(float(at)) for at in range(1_000)]
    assert len(tables.as_markdown(long).splitlines()) < 40
    assert tables.as_markdown(long).splitlines()[-1].startswith("| 999 |")


def test_the_chart_can_be_read():
    svg = ET.fromstring(chart.draw(RECORDING, "5 < 200 & back"))
    space = "{http://www.w3.org/2000/svg}"
    words = [each.text for each in svg.iter(f"{space}text")]
    assert words[0] == "5 < 200 & back"
    assert "seconds since the load began" in words
    for strip in chart.STRIPS:
        assert strip.title in words
        assert strip.unit in words
        assert {line.name for line in strip.lines} <= set(words)
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    drawn = [*svg.iter(f"{space}polyline"), *svg.iter(f"{space}polygon")]
    assert len(drawn) == 8  # no line for processors, which nobody told
    for shape in drawn:
        for point in shape.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height


def test_a_recording_of_nothing_is_drawn_too():
    ET.fromstring(chart.draw([], "nothing"))
    assert tables.as_markdown([]).count("\n") == 2
