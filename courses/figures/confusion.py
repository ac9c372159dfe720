"""Where a trained network is wrong: its confusion matrix and its mistakes (lecture 7.5).

The counts are those of courses/figures/small_training.py, which says how they were made.
"""

from __future__ import annotations

from collections.abc import Iterator

from courses.figures import svg
from courses.figures.digits import SIDE, digits
from courses.figures.figure import Drawing, Still, figure
from courses.figures.plot import Plot
from courses.figures.png import image, png
from courses.figures.small_training import OTHERS, RUNS, SUREST
from labs import params
from labs.params import slider, switch
from labs.words import fixed

CELL, LEFT, TOP = 26, 26, 54
CLASSES = range(10)
DARKEST = 12
"""So many mistakes in one cell have the full colour."""
Counts = tuple[tuple[int, ...], ...]


class Chosen(params.Params):
    digit: int = slider(7, low=0, high=9, label="Digit")
    shifts: bool = switch(False, label="Trained on shifted pictures")


def recall(counts: Counts, digit: int) -> tuple[int, int]:
    """How many of this digit were read as it, and how many there are: along the row."""
    return counts[digit][digit], sum(counts[digit])


def precision(counts: Counts, digit: int) -> tuple[int, int]:
    """How many were rightly read as this digit, and how many were read so: down the column."""
    return counts[digit][digit], sum(row[digit] for row in counts)


@figure(Chosen)
def confusion_matrix(chosen: Chosen) -> Drawing:
    """All answers to 3,600 digits; the row and the column of one digit, with their sums."""
    counts, digit = RUNS[chosen.shifts].answers, chosen.digit
    found, those = recall(counts, digit)
    _, called = precision(counts, digit)
    right = sum(counts[n][n] for n in CLASSES)
    side = 10 * CELL
    alt = (
        f"A table of 10×10 counts, rows for what a digit is, columns for what it was taken for. "
        f"{right:,} of {OTHERS:,} stand on the diagonal. Of {those} digits that are {digit}, "
        f"{found} were read as {digit}; {called} were called {digit} in all."
    )
    drawn = svg.svg(
        LEFT + side + 33, TOP + side + 26,
        svg.text(LEFT + side / 2, 16, "taken for", "label"),
        svg.text(LEFT - 10, TOP - 10, "is", "label", "end"),
        *_labels(), *_counts(counts),
        svg.window(LEFT, TOP + digit * CELL, 1, 10, CELL),
        svg.window(LEFT + digit * CELL, TOP, 10, 1, CELL),
        svg.text(LEFT + side + 6, TOP + (digit + 0.5) * CELL + 5, str(those), "", "start"),
        svg.text(LEFT + (digit + 0.5) * CELL, TOP + side + 20, str(called)),
        alt=alt,
    )  # fmt: skip
    says = (
        f"Recall of {digit}, along its row: {_share(found, those)}. Precision of {digit}, down "
        f"its column: {_share(found, called)}. Accuracy of all: {_share(right, OTHERS)}."
    )
    return Drawing(drawn, alt, says)


def _share(part: int, whole: int) -> str:
    return f"{part:,} / {whole:,} = {fixed(100 * part / whole, 1)} %"


def _labels() -> Iterator[str]:
    for n in CLASSES:
        yield svg.text(LEFT + (n + 0.5) * CELL, TOP - 10, str(n), "label")
        yield svg.text(LEFT - 13, TOP + (n + 0.5) * CELL + 5, str(n), "label")


def _counts(counts: Counts) -> Iterator[str]:
    for row, line in enumerate(counts):
        for column, count in enumerate(line):
            x, y = LEFT + column * CELL, TOP + row * CELL
            yield svg.rect(x, y, CELL, CELL, "cell plain")
            if row == column:
                yield svg.rect(x + 1, y + 1, CELL - 2, CELL - 2, "", "var(--cell-counts)")
            elif count:
                yield _shade(x, y, min(1.0, count / DARKEST))
            if count:
                yield svg.text(x + CELL / 2, y + CELL / 2 + 5, str(count))


