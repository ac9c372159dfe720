from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labs.nets.checkpoint import pack, unpack

DTYPES = (torch.float32, torch.bfloat16, torch.int64, torch.uint8, torch.bool)


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    values = torch.randn(shape, generator=torch.Generator().manual_seed(draw(st.integers(0, 99))))
    tensor = (values * 100).to(draw(st.sampled_from(DTYPES)))
    return tensor.to(memory_format=torch.channels_last) if len(shape) == 4 else tensor


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | tensors()
states = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


def order(tensor: torch.Tensor) -> bool:
    """Whether the values lie row by row; an empty tensor has no order."""
    return tensor.numel() == 0 or tensor.is_contiguous()


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return (a.shape, a.dtype, order(a)) == (b.shape, b.dtype, order(b)) and torch.equal(a, b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or a != a  # NaN is not equal to itself


@given(states)
def test_what_is_packed_comes_back_as_it_was(state: Any) -> None:
    assert same(unpack(pack(state)), state)


def test_tensors_that_share_memory_come_back_apart() -> None:
    weights = torch.arange(6.0)
    back = unpack(pack({"a": weights, "b": weights[:3], "c": weights.view(2, 3).T}))
    back["a"].zero_()
    assert back["b"].tolist() == [0, 1, 2]
    assert torch.equal(back["c"], weights.view(2, 3).T)


def test_an_optimiser_goes_on_from_its_packed_state_exactly() -> None:
    def step(model: torch.nn.Module, optimiser: torch.optim.Optimizer) -> None:
        optimiser.zero_grad()
        model(torch.ones(2, 3, 8, 8)).square().mean().backward()
        optimiser.step()

    torch.manual_seed(0)
    first = torch.nn.Conv2d(3, 4, 3)
    first.weight.data = first.weight.data.contiguous(memory_format=torch.channels_last)
    adam = torch.optim.AdamW(first.parameters(), fused=True)
    step(first, adam)
    state = unpack(pack({"model": first.state_dict(), "optimiser": adam.state_dict()}))
    second = torch.nn.Conv2d(3, 4, 3)
    second.weight.data = second.weight.data.contiguous(memory_format=torch.channels_last)
    second.load_state_dict(state["model"])
    other = torch.optim.AdamW(second.parameters(), fused=True)
    other.load_state_dict(state["optimiser"])
    step(first, adam)
    step(second, other)
    assert torch.equal(first.weight, second.weight)


@pytest.mark.parametrize("value", [object(), {1.5: 2}, {"a": {3}}, b"bytes", {"a": 1j}])
def test_it_refuses_what_json_and_safetensors_cannot_hold(value: Any) -> None:
    with pytest.raises(TypeError, match="checkpoint"):
        pack(value)


@pytest.mark.parametrize("content", [b"", b"{}", b"\x80\x04K\x01.", pack({"a": 1})[:-3], b"x" * 99])
def test_it_refuses_bytes_that_are_not_a_checkpoint(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a checkpoint"):
        unpack(content)
