"""Arithmetic that templates need to draw events: curves as paths, numbers as shades and text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django import template

from labs import words

register = template.Library()

WIDTH, HEIGHT = 480, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 96, 12, 40
MOST_CELLS = 200
LEVELS = 10

Point = Sequence[float | None]


class Tick(NamedTuple):
    at: float
    text: str


class Line(NamedTuple):
    """One curve: its path, and where its label stands."""

    path: str
    role: str
    label: str
    x: float
    y: float


class Plot(NamedTuple):
    """Curves laid out in a box of WIDTH × HEIGHT units."""

    lines: list[Line]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    top: int = TOP
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM
    middle: float = (LEFT + WIDTH - RIGHT) / 2


class Cell(NamedTuple):
    """One number of a grid: its text, and the classes that shade it."""

    row: int
    column: int
    text: str
    shade: str
    row_label: str
    column_label: str


@register.simple_tag
def plot(event: dict[str, Any]) -> Plot:
    """The curves of an event as paths on one pair of axes."""
    log = bool(event.get("log_y"))
    drawn = [
        (series, [(x, y) for x, y in series["points"] if _drawable(x, y, log)])
        for series in event["series"]
    ]
    xs = [x for _, points in drawn for x, _ in points]
    ys = [y for _, points in drawn for _, y in points]
    low_x, high_x = _span(xs)
    low_y, high_y = event.get("y_range") or _span(ys)
    if log:
        low_y, high_y = math.floor(math.log10(max(low_y, 1e-30))), math.ceil(_log(high_y))
        high_y = max(high_y, low_y + 1)

    def across(x: float) -> float:
        return LEFT + (x - low_x) / (high_x - low_x) * (WIDTH - LEFT - RIGHT)

    def up(y: float) -> float:
        height = _log(y) if log else y
        share = (height - low_y) / (high_y - low_y)
        return HEIGHT - BOTTOM - min(max(share, 0), 1) * (HEIGHT - TOP - BOTTOM)

    lines = [_line(series, [(across(x), up(y)) for x, y in points]) for series, points in drawn]
    if log:
        step = max(1, (high_y - low_y) // 4)
        y_ticks = [
            Tick(up(10.0**k), f"1e{k}") for k in range(int(low_y), int(high_y) + 1, int(step))
        ]
    else:
        y_ticks = [Tick(up(y), short(y)) for y in _ticks(low_y, high_y)]
    return Plot(_apart(lines), [Tick(across(x), short(x)) for x in _ticks(low_x, high_x)], y_ticks)


@register.simple_tag
def grid(event: dict[str, Any]) -> list[list[Cell]]:
    """The cells of a matrix, row by row, each with the shade that its value has."""
    values = event["values"]
    known = [abs(v) for row in values for v in row if v is not None]
    lowest = min((v for row in values for v in row if v is not None), default=0)
    highest = max((v for row in values for v in row if v is not None), default=0)
    largest = max(known, default=0)
    focus = {(r, c) for r, c in event.get("focus") or ()}
    rows = event.get("row_labels") or [str(n) for n in range(len(values))]
    columns = event.get("column_labels") or [str(n) for n in range(len(values[0]) if values else 0)]

    def cell(r: int, c: int, value: float | None) -> Cell:
        shade = _shade(event["meaning"], value, lowest, highest, largest)
        outlined = " focus" if (r, c) in focus else ""
        text = fixed(value, event.get("digits", 2))
        return Cell(r, c, text, shade + outlined, rows[r], columns[c])

    return [[cell(r, c, v) for c, v in enumerate(row)] for r, row in enumerate(values)]


@register.simple_tag
def curve_rows(event: dict[str, Any]) -> list[list[str]]:
    """The curves as a table of at most 200 cells: x, then every series at that x."""
    series = event["series"]
    at = [dict(s["points"]) for s in series]
    xs = sorted({x for points in at for x in points if x is not None})
    rows = max(1, MOST_CELLS // (len(series) + 1))
    kept = (
        xs if len(xs) <= rows else [xs[round(i * (len(xs) - 1) / (rows - 1))] for i in range(rows)]
    )
    return [[short(x), *(short(points.get(x)) for points in at)] for x in kept]


@register.filter
def data(event: dict[str, Any]) -> str:
    """What static/js/curves.js draws, as JSON. A number that is not finite is a gap."""
    keys = ("x_label", "y_label", "series", "y_range", "log_y", "title")
    return json.dumps(_finite({key: event.get(key) for key in keys}), separators=(",", ":"))


@register.filter
def short(value: Any) -> str:
    """A number with as many digits as mean something, with a true minus; words as they are."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return words.short(value, 4)


