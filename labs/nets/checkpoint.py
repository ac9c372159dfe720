"""A run's state as bytes and back: tensors by safetensors, the rest as JSON in its header.

No pickle: reading a checkpoint can build tensors, numbers, strings and containers, nothing else.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

_PLAIN = (str, int, float, bool, type(None))


def pack(state: Any) -> bytes:
    """Nested dicts (keys: str or int), lists and tuples of tensors, numbers, strings, None → bytes.

    Tensors come back on the CPU, in the same memory order (contiguous or channels_last): a fused
    optimiser asks that its state lies in memory as the weights do. Raises TypeError on other types.
    """
    tensors: dict[str, torch.Tensor] = {}
    tree = _encode(state, tensors)
    return save_tensors(tensors, {"state": json.dumps(tree)})


def unpack(content: bytes) -> Any:
    """What `pack` was given. Raises ValueError where the bytes are not a checkpoint."""
    try:
        tensors = load_tensors(content)
        length = int.from_bytes(content[:8], "little")
        tree = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["state"])
        return _decode(tree, tensors)
    except (SafetensorError, KeyError, TypeError, ValueError) as fault:
        raise ValueError(f"These bytes are not a checkpoint: {fault}") from fault


def _encode(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, torch.Tensor):
        return _encode_tensor(value, tensors)
    if type(value) in (list, tuple):
        return {type(value).__name__: [_encode(item, tensors) for item in value]}
    if isinstance(value, dict):
        if any(type(key) not in (str, int) for key in value):
            raise TypeError("A checkpoint's dict has keys of type str or int only")
        return {"dict": [[key, _encode(item, tensors)] for key, item in value.items()]}
    raise TypeError(f"A checkpoint cannot hold a {type(value).__name__}")


def _encode_tensor(value: torch.Tensor, tensors: dict[str, torch.Tensor]) -> dict[str, Any]:
    name = str(len(tensors))
    last = value.dim() == 4 and value.is_contiguous(memory_format=torch.channels_last)
    # A copy each, because safetensors refuses tensors that share memory.
    tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
    return {"tensor": name, "channels_last": last and not value.is_contiguous()}


def _decode(node: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if not isinstance(node, dict):
        return node
    if "tensor" in node:
        order = torch.channels_last if node["channels_last"] else torch.contiguous_format
        return tensors[node["tensor"]].contiguous(memory_format=order)
    if "dict" in node:
        return {key: _decode(item, tensors) for key, item in node["dict"]}
    kind = tuple if "tuple" in node else list
    return kind(_decode(item, tensors) for item in node[kind.__name__])
