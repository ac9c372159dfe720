"""The figures of stride and padding, against PyTorch's own convolution and padding."""

from __future__ import annotations

import math
import re
from itertools import product
from xml.etree import ElementTree

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError

from courses.figures import borders, places, stripes
from labs.controls import validate

SETTINGS = [
    dict(zip("nkspd", values, strict=True))
    for values in product((3, 6, 7, 10), (1, 2, 3, 5), (1, 2, 3), (0, 1, 3), (1, 2, 3))
    if values[4] * (values[1] - 1) + 1 <= values[0] + 2 * values[3]
]
MODES = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "replicate",
    "circular": "circular",
}


def read_by_torch(n: int, k: int, s: int, p: int, d: int) -> list[list[int]]:
    """Which pixel each place of the window sees at each cell of the kernel; −1 is border."""
    row = F.pad(torch.arange(n).float() + 1, (p, p)) - 1
    kernels = torch.eye(k)[:, None]  # k kernels, each of which picks one cell
    seen = F.conv1d(row[None, None], kernels, stride=s, dilation=d)[0]
    return [[int(pixel) for pixel in place] for place in seen.T]


def test_the_places_read_what_the_convolution_of_pytorch_reads() -> None:
    for given in SETTINGS:
        n = given["n"]
        found = [[i if 0 <= i < n else -1 for i in place] for place in places.places(**given)]
        assert found == read_by_torch(**given), given


def test_the_size_that_the_figure_states_is_that_of_pytorch() -> None:
    for given in SETTINGS:
        m, size = len(read_by_torch(**given)), places.Size(**given)
        drawing = places.output_size(size)
        assert f"+ 1 = {m}." in drawing.says, given
        assert drawing.alt.endswith(f": {m} places."), given
        assert places.formula(size)[2].endswith(f"+ 1 = {m}"), given
        assert ("⌊" in places.formula(size)[2]) == ("Left over" in drawing.says), given


@pytest.mark.parametrize(("n", "k", "s"), list(product((5, 10, 12), (1, 3, 5), (1, 2, 3, 4))))
def test_the_stride_is_counted_as_pytorch_counts_it(n: int, k: int, s: int) -> None:
    seen = read_by_torch(n, k, s, 0, 1)
    drawing = places.stride_places(places.Stride(n=n, k=k, s=s, place=1))
    assert f"+ 1 = {len(seen)}." in drawing.says
    never = sorted(set(range(n)) - {pixel for place in seen for pixel in place})
    told = re.search(r"Never read: pixels? (.+)\.", drawing.says)
    assert (told[1].split(", ") if told else []) == [str(pixel) for pixel in never]
    assert drawing.svg.count("<circle") == len(seen) ** 2


def test_a_place_past_the_last_is_the_last() -> None:
    says = places.stride_places(places.Stride(n=9, k=3, s=3, place=11)).says
    assert "Place 2 begins at 2·3 = 6 and reads pixels 6 to 8." in says


def test_it_refuses_a_kernel_that_is_wider_than_the_padded_row() -> None:
    params, errors = validate(places.Size, {"n": 3, "k": 3, "s": 1, "p": 0, "d": 2})
    assert params is None
    assert "spans 2·(3 − 1) + 1 = 5 pixels" in errors["d"]
    assert "has 3 + 2·0 = 3" in errors["d"]


def test_a_number_out_of_bounds_is_answered_at_its_own_control() -> None:
    with pytest.raises(ValidationError) as refused:
        places.Size.model_validate({"n": 99})
    assert [error["loc"] for error in refused.value.errors()] == [("n",)]


@pytest.mark.parametrize(("mode", "p"), list(product(borders.MODES, (1, 2, 3))))
def test_the_border_holds_what_pytorch_puts_there(mode: str, p: int) -> None:
    picture = torch.tensor(borders.PICTURE)[None, None].float()
    padded = F.pad(picture, (p, p, p, p), mode=MODES[mode])
    assert borders.bordered(borders.PICTURE, p, mode) == _rows(padded)
    blurred = F.avg_pool2d(F.pad(picture, (1, 1, 1, 1), mode=MODES[mode]), 3, stride=1)
    assert borders.means(borders.bordered(borders.PICTURE, 1, mode)) == _rows(blurred)


def test_the_arithmetic_of_the_corner_adds_up() -> None:
    for mode in borders.MODES:
        says = borders.border_modes(borders.Border.model_validate({"mode": mode})).says
        terms, total, mean = re.findall(r"\((.+)\) / 9 = ([\d,]+) / 9 = (\d+);", says)[0]
        total = int(total.replace(",", ""))
        assert sum(map(int, terms.split(" + "))) == total == 9 * int(mean)


@pytest.mark.parametrize("period", range(2, 9))
def test_a_blurred_row_of_stripes_is_what_the_blur_makes_of_it(period: int) -> None:
    wave = [125 + 100 * math.cos(2 * math.pi * i / period) for i in range(-2, 26)]
    kernel = torch.tensor([1.0, 4, 6, 4, 1]) / 16
    blurred = F.conv1d(torch.tensor(wave)[None, None], kernel[None, None])[0, 0]
    assert torch.allclose(torch.tensor(stripes.row(period, True)).float(), blurred, atol=0.51)


@pytest.mark.parametrize(("period", "s"), list(product(range(2, 9), range(1, 5))))
def test_stripes_seem_as_wide_as_the_spectrum_of_what_is_kept(period: int, s: int) -> None:
    cells = 840  # a multiple of every period: the swing falls on one line of the spectrum
    wave = torch.cos(2 * torch.pi * s * torch.arange(cells) / period)
    line = int(torch.fft.rfft(wave).abs().argmax())
    width = stripes.seen(period, s)
    assert (float(width) if width else None) == (s * cells / line if line else None)


def test_every_drawing_is_well_formed_and_stays_inside_its_frame() -> None:
    drawings = [places.output_size(places.Size(**given)) for given in SETTINGS]
    drawings += [
        places.stride_places(places.Stride(n=n, k=k, s=s))
        for n in (5, 12)
        for k, s in ((1, 1), (5, 4))
    ]
    drawings += [
        borders.border_modes(borders.Border.model_validate({"mode": mode, "p": p}))
        for mode in borders.MODES
        for p in (1, 3)
    ]
    drawings += [stripes.stride_stripes(stripes.Stripes(period=2, s=s)) for s in (1, 3, 4)]
    for drawing in drawings:
        _check_frame(ElementTree.fromstring(drawing.svg))


def _check_frame(picture: ElementTree.Element) -> None:
    width, height = float(picture.attrib["width"]), float(picture.attrib["height"])
    assert width <= 600
    for part in picture.iter("rect"):
        x, y, w, h = (float(part.attrib[name]) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height


def _rows(values: torch.Tensor) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(map(int, row)) for row in values[0, 0].tolist())
