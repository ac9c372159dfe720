"""The student's network as a file: weights by safetensors, and all it takes to use them as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import torch
from pydantic import TypeAdapter
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from labs.nets.blocks import Block
from labs.nets.build import build
from labs.nets.scale import Scale

_BLOCKS: TypeAdapter[tuple[Block, ...]] = TypeAdapter(tuple[Block, ...])


@dataclass(frozen=True, kw_only=True)
class Model:
    """A network and what belongs to it. Pictures are scaled as (grey / 255 − mean) / deviation."""

    net: nn.Sequential
    blocks: tuple[Block, ...]
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    scale: Scale
    dataset: str

    def described(self) -> dict[str, Any]:
        """All but the weights, as JSON has it."""
        return {
            "blocks": _BLOCKS.dump_python(self.blocks, mode="json"),
            "shape": list(self.shape),
            "classes": list(self.classes),
            "normalisation": asdict(self.scale),
            "dataset": self.dataset,
        }


def to_bytes(model: Model) -> bytes:
    """A safetensors file whose metadata describes the network under "convolab"."""
    state = {
        name: value.detach().cpu().contiguous() for name, value in model.net.state_dict().items()
    }
    # One key, because safetensors writes several in any order, and equal models make equal files.
    return save_tensors(state, {"convolab": json.dumps(model.described())})


def from_bytes(content: bytes) -> Model:
    """A model afresh, on the CPU, ready to answer."""
    state = load_tensors(content)
    length = int.from_bytes(content[:8], "little")
    about = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["convolab"])
    blocks, shape = _BLOCKS.validate_python(about["blocks"]), tuple(about["shape"])
    net = build(blocks, shape, len(about["classes"]))
    net.load_state_dict(state)
    return Model(
        net=net.eval(),
        blocks=blocks,
        shape=shape,
        classes=tuple(about["classes"]),
        scale=Scale(**about["normalisation"]),
        dataset=about["dataset"],
    )


def arrays_to_bytes(**arrays: Tensor) -> bytes:
    return save_tensors({name: array.contiguous() for name, array in arrays.items()})


def arrays_from_bytes(content: bytes) -> dict[str, Tensor]:
    return load_tensors(content)


def same(first: Tensor, second: Tensor) -> bool:
    """Equal to the last bit; what is not a number on both sides counts as equal."""
    return torch.allclose(first, second, rtol=0, atol=0, equal_nan=True)
