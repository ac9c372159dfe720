"""What the page shows of a map: pictures, the arithmetic of one cell, grids of numbers."""

from __future__ import annotations

from torch import Tensor

from labs.catalog.kernel_forge.forge import NAMES, Forged, in_pixels, in_the_padding, output_size
from labs.catalog.kernel_forge.lab import Params
from labs.catalog.kernel_forge.questions import REACHED
from labs.events import Box, Boxes, Fact, Image, Images, Matrix, Note, Result
from labs.words import number, signed


def map_event(forged: Forged, row: int, column: int) -> Images:
    h, w = forged.map.shape
    low, high = forged.map.min().item(), forged.map.max().item()
    value = number(forged.map[row, column].item())
    items = [_map_image(forged.map, "map", f"cell ({row}, {column}) = {value}")]
    if len(forged.maps) == 3:
        items += [
            _map_image(m, n, "before the sum") for m, n in zip(forged.maps, NAMES, strict=True)
        ]
    return Images(
        name="map",
        title="Feature map",
        sentence=f"The map has {h}×{w} cells, from {number(low)} to {number(high)}. "
        f"Cell ({row}, {column}) is {value}.",
        items=tuple(items),
    )


def _map_image(values: Tensor, label: str, detail: str) -> Image:
    h, w = values.shape
    minus = values.min().item() < 0  # zero is paper where there is a minus, else viridis
    return Image(
        values,
        label=f"{label}, 1×{h}×{w}",
        meaning="kernel" if minus else "map",
        zoom=max(1, 256 // max(h, w)),
        detail=detail,
    )


def input_event(forged: Forged, params: Params, row: int, column: int) -> Boxes:
    """The padded picture with the window; where there is padding, also the picture's own edge."""
    C, H, W = forged.pixels.shape
    P, reach = forged.padding, params.dilation * (len(params.kernel) - 1) + 1
    top, left = row * params.stride, column * params.stride
    boxes = [Box(left, top, left + reach, top + reach, label="window", role="found")]
    if P:
        boxes.append(Box(P, P, P + W, P + H, label="picture", role="truth"))
    shown = forged.padded.byte().permute(1, 2, 0).numpy()  # (H + 2P, W + 2P, C)
    padded = f" with {in_pixels(P)} of padding ({params.border}) on each side" if P else ""
    return Boxes(
        name="input",
        title="What the kernel looks at",
        sentence=f"The picture is {C}×{H}×{W}{padded}. The window begins at row "
        f"{number(top - P)}, column {number(left - P)}, and reaches over {reach}×{reach} pixels.",
        image=Image(
            shown if C == 3 else shown[..., 0],
            label=f"picture{padded}, {C}×{H}×{W}",
            zoom=max(1, 256 // max(H, W)),
        ),
        boxes=tuple(boxes),
    )


def cell_event(forged: Forged, params: Params, window: Tensor, row: int, column: int) -> Note:
    """The sum behind one cell, term by term: a line for each row of the kernel."""
    lines = []
    both = zip(window.tolist(), forged.slices.tolist(), strict=True)
    for c, (pixels, slice_) in enumerate(both):
        for k, (xs, ws) in enumerate(zip(pixels, slice_, strict=True)):
            name = f"{NAMES[c]}, row {k + 1}" if len(window) == 3 else f"row {k + 1}"
            lines.append(f"{name}: {terms(xs, ws)}")
    before = window.mul(forged.slices).sum().item() + params.bias
    bias = f" {signed(params.bias)} (bias)" if params.bias else ""
    lines.append(f"all rows{bias}: {number(before)}")
    value = number(forged.map[row, column].item())
    if params.activation == "relu":
        lines.append(f"ReLU: max(0, {number(before)}) = {value}")
    outside = int(in_the_padding(forged, params, row, column).sum())
    text = f"Cell ({row}, {column}) of the map is {value}: each pixel times its kernel cell, added."
    if outside:
        text += (
            f" {outside} of the window's {window[0].numel()} cells lie in the padding"
            f" ({params.border}), outside the picture."
        )
    return Note(name="cell", title="The arithmetic of one cell", text=text, lines=tuple(lines))


def terms(pixels: list[float], weights: list[float]) -> str:
    """ "31 × −1 + 77 × 0 + 80 × 1 = 49"; ≈ where a weight or the sum is shown rounded."""
    total = sum(x * w for x, w in zip(pixels, weights, strict=True))
    exact = (
        all(abs(w - round(w, 3)) < 1e-6 for w in weights) and abs(total - round(total, 2)) < 1e-4
    )
    products = (f"{number(x, 0)} × {number(w, 3)}" for x, w in zip(pixels, weights, strict=True))
    return f"{' + '.join(products)} {'=' if exact else '≈'} {number(total)}"


def window_event(forged: Forged, params: Params, window: Tensor, row: int, column: int) -> Matrix:
    outside = in_the_padding(forged, params, row, column)
    C, K, _ = window.shape
    focus = [(int(i) + c * K, int(j)) for c in range(C) for i, j in outside.nonzero()]
    told = f" {int(outside.sum())} of them, outlined, are padding." if focus else ""
    return Matrix(
        name="window",
        title="Pixels in the window",
        sentence=f"The {K}×{K} pixels below the kernel{' in each channel' if C == 3 else ''}."
        + told,
        values=_stacked(window),
        row_labels=_row_labels(C, K),
        meaning="input",
        digits=0,
        focus=tuple(focus),
    )


def kernel_event(forged: Forged, params: Params) -> Matrix:
    C, K, _ = forged.slices.shape
    total = number(forged.slices.sum().item())
    how = "flipped (turned by 180°)" if params.flip else "not flipped"
    if C == 3:
        shares = (number(share) for share in (params.red, params.green, params.blue))
        how += ", times {} for red, {} for green and {} for blue".format(*shares)
    small = forged.slices.abs()
    small = small[small > 0]
    return Matrix(
        name="kernel",
        title="Kernel as it is applied",
        sentence=f"The kernel is {C}×{K}×{K}, {how}. Its numbers add up to {total}.",
        digits=4 if small.numel() and small.min() < 0.05 else 2,
        values=_stacked(forged.slices),
        row_labels=_row_labels(C, K),
        meaning="kernel",
    )


def _stacked(grids: Tensor) -> tuple[tuple[float, ...], ...]:
    """(C, K, K) as C·K rows: the channels below each other, for there they fit on a phone."""
    return tuple(tuple(line) for line in grids.flatten(0, 1).tolist())


def _row_labels(C: int, K: int) -> tuple[str, ...]:
    return tuple(f"{name} {k + 1}" for name in NAMES for k in range(K)) if C == 3 else ()


def size_event(forged: Forged, params: Params) -> Note:
    _, H, W = forged.pixels.shape
    P, D, K, S = forged.padding, params.dilation, len(params.kernel), params.stride
    lines = ["⌊(side + 2P − D(K − 1) − 1) / S⌋ + 1"]
    for name, side in (("height", H), ("width", W)):
        size = output_size(side, P, D, K, S)
        lines.append(f"{name}: ⌊({side} + 2·{P} − {D}·({K} − 1) − 1) / {S}⌋ + 1 = {size}")
    h, w = forged.map.shape
    return Note(
        name="size",
        title="How large the map is",
        text=f"A picture of {H}×{W} gives a map of {h}×{w}, with padding P = {P} on each side, "
        f"dilation D = {D}, kernel side K = {K} and stride S = {S}.",
        lines=tuple(lines),
    )


def target_event(params: Params, wanted: Tensor | None, like: float) -> Images:
    if wanted is None:
        said = "Choose a target map under the controls, and make your kernel reach it."
        return Images(name="target", title="The target", sentence=said, items=())
    said = f"Your map explains {number(100 * max(0.0, like), 1)} % of target {params.target}."
    if like >= REACHED:
        said = f"✓ Target {params.target} is reached: your kernel is the one behind it."
    item = _map_image(wanted, f"target {params.target}", "")
    return Images(name="target", title="The target", sentence=said, items=(item,))


def result_event(forged: Forged, row: int, column: int, like: float) -> Result:
    (C, K, _), (h, w) = forged.slices.shape, forged.map.shape
    low, high = forged.map.min().item(), forged.map.max().item()
    return Result(
        title="In numbers",
        sentence=f"{C * K * K} weights made a map of {h}×{w} in {C * K * K * h * w:,} products.",
        facts=(
            Fact("map", f"1×{h}×{w}"),
            Fact("smallest value", number(low)),
            Fact("largest value", number(high)),
            Fact("weights", C * K * K),
            Fact("multiplications", f"{C * K * K * h * w:,}"),
        ),
        figures={
            "height": h,
            "width": w,
            "low": low,
            "high": high,
            "cell": forged.map[row, column].item(),
            "target": like,
        },
    )
