"""The figures of lectures 7.1 and 7.3, held against PyTorch."""

from __future__ import annotations

from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from courses.figures import layer_counts, pipeline, small_pipeline
from courses.figures.digits import digits
from courses.figures.layer_counts import Counted
from courses.figures.pipeline import Pipeline
from courses.figures.small_pipeline import Shown

SWITCHES = [
    {"padding": padding, "first_pooling": first, "second_pooling": second}
    for padding, first, second in product(("none", "same"), (True, False), (True, False))
]
FILTERS = [(8, 8), (32, 64), (64, 16)]


def built(chosen: Pipeline | Counted, units: int = 128) -> nn.Sequential:
    padding = int(chosen.padding == "same")
    layers: list[nn.Module] = []
    came = 1
    pools = (getattr(chosen, "first_pooling", True), getattr(chosen, "second_pooling", True))
    for filters, pool in zip((chosen.first, chosen.second), pools, strict=True):
        layers += [nn.Conv2d(came, filters, 3, padding=padding), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pool else []
        came = filters
    layers += [nn.Flatten(), nn.LazyLinear(units), nn.ReLU(), nn.Linear(units, 10)]
    return nn.Sequential(*layers)


@pytest.mark.parametrize("switches", SWITCHES)
@pytest.mark.parametrize(("first", "second"), FILTERS)
def test_shapes_and_parameters_are_those_of_torch(
    switches: dict[str, object], first: int, second: int
) -> None:
    chosen = Pipeline.model_validate({**switches, "first": first, "second": second})
    net = built(chosen)
    x = torch.zeros(1, 1, 28, 28)
    drawing = pipeline.pipeline_shapes(chosen)
    for layer in net:
        x = layer(x)
        made = "×".join(map(str, x.shape[1:])) if x.dim() == 4 else f"{x.shape[1]:,}"
        assert made in drawing.alt
    parameters = sum(p.numel() for p in net.parameters())
    assert f"Together {parameters:,} parameters." in drawing.says
    for layer in net:
        if count := sum(p.numel() for p in layer.parameters()):
            assert f">{count:,} parameters<" in drawing.svg


@pytest.mark.parametrize(
    ("padding", "says"),
    [
        ("none", "28 → 26 → 13 → 11 → 5, and 64·5·5 = 1,600. Together 225,034 parameters."),
        ("same", "28 → 28 → 14 → 14 → 7, and 64·7·7 = 3,136. Together 421,642 parameters."),
    ],
)
def test_padding_parts_1600_from_3136(padding: str, says: str) -> None:
    assert pipeline.pipeline_shapes(Pipeline.model_validate({"padding": padding})).says == says


@pytest.mark.parametrize("switches", SWITCHES)
def test_the_maps_in_front_are_those_of_torch(switches: dict[str, object]) -> None:
    padding = int(switches["padding"] == "same")
    kernel = torch.tensor(pipeline.SOBEL).float()
    kernels = torch.stack([kernel, kernel.T, -kernel, -kernel.T])[:, None]
    rows = [list(row) for row in digits()[pipeline.DIGIT].rows]
    first = F.relu(F.conv2d(torch.tensor(rows)[None, None] / 255, kernels, padding=padding))
    small = F.max_pool2d(first, 2) if switches["first_pooling"] else first
    bias = torch.tensor([-float(pipeline.MANY)])
    second = F.relu(F.conv2d(small, torch.ones(1, 4, 3, 3), bias, padding=padding))
    last = F.max_pool2d(second, 2) if switches["second_pooling"] else second
    found = pipeline._tops(*switches.values())
    for mine, theirs in zip(found, (first, small, second, last), strict=True):
        torch.testing.assert_close(torch.tensor(mine), theirs[0, 0], atol=1e-4, rtol=0)
    assert max(map(max, found[-1])) > 0


@pytest.mark.parametrize("padding", ["none", "same"])
@pytest.mark.parametrize(("first", "second", "units"), [(8, 64, 16), (32, 64, 128), (64, 8, 256)])
def test_parameters_and_multiplications_are_those_that_torch_counts(
    padding: str, first: int, second: int, units: int
) -> None:
    chosen = Counted.model_validate(
        {"padding": padding, "first": first, "second": second, "units": units}
    )
    net = built(chosen, units)
    net(torch.zeros(1, 1, 28, 28))
    with FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, 1, 28, 28))
    work = counter.get_total_flops() // 2  # a multiplication and an addition each
    parameters = sum(p.numel() for p in net.parameters())
    drawing = layer_counts.parameters_and_work(chosen)
    assert (
        drawing.says == f"{parameters:,} parameters, and {work:,} multiplications for one picture."
    )


@pytest.mark.parametrize("digit", ["seven", "one"])
@pytest.mark.parametrize("down", [0, 1, 2])
def test_the_small_network_computes_what_torch_computes(digit: str, down: int) -> None:
    x = torch.tensor(small_pipeline.picture(digit, down))[None, None].float()
    kernel = torch.tensor(small_pipeline.KERNEL)[None, None].float()
    row: Tensor = F.max_pool2d(F.relu(F.conv2d(x, kernel)), 2).flatten()
    weights = torch.tensor([weights for weights, _ in small_pipeline.WEIGHTS.values()])
    biases = torch.tensor([float(bias) for _, bias in small_pipeline.WEIGHTS.values()])
    sure = torch.softmax(weights @ row + biases, 0)
    drawing = small_pipeline.small_pipeline(Shown.model_validate({"digit": digit, "down": down}))
    assert f"The row is {', '.join(f'{v:g}' for v in row.tolist())}." in drawing.says
    for share in sure.tolist():
        assert f">{100 * share:.1f} %<" in drawing.svg


@pytest.mark.parametrize(
    ("digit", "down", "verdict"),
    [("seven", 0, "right"), ("seven", 1, "right"), ("seven", 2, "wrong"), ("one", 2, "right")],
)
def test_pooling_forgives_one_pixel_down_and_not_two(digit: str, down: int, verdict: str) -> None:
    shown = Shown.model_validate({"digit": digit, "down": down})
    assert f"and is {verdict}." in small_pipeline.small_pipeline(shown).says