def _shade(x: float, y: float, share: float) -> str:
    side = CELL - 2
    return (
        f'<rect x="{x + 1:g}" y="{y + 1:g}" width="{side}" height="{side}" '
        f'fill="var(--cell-plus)" fill-opacity="{share:.2f}"/>'
    )


PICTURE, GAP = 72, 10


@figure(Still)
def surest_mistakes(_: Still) -> Drawing:
    """The eight wrong answers that the network was surest of, with label and answer."""
    listed = "; ".join(f"{m.label} taken for {m.taken}" for m in SUREST)
    alt = f"Eight digits that were read wrongly: {listed}."
    parts = []
    for n, mistake in enumerate(SUREST):
        x, y = n % 4 * (PICTURE + GAP), n // 4 * (PICTURE + 56)
        parts += [
            mistake.digit.drawn(x, y, PICTURE),
            svg.text(x, y + PICTURE + 19, f"{mistake.label} → {mistake.taken}", "", "start"),
            svg.text(x, y + PICTURE + 37, f"{fixed(mistake.sure)} %", "soft", "start"),
        ]
    return Drawing(svg.svg(4 * PICTURE + 3 * GAP, 2 * PICTURE + 96, *parts, alt=alt), alt)


FARTHEST = 8


class Place(params.Params):
    right: int = slider(3, low=0, high=FARTHEST, label="Moved to the right", unit="pixels")
    digit: int = slider(4, low=0, high=9, label="Digit that is shown")


def moved(rows: tuple[bytes, ...], right: int) -> tuple[bytes, ...]:
    """A picture moved to the right over paper; what leaves it is lost."""
    return tuple(bytes(right) + row[: SIDE - right] for row in rows)


@figure(Place)
def off_centre(place: Place) -> Drawing:
    """A digit out of its place, and how many of 3,600 are still read so far from theirs."""
    plain, shifted = RUNS[False].moved, RUNS[True].moved
    d, side = place.right, 112
    rows = digits()[2 * place.digit].rows
    alt = (
        f"The share of {OTHERS:,} digits that is read rightly, over how many pixels all are moved "
        f"to the right, for two networks. At {d}: {_percent(plain[d])} and {_percent(shifted[d])}."
    )
    plot = Plot(36, 188, 276, 160, (0, FARTHEST), (0, 1))
    curves = ((plain, "--other", True), (shifted, "--accent", False))
    drawn = svg.svg(
        320, 396,
        svg.text(0, 16, f"moved by {d}", "label", "start"),
        image(0, 26, side, side, png(moved(rows, d))),
        svg.text(0, 172, "share that is right", "label", "start"),
        plot.axes(range(0, FARTHEST + 1, 2), (0, 0.5, 1)),
        svg.line(*plot.at(d, 0), *plot.at(d, 1), "window"),
        *(plot.curve(list(enumerate(v)), colour, dashed) for v, colour, dashed in curves),
        *(plot.dot(d, v[d], colour) for v, colour, _ in curves),
        svg.text(plot.left + plot.width / 2, 388, "pixels to the right", "label"),
        *_legend(),
        alt=alt,
    )  # fmt: skip
    says = (
        f"Moved by {d} {'pixel' if d == 1 else 'pixels'}: trained without shifts the network "
        f"reads {_percent(plain[d])} rightly, trained with shifts {_percent(shifted[d])}."
    )
    return Drawing(drawn, alt, says)


def _percent(share: float) -> str:
    return f"{fixed(100 * share, 1)} %"


def _legend() -> Iterator[str]:
    """Which line is which network."""
    lines = (
        ("trained with shifts", "--accent", ""),
        ("without", "--other", ' stroke-dasharray="7 4"'),
    )
    for n, (name, colour, dashes) in enumerate(lines):
        y = 54 + 24 * n
        yield (
            f'<line x1="132" y1="{y}" x2="160" y2="{y}" stroke="var({colour})" stroke-width="2.5"'
            f"{dashes}/>"
        )
        yield svg.text(168, y + 5, name, "", "start")
