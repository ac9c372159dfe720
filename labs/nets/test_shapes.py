from __future__ import annotations

import subprocess
import sys
from math import prod

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from torch.utils.flop_counter import FlopCounterMode

from labs.data.registry import ROOT
from labs.nets.blocks import (
    Activation,
    Block,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Norm,
    Pooling,
)
from labs.nets.build import build, first_maps
from labs.nets.limits import MOST_MEMORY, MOST_PARAMETERS, MOST_WORK, Plan, excess, memory_of
from labs.nets.shapes import walk

SHAPE = (1, 28, 28)

on_maps = st.one_of(
    st.builds(
        Convolution,
        filters=st.integers(1, 8),
        size=st.sampled_from([1, 3, 5, 7]),
        stride=st.integers(1, 4),
        padding=st.sampled_from(["none", "same"]),
    ),
    st.builds(Pooling, size=st.integers(2, 4), takes=st.sampled_from(["max", "average"])),
    st.builds(Activation, function=st.sampled_from(["relu", "leaky", "tanh", "sigmoid"])),
    st.just(Norm()),
    st.just(Dropout()),
)
on_rows = st.one_of(
    st.builds(Dense, units=st.integers(1, 40)), st.just(Activation()), st.just(Norm())
)
networks = st.tuples(st.lists(on_maps, max_size=7), st.lists(on_rows, max_size=4)).map(
    lambda parts: (*parts[0], Flatten(), *parts[1])
)
any_blocks = st.lists(st.one_of(on_maps, on_rows, st.just(Flatten())), max_size=8)


@given(networks)
def test_shapes_and_parameters_are_those_of_torch(blocks: tuple[Block, ...]) -> None:
    found = walk(blocks, SHAPE, classes=10)
    assume(not found.fault)
    with torch.device("meta"):
        net = build(blocks, SHAPE, classes=10)
        x = torch.empty(2, *SHAPE)
    for layer, row in zip(net, found.rows, strict=True):
        x = layer(x)
        assert tuple(x.shape[1:]) == row.shape, row.name
        assert sum(p.numel() for p in layer.parameters()) == row.parameters, row.name
        assert row.bytes == x[0].numel() * x.element_size()


@given(networks)
def test_multiplications_are_half_of_what_torch_counts_as_flops(blocks: tuple[Block, ...]) -> None:
    found = walk(blocks, SHAPE, classes=10)
    assume(not found.fault)
    with torch.device("meta"):
        net = build(blocks, SHAPE, classes=10).eval()
        with FlopCounterMode(display=False) as counter:
            net(torch.empty(3, *SHAPE))
    assert counter.get_total_flops() == 3 * 2 * found.multiplications


@given(any_blocks)
def test_a_fault_is_found_exactly_where_torch_would_fail(blocks: list[Block]) -> None:
    found = walk(blocks, SHAPE, classes=10)
    if not found.fault:
        with torch.device("meta"):
            build(blocks, SHAPE, classes=10)(torch.empty(2, *SHAPE))
        return
    place = len(found.rows)
    assert found.fault.startswith(f"Layer {place + 1}, ")
    assert not walk(blocks[:place], SHAPE, classes=10).rows[place:-1]
    with pytest.raises(ValueError, match=f"Layer {place + 1}, "):
        build(blocks, SHAPE, classes=10)
    torch_layer: torch.nn.Module
    block = (*blocks, Dense(units=10))[place]
    shape = found.rows[-1].shape if found.rows else SHAPE
    if isinstance(block, Dense):
        assert len(shape) == 3
    elif isinstance(block, Convolution | Pooling) and len(shape) == 3:
        torch_layer = (
            torch.nn.Conv2d(shape[0], 1, block.size, block.stride, block.border, device="meta")
            if isinstance(block, Convolution)
            else torch.nn.MaxPool2d(block.size)
        )
        with pytest.raises(RuntimeError, match=r"[Kk]ernel size|[Oo]utput size"):
            torch_layer(torch.empty(1, *shape, device="meta"))
    else:
        assert len(shape) == 1


def test_the_arithmetic_of_a_window_that_does_not_fit_is_written_out() -> None:
    found = walk([Pooling(size=4), Pooling(size=4), Convolution(padding="none")], SHAPE, 10)
    assert found.fault.startswith("Layer 3, convolution 3×3, 16 filters: its window of 3×3")
    assert "⌊(1 − 3) / 1⌋ + 1 = -1" in found.fault


