"""The figures of lecture 5.2, held against torch."""

from __future__ import annotations

from itertools import product

import pytest
import torch
import torch.nn.functional as F

from courses.figures import responses
from courses.figures.responses import DIAGONAL, LINES, PATCHES, Gate, Patch

STATES = list(product(PATCHES, (-90, -27, 0, 9, 90), (90, 100, 160)))
KERNEL = torch.tensor(DIAGONAL, dtype=torch.float64)


@pytest.mark.parametrize(("name", "lighter", "ground"), STATES)
def test_a_response_is_what_torch_makes_of_the_patch(name: str, lighter: int, ground: int) -> None:
    patch = responses.patch_of(name, lighter, ground)
    pixels = torch.tensor(patch, dtype=torch.float64)
    wanted = F.conv2d(pixels[None, None], KERNEL[None, None]).item()
    assert responses.total(patch) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(("name", "lighter", "ground"), STATES)
def test_likeness_is_the_cosine_of_what_differs_from_the_mean(
    name: str, lighter: int, ground: int
) -> None:
    patch = responses.patch_of(name, lighter, ground)
    pixels = torch.tensor(patch, dtype=torch.float64)
    less = pixels - pixels.mean()
    wanted = F.cosine_similarity(less.flatten(), KERNEL.flatten(), dim=0).item()
    assert responses.likeness(patch) == pytest.approx(wanted, abs=1e-9)
    whole = responses.length(DIAGONAL) * responses.length(responses.less_mean(patch)) * wanted
    assert responses.total(patch) == pytest.approx(whole, abs=1e-9)


@pytest.mark.parametrize(("name", "lighter", "ground"), STATES)
def test_every_pixel_is_a_grey_value_and_every_response_is_on_the_scale(
    name: str, lighter: int, ground: int
) -> None:
    patch = responses.patch_of(name, lighter, ground)
    assert all(0 <= pixel <= 255 for row in patch for pixel in row)
    assert abs(responses.total(patch)) <= responses.STRONGEST


def test_a_faint_line_and_a_bright_dot_answer_with_the_same_number() -> None:
    line = responses.agreements(Patch(patch="diagonal", lighter=27, ground=100))
    dot = responses.agreements(Patch(patch="dot", lighter=81, ground=100))
    assert "Response 162 =" in line.says
    assert "likeness 1.00" in line.says
    assert "Response 162 =" in dot.says
    assert "likeness 0.50" in dot.says


@pytest.mark.parametrize("bias", [-300, -150, 0, 60])
@pytest.mark.parametrize("relu", [True, False])
def test_the_gate_does_what_torch_does(bias: int, relu: bool) -> None:
    pixels = torch.tensor(LINES, dtype=torch.float64)
    wanted = F.conv2d(pixels[None, None], KERNEL[None, None])[0, 0] + bias
    wanted = wanted.relu() if relu else wanted
    torch.testing.assert_close(
        torch.tensor(responses.after(bias, relu), dtype=torch.float64), wanted
    )
    says = responses.bias_and_relu(Gate(bias=bias, relu=relu)).says
    assert f"{int((wanted > 0).sum())} of 25 cells" in says


def test_a_bias_of_minus_150_keeps_both_light_lines_and_nothing_else() -> None:
    kept = {(i, j) for i, row in enumerate(responses.after(-150, True))
            for j, value in enumerate(row) if value}  # fmt: skip
    assert kept == {(n, n) for n in range(5)} | {(0, 4)}
