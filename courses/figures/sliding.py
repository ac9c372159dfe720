"""The window that slides: one cell of a map and the products that it is the sum of (section 5)."""

from __future__ import annotations

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from labs import params
from labs.params import slider
from labs.words import number

PICTURE = (
    (20, 20, 30, 180, 200, 210),
    (20, 30, 120, 210, 200, 190),
    (20, 40, 180, 210, 190, 200),
    (30, 20, 90, 200, 210, 210),
    (20, 20, 40, 170, 210, 210),
    (20, 20, 20, 60, 190, 210),
)
KERNEL = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
SIDE = 4  # of the map: the window stands at 6 − 3 + 1 places in each direction


class Place(params.Params):
    row: int = slider(0, low=0, high=SIDE - 1, label="Row of the window")
    column: int = slider(1, low=0, high=SIDE - 1, label="Column of the window")


def below(row: int, column: int) -> tuple[tuple[int, ...], ...]:
    """The nine pixels in the window whose upper left corner is at (row, column)."""
    return tuple(line[column : column + 3] for line in PICTURE[row : row + 3])


def products(row: int, column: int) -> tuple[tuple[int, ...], ...]:
    """Each pixel in the window times the kernel's number that lies on it."""
    both = zip(below(row, column), KERNEL, strict=True)
    return tuple(tuple(x * w for x, w in zip(xs, ws, strict=True)) for xs, ws in both)


def response(row: int, column: int) -> int:
    """The cell of the map where the window's upper left corner is at (row, column)."""
    return sum(map(sum, products(row, column)))


@figure(Place, wide=True)
def sliding_window(place: Place) -> Drawing:
    """A 6×6 picture and its 4×4 map; below them the arithmetic of the window that is chosen."""
    r, c = place.row, place.column
    total = number(response(r, c))
    alt = f"A window of 3×3 pixels at row {r}, column {c}; the map's cell there is {total}."
    drawn = svg.svg(540, 428, _above(r, c), _arithmetic(r, c), alt=alt)
    terms = [
        f"{x}·{w if w > 0 else f'({number(w)})'}"
        for xs, ws in zip(below(r, c), KERNEL, strict=True)
        for x, w in zip(xs, ws, strict=True)
        if w
    ]
    return Drawing(drawn, alt, f"{' + '.join(terms)} = {total}")


def _above(r: int, c: int) -> str:
    """The picture, the map, and the window in both."""
    cell = svg.CELL
    return "".join((
        svg.text(0, 16, "picture, 6×6", "label", "start"), svg.pixels(0, 28, PICTURE),
        svg.text(288, 129, "kernel", "label"), svg.arrow(240, 142, 336, 142),
        svg.text(360, 52, "map, 1×4×4", "label", "start"), svg.feature_map(360, 64, _map()),
        svg.window(c * cell, 28 + r * cell, 3, 3), svg.window(360 + c * cell, 64 + r * cell, 1, 1),
    ))  # fmt: skip


def _arithmetic(r: int, c: int) -> str:
    """The window's pixels, the kernel, their products, and the sum in its colour on the map."""
    low, high = min(map(min, _map())), max(map(max, _map()))
    one = ((response(r, c),),)
    return "".join((
        svg.text(0, 292, "in the window", "label", "start"), svg.pixels(0, 304, below(r, c)),
        svg.window(0, 304, 3, 3), svg.text(126, 363, "×", "sign"),
        svg.text(144, 292, "kernel, 3×3", "label", "start"), svg.kernel(144, 304, KERNEL),
        svg.text(270, 363, "=", "sign"),
        svg.text(288, 292, "products", "label", "start"), svg.numbers(288, 304, products(r, c)),
        svg.text(437, 350, "add up", "label"), svg.arrow(404, 358, 470, 358),
        svg.feature_map(480, 340, one, ends=(low, high)), svg.window(480, 340, 1, 1),
    ))  # fmt: skip


def _map() -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(response(i, j) for j in range(SIDE)) for i in range(SIDE))
