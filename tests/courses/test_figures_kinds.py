"""Dilated, 1×1 and depthwise kernels of lecture 5.7, held against torch."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from courses.figures import kinds
from courses.figures.kinds import RATES, Dilated, Separable
from labs.words import number


@pytest.mark.parametrize("said", RATES)
def test_a_cell_depends_on_the_pixels_that_have_a_gradient(said: str) -> None:
    rates = [int(d) for d in said.split(", ")]
    x = torch.zeros(1, 1, 15, 15, requires_grad=True)
    y = x
    for d in rates:
        y = nn.functional.conv2d(y, torch.ones(1, 1, 3, 3), padding=d, dilation=d)
    (gradient,) = torch.autograd.grad(y[0, 0, 7, 7], x)
    touched = (gradient[0, 0] != 0).nonzero() - 7
    offsets = kinds.seen(tuple(rates))
    assert {(int(r), int(c)) for r, c in touched} == {(r, c) for r in offsets for c in offsets}
    drawn = kinds.dilated_kernel(Dilated.model_validate({"rates": said}))
    reach = int(touched.max()) * 2 + 1
    assert f"{len(touched)} of the {reach}×{reach} = {reach**2} pixels" in drawn.says
    assert f": {9 * len(rates)} weights" in drawn.says
    assert drawn.svg.count("plus1") + drawn.svg.count("plus2") == len(touched)


def parameters(layer: nn.Module) -> int:
    return sum(p.numel() for p in layer.parameters())


SIZES = [(3, 4, 3), (64, 128, 3), (1, 1, 7), (512, 24, 5)]


@pytest.mark.parametrize(("channels", "filters", "k"), SIZES)
def test_the_counts_are_torchs(channels: int, filters: int, k: int) -> None:
    layer = Separable.model_validate({"channels": channels, "filters": filters, "k": k})
    found = kinds.counts(layer)
    assert found.ordinary == parameters(nn.Conv2d(channels, filters, k, device="meta"))
    dilated = nn.Conv2d(channels, filters, k, dilation=2, device="meta")
    assert found.ordinary == parameters(dilated)
    depthwise = nn.Conv2d(channels, channels, k, groups=channels, device="meta")
    assert found.depthwise == parameters(depthwise)
    assert found.pointwise == parameters(nn.Conv2d(channels, filters, 1, device="meta"))
    drawn = kinds.separable_kernels(layer)
    assert f"= {number(found.depthwise + found.pointwise)}." in drawn.says
    assert f"ordinary {number(found.ordinary)};" in drawn.says


def multiplications(layer: nn.Module, x: torch.Tensor) -> float:
    """torch counts two operations, a product and a sum, for each."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        layer(x)
    return float(counter.get_total_flops() / 2)


def test_the_multiplications_of_the_lecture_are_those_that_torch_counts() -> None:
    x = torch.zeros(1, 64, 56, 56)
    ordinary = multiplications(nn.Conv2d(64, 128, 3, padding=1), x)
    dilated = multiplications(nn.Conv2d(64, 128, 3, padding=2, dilation=2), x)
    pointwise = multiplications(nn.Conv2d(64, 128, 1), x)
    assert (ordinary, dilated, pointwise) == (231_211_008, 231_211_008, 25_690_112)
    one = multiplications(nn.Conv2d(1, 1, 3, padding=1), x[:, :1])  # torch counts groups as one
    depthwise = 64 * one
    assert depthwise == 1_806_336
    assert (depthwise + pointwise) / ordinary == pytest.approx(1 / 128 + 1 / 9)
