"""The four loops of a convolution, one multiplication at a time (section 5)."""

from __future__ import annotations

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from courses.figures.flipping import correlated, grey
from labs import params
from labs.params import slider
from labs.words import number

PICTURE = ((3, 1, 0, 2), (0, 4, 1, 0), (2, 0, 5, 1), (1, 2, 0, 3))
KERNEL = ((0, 1, 0), (2, -1, 0), (0, 0, 3))
STEPS = 36  # four cells of the map, nine products each


class Step(params.Params):
    step: int = slider(14, low=0, high=STEPS, label="Multiplications done")


def place(step: int) -> tuple[int, int, int, int]:
    """i, j, u, v of the multiplication that is number `step`, counted from 0."""
    cell, inner = divmod(step, 9)
    return (*divmod(cell, 2), *divmod(inner, 3))


def running(done: int) -> int:
    """The sum in the cell that was worked on last, after so many multiplications."""
    first = (done - 1) // 9 * 9
    found = 0
    for i, j, u, v in map(place, range(first, done)):
        found += KERNEL[u][v] * PICTURE[i + u][j + v]
    return found


@figure(Step, wide=True)
def loop_by_loop(now: Step) -> Drawing:
    """The picture, the kernel and the map after some multiplications, with the loops' variables."""
    done, cell = now.step, svg.CELL
    i, j, u, v = place(max(0, done - 1))
    whole = correlated(PICTURE, KERNEL)
    rows = [[whole[r][c] if 9 * (2 * r + c + 1) <= done else None for c in range(2)]
            for r in range(2)]  # fmt: skip
    total = running(done) if done else 0
    alt = f"After {done} of {STEPS} multiplications, {done // 9} of the map's 4 cells are complete."
    ends = (min(map(min, whole)), max(map(max, whole)))
    drawn = svg.svg(
        470, 232,
        svg.text(0, 16, "picture x, 4×4", "label", "start"), grey(0, 28, PICTURE, 9),
        svg.text(186, 16, "kernel w, 3×3", "label", "start"), svg.kernel(186, 28, KERNEL),
        svg.text(336, 16, "map y, 1×2×2", "label", "start"),
        svg.feature_map(336, 28, rows, ends=ends),
        svg.window(j * cell, 28 + i * cell, 3, 3),
        *([] if not done else [
            svg.window((j + v) * cell, 28 + (i + u) * cell, 1, 1),
            svg.window(186 + v * cell, 28 + u * cell, 1, 1),
            svg.window(336 + j * cell, 28 + i * cell, 1, 1),
        ]),
        _variables(i, j, u, v, total, done), alt=alt,
    )  # fmt: skip
    return Drawing(drawn, alt, _says(done, i, j, u, v, total))


def _variables(i: int, j: int, u: int, v: int, total: int, done: int) -> str:
    """The loops' variables in a row of boxes, outermost first, and the cell that they fill."""
    boxes = [("i", i), ("j", j), ("u", u), ("v", v), ("y[i, j]", total)]
    parts = []
    for n, (name, value) in enumerate(boxes):
        x = 10 + 92 * n
        parts.append(svg.text(x + 18, 208, name, "label"))
        parts.append(svg.rect(x + 40, 186, 40, 34, "cell plain"))
        parts.append(svg.text(x + 60, 208, number(value) if done else "–"))
    return "".join(parts)


def _says(done: int, i: int, j: int, u: int, v: int, total: int) -> str:
    if not done:
        return "Nothing is multiplied yet. The window waits at row 0, column 0."
    x, w = PICTURE[i + u][j + v], KERNEL[u][v]
    end = f" Cell ({i}, {j}) is complete." if done % 9 == 0 else ""
    times = f"{number(w)} × {x} = {number(w * x)}"
    return f"w[{u}, {v}] · x[{i + u}, {j + v}] = {times}; y[{i}, {j}] is now {number(total)}.{end}"
