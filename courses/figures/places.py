"""Where a window stands: the places of a stride, padding and dilation, and their count (section 5).

Sizes follow Dumoulin & Visin (2016), "A guide to convolution arithmetic for deep learning".
Pixels are counted from 0; those of the border are −p to −1 and n to n + p − 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from pydantic import ValidationInfo, field_validator

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from labs import params
from labs.params import refuse, slider
from labs.words import number

CELL, STAIR, SMALL = 26, 9, 13
LEFT = 2
"""Room for the outline of a window at the left end."""
GREY = 165
"""A pixel that some place reads. One that none reads is blank."""
Places = tuple[tuple[int, ...], ...]


class Stride(params.Params):
    n: int = slider(10, low=5, high=12, label="Pixels in the row, n")
    k: int = slider(3, low=1, high=5, label="Kernel, k", unit="pixels")
    s: int = slider(2, low=1, high=4, label="Stride, s", unit="pixels")
    place: int = slider(
        1, low=0, high=11, label="Place", help="Counted from 0. Past the last place: the last."
    )


class Size(params.Params):
    n: int = slider(7, low=3, high=10, label="Pixels in the row, n")
    k: int = slider(3, low=1, high=7, label="Kernel, k", unit="pixels")
    s: int = slider(2, low=1, high=4, label="Stride, s", unit="pixels")
    p: int = slider(1, low=0, high=3, label="Padding, p", unit="pixels")
    d: int = slider(1, low=1, high=3, label="Dilation, d", unit="pixels")

    @field_validator("d")
    @classmethod
    def leaves_room_for_the_kernel(cls, d: int, info: ValidationInfo) -> int:
        if {"n", "k", "p"} <= info.data.keys():
            n, k, p = (info.data[name] for name in ("n", "k", "p"))
            if span_of(k, d) > n + 2 * p:
                raise refuse(
                    f"The kernel spans {d}·({k} − 1) + 1 = {span_of(k, d)} pixels, and the "
                    f"padded row has {n} + 2·{p} = {n + 2 * p}. Take a smaller kernel, less "
                    "dilation, more padding, or more pixels."
                )
        return d


def span_of(k: int, d: int) -> int:
    """How many pixels k kernel cells span where they look at every d-th pixel."""
    return d * (k - 1) + 1


def places(n: int, k: int, s: int, p: int = 0, d: int = 1) -> Places:
    """The pixels that each place of the window reads, from the first place to the last."""
    starts = range(-p, n + p - span_of(k, d) + 1, s)
    return tuple(tuple(start + d * j for j in range(k)) for start in starts)


@figure(Stride)
def stride_places(given: Stride) -> Drawing:
    """One row with every place of the window below it; beside it the same in two directions."""
    n, k, s = given.n, given.k, given.s
    found = places(n, k, s)
    m, place = len(found), min(given.place, len(found) - 1)
    alt = f"A window of {k} that moves {s} at a time over a row of {n} pixels: {m} places."
    right = LEFT + 12 * CELL + 32
    drawn = svg.svg(
        right + 12 * SMALL + 2, 104 + 12 * STAIR,
        svg.text(0, 14, f"{n} pixels; below, how many places read each", "label", "start"),
        _row(LEFT, 38, range(n), n, found),
        _stairs(LEFT, 100, found, 1, (place,)),
        svg.window(LEFT + found[place][0] * CELL, 38, 1, k, CELL),
        svg.text(right, 14, f"in 2-D: {m}×{m} places", "label", "start"),
        _plane(right, 38, n, found, place),
        alt=alt,
    )  # fmt: skip
    first, last = found[place][0], found[place][-1]
    covers = f"reads pixels {first} to {last}" if k > 1 else f"reads pixel {first}"
    says = [_moves(n - k, s), f"Place {place} begins at {place}·{s} = {first} and {covers}."]
    never = sorted(set(range(n)) - _read(found))
    if never:
        few = "pixel" if len(never) == 1 else "pixels"
        says.append(f"Never read: {few} {', '.join(map(str, never))}.")
    return Drawing(drawn, alt, " ".join(says))


@figure(Size)
def output_size(given: Size) -> Drawing:
    """A padded row, every place of the kernel on it with its holes, and the formula filled in."""
    n, k, s, p, d = given.n, given.k, given.s, given.p, given.d
    found, span = places(n, k, s, p, d), span_of(k, d)
    alt = (
        f"A row of {n} pixels with {p} of padding on each side; a kernel of {k} cells, stride {s}, "
        f"dilation {d}: {len(found)} places."
    )
    x = LEFT + (16 - n - 2 * p) * CELL / 2
    title = f"{n} pixels, padding {p}; below, how many places read each"
    drawn = svg.svg(
        16 * CELL + 2 * LEFT, 184 + 16 * STAIR,
        svg.text(0, 16, "m", anchor="start"),
        *(svg.text(16, 16 + 22 * i, f"= {is_}", anchor="start")
          for i, is_ in enumerate(formula(given))),
        svg.text(0, 98, title, "label", "start"),
        _row(x, 122, range(-p, n + p), n, found),
        _stairs(x + p * CELL, 184, found, d, range(len(found))),
        svg.window(x, 122, 1, span, CELL),
        alt=alt,
    )  # fmt: skip
    says = [f"The kernel spans {_pixels(span)} of {n + 2 * p}.", _moves(n + 2 * p - span, s)]
    left = (n + 2 * p - span) % s
    if left:
        says.append(f"Left over at the end: {left}.")
    if p >= span:
        says.append("The first place reads nothing but padding.")
    return Drawing(drawn, alt, " ".join(says))


def formula(given: Size) -> tuple[str, str, str]:
    """The number of places: in letters, with the numbers, and worked out. ⌊ ⌋ where it counts."""
    n, k, s, p, d = given.n, given.k, given.s, given.p, given.d
    room = n + 2 * p - d * (k - 1) - 1
    moves, left = divmod(room, s)
    whole = f"⌊{number(room / s)}⌋ + 1 = " if left else ""
    worked = f"⌊{room} / {s}⌋" if left else f"{room} / {s}"
    return (
        "⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1",
        f"⌊({n} + 2·{p} − {d}·({k} − 1) − 1) / {s}⌋ + 1",
        f"{worked} + 1 = {whole}{moves} + 1 = {moves + 1}",
    )


def _moves(room: int, s: int) -> str:
    """In words: how many moves fit, and so how many places."""
    moves, left = divmod(room, s)
    only = f", so {moves} {'move' if moves == 1 else 'moves'}" if left else ""
    return (
        f"The window can move by {_pixels(room)}, {s} at a time: {room} / {s} = "
        f"{number(room / s)}{only}. With its first place: {moves} + 1 = {moves + 1}."
    )


def _pixels(count: int) -> str:
    return "1 pixel" if count == 1 else f"{count} pixels"


def _read(found: Places) -> set[int]:
    return {pixel for place in found for pixel in place}


def _row(x: float, y: float, pixels: Sequence[int], n: int, found: Places) -> str:
    """Pixels with their numbers above and, below each, how many places read it."""
    reads = Counter(pixel for place in found for pixel in place)
    parts = []
    for i, pixel in enumerate(pixels):
        cx = x + i * CELL
        if 0 <= pixel < n:
            parts.append(svg.text(cx + CELL / 2, y - 5, str(pixel), "small soft"))
            parts.append(_pixel(cx, y, CELL, pixel in reads))
        else:
            parts.append(svg.numbers(cx, y, ((0,),), CELL, "cell padding"))
        parts.append(svg.text(cx + CELL / 2, y + 42, str(reads[pixel])))
    border = (len(pixels) - n) // 2
    if border:
        parts += [svg.window(x + i * CELL, y, 1, border, CELL, True) for i in (0, border + n)]
    return "".join(parts)


def _pixel(x: float, y: float, cell: float, is_read: bool) -> str:
    shade = f"#{GREY:02x}{GREY:02x}{GREY:02x}"
    return svg.rect(x, y, cell, cell, "cell" if is_read else "cell paper", shade * is_read)


def _stairs(x: float, y: float, found: Places, d: int, strong: Collection[int]) -> str:
    """A line for each place: the kernel's cells below the pixels that they look at."""
    parts = []
    for i, place in enumerate(found):
        top = y + i * STAIR
        if d > 1:
            ends = (x + (place[0] + 0.5) * CELL, x + (place[-1] + 0.5) * CELL)
            parts.append(svg.line(ends[0], top + STAIR / 2 - 1, ends[1], top + STAIR / 2 - 1))
        kind = "cell plus2" if i in strong else "cell plus1"
        parts += [svg.rect(x + pixel * CELL, top, CELL, STAIR - 2, kind) for pixel in place]
    return "".join(parts)


def _plane(x: float, y: float, n: int, found: Places, place: int) -> str:
    """n×n pixels; a dot where a window begins, and the window of row and column `place`."""
    read: Collection[int] = _read(found)
    cells = [
        _pixel(x + c * SMALL, y + r * SMALL, SMALL, r in read and c in read)
        for r in range(n)
        for c in range(n)
    ]
    dots = [
        f'<circle cx="{x + (c[0] + 0.5) * SMALL:g}" cy="{y + (r[0] + 0.5) * SMALL:g}" r="2.5" '
        'fill="#000000"/>'
        for r in found
        for c in found
    ]
    first, k = found[place][0], len(found[place])
    return "".join([*cells, *dots]) + svg.window(x + first * SMALL, y + first * SMALL, k, k, SMALL)
