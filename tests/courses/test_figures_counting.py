"""The figures of lecture 5.6, held against torch."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from courses.figures import counting
from courses.figures.counting import Layer, Reading
from labs.words import number


@pytest.mark.parametrize("slices", ["difference", "brightness"])
def test_the_one_map_is_torchs_convolution_over_three_channels(slices: str) -> None:
    x = torch.tensor([counting.channel(n) for n in range(3)]).float()
    w = torch.tensor([counting.kernel_slice(slices, n) for n in range(3)]).float()
    maps = [counting.partial_map(slices, n) for n in range(3)]
    wanted = nn.functional.conv2d(x[None], w[None])[0, 0]
    torch.testing.assert_close(
        torch.tensor(counting.summed(maps)).float(), wanted, atol=1e-3, rtol=0
    )
    apart = nn.functional.conv2d(x[None], w[:, None], groups=3)[0]
    torch.testing.assert_close(torch.tensor(maps).float(), apart, atol=1e-3, rtol=0)


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("column", [0, 1])
def test_the_sentence_adds_up_to_the_cell_of_the_map(row: int, column: int) -> None:
    reading = Reading(row=row, column=column)
    said = counting.channel_slices(reading).says.replace("−", "-")
    *parts, total = (int(n) for n in re.findall(r"-?\d+", said))
    maps = [counting.partial_map("difference", n) for n in range(3)]
    assert sum(parts) == total == counting.summed(maps)[row][column]


def test_leaf_and_berry_are_equally_bright_so_that_the_brightness_has_no_edge() -> None:
    maps = [counting.partial_map("brightness", n) for n in range(3)]
    assert counting.summed(maps) == ((0, 0), (0, 0))
    for colour in (counting.LEAF, counting.BERRY):
        shares = counting.SHARES["brightness"]
        assert sum(s * v for s, v in zip(shares, colour, strict=True)) == pytest.approx(100)


LAYERS = [
    Layer(),
    Layer(channels=64, filters=128, k=3, side=56),
    Layer(channels=1, filters=1, k=1, bias=False, side=1),
    Layer(channels=5, filters=4, k=7, bias=False, side=30),
    Layer(channels=512, filters=512, k=5, side=14),
]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_has_as_many_parameters_as_torchs(layer: Layer) -> None:
    made = nn.Conv2d(layer.channels, layer.filters, layer.k, bias=layer.bias, device="meta")
    found = counting.count(layer)
    assert found.weights == made.weight.numel()
    assert found.parameters == sum(p.numel() for p in made.parameters())
    assert f"= {number(found.parameters)}." in counting.counting_parameters(layer).says


@pytest.mark.parametrize("layer", LAYERS[:4])
def test_a_layer_multiplies_as_often_as_torch_counts(layer: Layer) -> None:
    """torch counts two operations, a product and a sum, for each multiplication here."""
    from torch.utils.flop_counter import FlopCounterMode

    conv = nn.Conv2d(layer.channels, layer.filters, layer.k, padding="same", bias=layer.bias)
    with FlopCounterMode(display=False) as counter:
        conv(torch.zeros(1, layer.channels, layer.side, layer.side))
    assert counting.count(layer).multiplications == counter.get_total_flops() / 2


@pytest.mark.parametrize(
    ("channels", "filters", "slices"), [(3, 2, 6), (4, 4, 16), (5, 9, 16), (1, 512, 4)]
)
def test_at_most_four_filters_with_four_slices_are_drawn(
    channels: int, filters: int, slices: int
) -> None:
    layer = Layer(channels=channels, filters=filters, k=5)
    svg = counting.counting_parameters(layer).svg
    biases = svg.count(">b</text>")
    assert biases == min(4, filters)
    assert svg.count('class="cell plus1"') - biases == slices * 25
    assert ("…" in svg, "⋮" in svg) == (channels > 4, filters > 4)