@register.filter
def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@register.filter
def held(rows: int) -> str:
    """The class that holds a slot's height free: its rows of 8 px, up to the next ten."""
    return f"rows-{min(80, math.ceil(rows / 10) * 10)}"


@register.simple_tag
def bar_share(value: float | None, event: dict[str, Any]) -> str:
    """How long a bar is, in percent of the scale."""
    high = event.get("high") or max((v or 0 for _, v in event["bars"]), default=0)
    return f"{min(max((value or 0) / high, 0), 1) * 100:.1f}%" if high > 0 else "0%"


@register.filter
def fixed(value: float | None, digits: int) -> str:
    return "–" if value is None else words.fixed(value, digits)


@register.filter
def scale_ends(item: dict[str, Any]) -> str:
    """The ends of a picture's scale, which also says its unit of reading: "−1 to 1"."""
    return f"{short(item.get('low'))} to {short(item.get('high'))}"


@register.filter
def shape(item: dict[str, Any]) -> str:
    """A picture's shape as its label has it, else channels first: "3×224×224"."""
    if named := re.search(r"\d+(?:×\d+)+", item["label"]):
        return named[0]
    height, width, *channels = item["shape"].split("×")
    return "×".join([*channels, height, width])


@register.filter
def drawn_size(item: dict[str, Any]) -> tuple[int, int]:
    """Width and height in CSS pixels: cells zoom×zoom."""
    zoom = item.get("zoom") or 1
    return item["width"] * zoom, item["height"] * zoom


@register.filter
def file_size(size: int) -> str:
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def _line(series: dict[str, Any], points: list[tuple[float, float]]) -> Line:
    path = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points) if points else ""
    x, y = points[-1] if points else (LEFT, TOP)
    return Line(path, series.get("role", "other"), series["label"], x, y)


def _apart(lines: list[Line]) -> list[Line]:
    """Labels of lines that end near each other, moved so that both can be read."""
    last = -100.0
    placed = {}
    for line in sorted(lines, key=lambda line: line.y):
        last = max(line.y, last + 15)
        placed[id(line)] = line._replace(y=last)
    return [placed[id(line)] for line in lines]


def _shade(meaning: str, value: float | None, lowest: float, highest: float, largest: float) -> str:
    """Classes: which colours, and which of ten steps. Zero of a kernel is paper."""
    if value is None:
        return "shade"
    if meaning == "kernel":
        sign = "plus" if value > 0 else "minus"
        return f"shade {sign} s{_level(abs(value), 0, largest)}"
    if meaning == "input":  # a pixel as it is: 0 is black, 255 white
        return f"shade input s{_level(value, 0, 255)}"
    low = 0.0 if meaning in ("counts", "gradient") else lowest
    return f"shade {meaning} s{_level(abs(value) if low == 0 else value, low, highest)}"


def _level(value: float, low: float, high: float) -> int:
    share = (value - low) / (high - low) if high > low else 0.0
    return math.ceil(min(max(share, 0), 1) * LEVELS)


def _drawable(x: float | None, y: float | None, log: bool) -> bool:
    if x is None or y is None or not (math.isfinite(x) and math.isfinite(y)):
        return False
    return y > 0 if log else True


def _log(y: float) -> float:
    return math.log10(max(y, 1e-30))


def _span(values: Iterable[float]) -> tuple[float, float]:
    found = list(values)
    low, high = min(found, default=0.0), max(found, default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float) -> list[float]:
    """About four round numbers between the ends."""
    rough = (high - low) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
