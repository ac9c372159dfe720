"""One kernel on one picture: the feature map, and the arithmetic of one of its cells.

Pixels are whole numbers from 0 (black) to 255 (white), so that you can follow the sums by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from labs.catalog.kernel_forge import show
from labs.catalog.kernel_forge.forge import forge, likeness, target_map, window_at
from labs.catalog.kernel_forge.lab import Params
from labs.context import Context
from labs.data.pictures import shrink
from labs.events import Event


def run(params: Params, ctx: Context) -> Iterator[Event | None]:
    rgb = shrink(ctx.picture(params.picture), params.size)
    forged = forge(params, rgb)
    h, w = forged.map.shape
    row, column = min(params.row, h - 1), min(params.column, w - 1)
    window = window_at(forged, params, row, column)  # (C, K, K)
    yield show.map_event(forged, row, column)
    wanted = target_map(params, rgb)  # (h, w), or None
    like = likeness(forged.map, wanted) if wanted is not None else 0.0
    yield show.target_event(params, wanted, like)
    yield show.input_event(forged, params, row, column)
    yield show.cell_event(forged, params, window, row, column)
    yield show.window_event(forged, params, window, row, column)
    yield show.kernel_event(forged, params)
    yield show.size_event(forged, params)
    yield show.result_event(forged, row, column, like)
