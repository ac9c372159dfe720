"""What a lab may yield: nine kinds of event, each a snapshot that replaces the last of its name.

A snapshot says everything that its place in the panel shows. So an event that is dropped,
repeated, replayed or joined late leaves the page right. Events carry no times: the same seed
gives the same events.

Arrays are numpy arrays or torch tensors; `workers/wire.py` turns them into pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

Meaning = Literal["input", "kernel", "map", "gradient"]
Role = Literal["train", "validation", "other"]
Tone = Literal["plain", "right", "wrong", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all kinds. `name` is the place in the panel; `sentence` says it in words."""

    kind: ClassVar[str] = ""
    name: str
    title: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Event):
    """How far the run is: `done` of `total` `unit`s ("epoch", "step")."""

    kind: ClassVar[str] = "progress"
    name: str = "progress"
    done: int
    total: int
    unit: str = "step"


@dataclass(frozen=True, slots=True)
class Series:
    """One curve: at most 200 points (x, y), drawn solid (train) or dashed (validation)."""

    label: str
    points: tuple[tuple[float, float], ...]
    role: Role = "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves(Event):
    """Curves on one pair of axes."""

    kind: ClassVar[str] = "curves"
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    y_range: tuple[float, float] | None = None
    log_y: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """One picture: `values` of shape (H, W), or (H, W, 3) for colour.

    uint8 values (0–255) are shown as they are. Float values are coloured by `meaning`: "input"
    grey, "kernel" diverging about zero, "map" viridis, "gradient" purple; `low` and `high` are
    the ends of that scale (default: the values' own extremes). `zoom` draws each cell zoom×zoom.
    """

    values: Any
    label: str = ""
    meaning: Meaning = "input"
    low: float | None = None
    high: float | None = None
    zoom: int = 1
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Images(Event):
    """Pictures side by side, with labels."""

    kind: ClassVar[str] = "images"
    items: tuple[Image, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix(Event):
    """A small grid of numbers, at most 20×20: a kernel, a confusion matrix, one term's arithmetic.

    `meaning` chooses the colours: "kernel" diverging about zero, "map" viridis, "input" grey,
    "counts" for a confusion matrix. `focus` outlines cells (row, column). `ask` names a follow-up
    of the lab that a click on a cell asks, with `row` and `column` as its params.
    """

    kind: ClassVar[str] = "matrix"
    values: tuple[tuple[float, ...], ...]
    row_labels: tuple[str, ...] = ()
    column_labels: tuple[str, ...] = ()
    row_title: str = ""
    column_title: str = ""
    meaning: Literal["input", "kernel", "map", "gradient", "counts"] = "kernel"
    digits: int = 2
    focus: tuple[tuple[int, int], ...] = ()
    ask: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars(Event):
    """Labelled bars, longest scale `high` (default: the largest value)."""

    kind: ClassVar[str] = "bars"
    bars: tuple[tuple[str, float], ...]
    unit: str = ""
    high: float | None = None
    digits: int = 2
    highlight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Event):
    """Rows of words and numbers, at most 200 cells."""

    kind: ClassVar[str] = "table"
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int, ...], ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A box in pixels of its picture: left, top, right, bottom; score 0–1 where there is one."""

    left: float
    top: float
    right: float
    bottom: float
    label: str = ""
    score: float | None = None
    role: Literal["truth", "found", "mine"] = "found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes(Event):
    """A picture with boxes on it."""

    kind: ClassVar[str] = "boxes"
    image: Image
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Event):
    """A paragraph in plain words; `lines` are set in the mono face below it (arithmetic)."""

    kind: ClassVar[str] = "note"
    text: str
    lines: tuple[str, ...] = ()
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Fact:
    """One number of a result, as a person reads it: `Fact("test accuracy", 97.4, "%")`."""

    label: str
    value: float | int | str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Event):
    """The end of a run: facts to show, and `figures`, the plain numbers that claims are about."""

    kind: ClassVar[str] = "result"
    name: str = "result"
    facts: tuple[Fact, ...]
    figures: dict[str, float] = field(default_factory=dict)


KINDS: dict[str, type[Event]] = {
    cls.kind: cls for cls in (Progress, Curves, Images, Matrix, Bars, Table, Boxes, Note, Result)
}
