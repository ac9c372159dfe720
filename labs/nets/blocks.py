"""The blocks a student builds a network from: what each is, and what it may be. No torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from labs.params import choice, refuse, slider

MOST_BLOCKS = 19
"""Twenty layers with the last dense one, which is added."""


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Convolution(_Block):
    """Slides its kernels over the maps and makes one map a kernel."""

    model_config = ConfigDict(title="Convolution")

    kind: Literal["convolution"] = "convolution"
    filters: int = slider(16, low=1, high=256, label="Filters")
    size: int = slider(3, low=1, high=7, step=2, label="Kernel size", unit="pixels")
    stride: int = slider(1, low=1, high=4, label="Stride", unit="pixels")
    padding: Literal["none", "same"] = choice(
        "same", {"none": "None", "same": "Same"}, label="Padding"
    )

    @field_validator("size")
    @classmethod
    def _has_a_middle(cls, size: int) -> int:
        if size % 2 == 0:
            raise refuse("A kernel's size must be odd (1, 3, 5 or 7), so that it has a middle.")
        return size

    @property
    def border(self) -> int:
        """Pixels of padding on each side."""
        return (self.size - 1) // 2 if self.padding == "same" else 0


class Activation(_Block):
    """Bends each number, so that layers on layers can do more than one alone."""

    model_config = ConfigDict(title="Activation")

    kind: Literal["activation"] = "activation"
    function: Literal["relu", "leaky", "tanh", "sigmoid"] = choice(
        "relu",
        {"relu": "ReLU", "leaky": "Leaky ReLU", "tanh": "tanh", "sigmoid": "Sigmoid"},
        label="Function",
    )


class Pooling(_Block):
    """Makes one number of each window; the windows do not overlap."""

    model_config = ConfigDict(title="Pooling")

    kind: Literal["pooling"] = "pooling"
    takes: Literal["max", "average"] = choice(
        "max", {"max": "The largest", "average": "The average"}, label="Takes"
    )
    size: int = slider(2, low=2, high=4, label="Window", unit="pixels")


class Flatten(_Block):
    """Lays the maps out as one row of numbers, for dense layers."""

    model_config = ConfigDict(title="Flatten")

    kind: Literal["flatten"] = "flatten"


class Dense(_Block):
    """Each unit weighs all the numbers before it."""

    model_config = ConfigDict(title="Dense")

    kind: Literal["dense"] = "dense"
    units: int = slider(64, low=1, high=1024, label="Units")


class Dropout(_Block):
    """Sets a share of the numbers to zero while the network learns, others each time."""

    model_config = ConfigDict(title="Dropout")

    kind: Literal["dropout"] = "dropout"
    rate: float = slider(0.25, low=0, high=0.9, step=0.05, label="Share set to zero")


class Norm(_Block):
    """Batch norm: brings each map to mean 0 and spread 1 over the batch, then scales and shifts."""

    model_config = ConfigDict(title="Norm")

    kind: Literal["norm"] = "norm"


Block = Annotated[
    Convolution | Activation | Pooling | Flatten | Dense | Dropout | Norm,
    Field(discriminator="kind"),
]
