"""torchvision, also where its compiled part does not fit this torch.

A processor-only torch beside a torchvision that was built for CUDA fails at import with "operator
torchvision::nms does not exist": the package describes two operators that only its compiled
library defines, and that library asks for CUDA. Naming the two operators first lets the import
pass. Its models, transforms and datasets then work; its own operators (ops.nms, roi_align), the
detection models and torchvision.io do not. The course writes its own.

Import it from here only: `from labs.nets.torchvision_shim import torchvision`.
"""

from __future__ import annotations

import sys

import torch

_definitions: list[torch.library.Library] = []
"""Kept alive: the operators vanish with the object that defined them."""


def _name_the_operators() -> None:
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _definitions.append(library)


try:
    import torchvision
except RuntimeError:
    for module in [m for m in sys.modules if m.split(".")[0] == "torchvision"]:
        del sys.modules[module]
    _name_the_operators()
    import torchvision

import torchvision.datasets  # noqa: E402

__all__ = ["torchvision"]