def test_a_missing_flatten_is_named_with_the_numbers_it_would_make() -> None:
    found = walk([Convolution(filters=4)], SHAPE, 10)
    assert "Layer 2, dense, 10 units (the last" in found.fault
    assert "4×28×28 = 3136" in found.fault


def test_the_written_arithmetic_is_true() -> None:
    found = walk([Convolution(filters=6, size=5, stride=2, padding="none")], SHAPE, 10)
    assert found.rows[0].how == "⌊(28 − 5) / 2⌋ + 1 = 12"
    assert found.rows[0].parameters_how == "(1·5·5 + 1) × 6"
    assert found.rows[0].parameters == (1 * 5 * 5 + 1) * 6


@pytest.mark.parametrize(
    ("blocks", "plan", "says"),
    [
        (
            [Convolution(filters=64), Flatten(), Dense(units=1024)],
            Plan(4000, 1, 32),
            f"at most {MOST_PARAMETERS:,} are allowed. Most are in layer 3, dense, 1024 units: "
            "(50176 + 1) × 1024 = 51,381,248",
        ),
        (
            [Convolution(filters=128, size=1), *[Activation()] * 4, Pooling(size=4), Flatten()],
            Plan(4000, 1, 512),
            "Training would hold about",
        ),
        (
            [Convolution(filters=64), Convolution(filters=64), Pooling(size=4), Flatten()],
            Plan(4000, 1, 128),
            "One batch would take about",
        ),
        (
            [Convolution(filters=32), Pooling(), Convolution(filters=32), Pooling(), Flatten()],
            Plan(60000, 50, 32),
            "50 epochs × 60,000",
        ),
    ],
)
def test_a_network_that_is_too_large_is_refused_with_the_arithmetic(
    blocks: list[Block], plan: Plan, says: str
) -> None:
    found = walk(blocks, SHAPE, 10)
    assert not found.fault
    assert says in excess(found, plan)


@given(networks, st.integers(1, 50), st.integers(32, 512))
def test_nothing_that_is_let_through_exceeds_a_limit(
    blocks: tuple[Block, ...], epochs: int, batch: int
) -> None:
    found = walk(blocks, SHAPE, 10)
    if not excess(found, Plan(60000, epochs, batch)):
        assert found.parameters <= MOST_PARAMETERS
        assert memory_of(found, batch) <= MOST_MEMORY
        assert found.multiplications * 60000 * epochs <= MOST_WORK


def test_the_memory_told_is_weights_optimiser_values_and_gradients() -> None:
    found = walk([Flatten()], SHAPE, 10)
    assert memory_of(found, 32) == 4 * (4 * 7850 + 2 * 32 * (784 + 10))


def test_an_even_kernel_is_refused_in_words() -> None:
    with pytest.raises(ValidationError, match="must be odd"):
        Convolution(size=4)


def test_the_blocks_schema_says_every_bound_that_a_control_needs() -> None:
    schema = TypeAdapter(Block).json_schema()
    for block in schema["$defs"].values():
        for name, each in block["properties"].items():
            assert name == "kind" or each["control"] in ("slider", "choice")
            if each.get("type") in ("integer", "number"):
                assert {"minimum", "maximum"} <= set(each)


def test_first_maps_are_those_after_the_first_activation() -> None:
    net = build([Norm(), Convolution(filters=3), Activation(), Flatten()], SHAPE, 10).eval()
    x = torch.randn(2, *SHAPE)
    found = first_maps(net, x)
    assert found is not None and torch.equal(found, net[2](net[1](net[0](x))))
    assert found.min() == 0
    assert first_maps(build([Flatten()], SHAPE, 10), x) is None


def test_shapes_and_limits_load_neither_torch_nor_numpy() -> None:
    code = "import sys, labs.nets.limits, labs.catalog.first_cnn.lab\n"
    code += "sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_numbers_are_all_that_the_layers_write() -> None:
    found = walk([Convolution(filters=2), Flatten()], SHAPE, 10)
    assert found.numbers == sum(prod(s) for s in [(2, 28, 28), (1568,), (10,)])
