"""A recording as an SVG: panels one below the other, over the same seconds."""

from collections.abc import Sequence
from html import escape
from math import ceil, log10
from typing import NamedTuple

from bench.step.samples import Sample

WIDTH, LEFT, RIGHT = 860, 70, 24
TOP, PANEL, GAP, BOTTOM = 64, 104, 42, 46
TICKS = 4
INK, FAINT, GRID = "#1f2933", "#6b7785", "#e4e8ed"
FONT = "font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\""

HEAVY = f'font-weight="600" fill="{INK}"'

Points = list[tuple[float, float]]


class Line(NamedTuple):
    """A column of the samples, as it is drawn."""

    column: str
    name: str
    colour: str
    filled: bool = False


class Strip(NamedTuple):
    """One panel."""

    title: str
    unit: str
    lines: tuple[Line, ...]


STRIPS = (
    Strip(
        "Requests", "a second",
        (
            Line("offered", "offered", "#c3ccd6", filled=True),
            Line("requests", "answered", "#2f6fde"),
            Line("errors", "5xx", "#d64545"),
        ),
    ),
    Strip(
        "Slowest answer in a hundred, from when it was due", "ms",
        (Line("p99_ms", "p99", "#8a4fd3"),),
    ),
    Strip(
        "Not done yet", "messages, positions",
        (
            Line("agents", "agents' messages", "#d97706"),
            Line("relay", "relay", "#0f9d77"),
            Line("views", "views", "#2f6fde"),
        ),
    ),
    Strip("Pods that are ready; on a laptop, processes", "number", (Line("pods", "ready", INK),)),
    Strip(
        "Processors that they keep busy, Kafka and Postgres left out", "number",
        (Line("processors", "busy", "#d97706"),),
    ),
)  # fmt: skip


def draw(samples: Sequence[Sample], title: str) -> str:
    """The whole picture; a column that nobody told has no line."""
    height = TOP + len(STRIPS) * (PANEL + GAP) - GAP + BOTTOM
    longest = max((sample.at for sample in samples), default=1.0) or 1.0
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {FONT} font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="30" font-size="17" {HEAVY}>{escape(title)}</text>',
    ]
    for number, strip in enumerate(STRIPS):
        parts += _strip(strip, samples, TOP + number * (PANEL + GAP), longest)
    foot = height - BOTTOM
    for at in _seconds(longest):
        parts.append(_text(_x(at, longest), foot + 18, f"{at:g}", "middle"))
    parts.append(_text(LEFT + _wide() / 2, foot + 38, "seconds since the load began", "middle"))
    return "\n".join([*parts, "</svg>\n"])


def _strip(strip: Strip, samples: Sequence[Sample], top: float, longest: float) -> list[str]:
    told = {
        line: [(each.at, value) for each in samples
               if (value := getattr(each, line.column)) is not None]
        for line in strip.lines
    }  # fmt: skip
    highest = max((value for points in told.values() for _, value in points), default=0.0)
    ticks = _ticks(max(highest, 1e-9) if highest else 1.0, TICKS)
    most = ticks[-1]
    foot = top + PANEL
    parts = [f'<text x="{LEFT}" y="{top - 8}" {HEAVY}>{escape(strip.title)}</text>']
    for at in _seconds(longest):
        x = _x(at, longest)
        parts.append(_rule(x, top, x, foot))
    for value in ticks:
        y = foot - value / most * PANEL
        parts += [_rule(LEFT, y, WIDTH - RIGHT, y), _text(LEFT - 8, y + 4, _short(value), "end")]
    parts.append(
        f'<text transform="translate(16 {foot - PANEL / 2}) rotate(-90)" text-anchor="middle"'
        f' fill="{FAINT}">{escape(strip.unit)}</text>'
    )
    for line, points in told.items():
        placed = [(_x(at, longest), foot - value / most * PANEL) for at, value in points]
        parts += _drawn(line, placed, foot)
    return [*parts, *_legend(strip.lines, top)]


def _drawn(line: Line, points: Points, foot: float) -> list[str]:
    if not points:
        return []
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    if line.filled:
        first, last = points[0][0], points[-1][0]
        edge = f"{first:.1f},{foot} {way} {last:.1f},{foot}"
        return [f'<polygon points="{edge}" fill="{line.colour}" fill-opacity="0.6"/>']
    stroke = f'stroke="{line.colour}" stroke-width="1.8" stroke-linejoin="round"'
    return [f'<polyline points="{way}" fill="none" {stroke}/>']


def _legend(lines: Sequence[Line], top: float) -> list[str]:
    """From the right, above the panel."""
    parts: list[str] = []
    x: float = WIDTH - RIGHT
    for line in reversed(lines):
        x -= 7 * len(line.name)
        parts.append(_text(x, top - 8, line.name, "start"))
        x -= 14
        parts.append(
            f'<rect x="{x}" y="{top - 17}" width="10" height="10" rx="2" fill="{line.colour}"/>'
        )
        x -= 14
    return parts


def _ticks(most: float, count: int) -> list[float]:
    """Round numbers from 0 to at least `most`, about so many steps."""
    size = 10 ** (ceil(log10(most / count)) - 1)
    step = next(size * by for by in (1, 2, 2.5, 5, 10) if size * by * count >= most * 0.999999)
    return [round(step * number, 10) for number in range(ceil(most / step - 1e-9) + 1)]


def _x(at: float, longest: float) -> float:
    return LEFT + at / longest * _wide()


def _seconds(longest: float) -> list[float]:
    return [at for at in _ticks(longest, 8) if at <= longest]


def _wide() -> float:
    return WIDTH - LEFT - RIGHT


def _short(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:g}"


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{GRID}"'
        ' stroke-width="1"/>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{FAINT}">{escape(text)}</text>'
    )
