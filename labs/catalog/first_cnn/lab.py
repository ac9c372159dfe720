"""First CNN: build a network from blocks, train it on digits, then let it read your own."""

from __future__ import annotations

from typing import Literal

from pydantic import ValidationInfo, field_validator

from labs import params
from labs.catalog.first_cnn.preview import DEFAULT, SHAPE, preview
from labs.data import registry
from labs.lab import TRAINING, Claim, Lab, Slot
from labs.nets.blocks import MOST_BLOCKS, Block
from labs.nets.limits import Plan, excess
from labs.nets.shapes import walk
from labs.params import blocks, choice, drawing, refuse, slider, switch


class Params(params.Params):
    dataset: Literal["digits", "mnist", "fashion-mnist"] = choice(
        "digits",
        {"digits": "5,000 digits", "mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"},
        label="Pictures",
        help="What the network learns from. The larger two are here if your site has brought them.",
        datasets=True,
    )
    epochs: int = slider(
        12, low=1, high=50, label="Epochs", help="How often it sees each training picture."
    )
    batch: int = slider(
        64,
        low=32,
        high=512,
        step=32,
        label="Batch size",
        unit="pictures",
        help="How many pictures it looks at before each change of its weights.",
    )
    rate: float = slider(
        0.005,
        low=0.00001,
        high=1,
        step=0.00001,
        log=True,
        label="Learning rate, at its peak",
        help="How far each change goes.",
    )
    schedule: Literal["one-cycle", "constant"] = choice(
        "one-cycle",
        {"one-cycle": "One cycle: up, then down", "constant": "Constant"},
        label="Schedule",
        help="How the learning rate moves while the network learns.",
    )
    shifts: bool = switch(
        True,
        label="Shift the pictures",
        help="Each time, a picture is moved by up to 2 pixels, as if there were more of them.",
    )
    blocks: tuple[Block, ...] = blocks(
        DEFAULT,
        high=MOST_BLOCKS,
        label="Network",
        help="From the picture to the answer. A last dense layer with ten units is added.",
    )

    @field_validator("dataset")
    @classmethod
    def _is_here(cls, dataset: str) -> str:
        if not registry.is_available(dataset):
            raise refuse(registry.how_to_bring(dataset))
        return dataset

    @field_validator("blocks")
    @classmethod
    def _can_be_trained(cls, chosen: tuple[Block, ...], info: ValidationInfo) -> tuple[Block, ...]:
        about = registry.REGISTRY[info.data.get("dataset", "digits")]
        found = walk(chosen, SHAPE, len(about.classes))
        plan = Plan(about.train, info.data.get("epochs", 1), info.data.get("batch", 32))
        if problem := found.fault or excess(found, plan):
            raise refuse(problem)
        return chosen


class Drawing(params.Params):
    """Draw a digit for your network."""

    drawing: tuple[int, ...] = drawing(
        label="Your digit", help="It is moved and sized as the training digits were."
    )


class Cell(params.Params):
    """The pictures behind one cell of the confusion matrix."""

    row: int = slider(0, low=0, high=9, label="True class")
    column: int = slider(0, low=0, high=9, label="Predicted class")


LAB = Lab(
    title="First CNN",
    summary="Build a network from blocks, watch it learn digits, then let it read your own.",
    section=7,
    lane=TRAINING,
    params=Params,
    panel=(
        Slot("loss", "curves", "Loss", rows=30),
        Slot("accuracy", "curves", "Accuracy", rows=30),
        Slot("kernels", "images", "Kernels of the first layer", wide=True, rows=16),
        Slot("maps", "images", "What the first layer makes of four test pictures", True, 40),
        Slot("confusion", "matrix", "What is taken for what", wide=True, rows=44),
        Slot("errors", "images", "Wrong, and most sure of it", wide=True, rows=20),
        Slot("result", "result", "In numbers", wide=True, rows=12),
    ),
    seconds=6,
    limit=900,
    too_long="Take fewer epochs, a smaller network or fewer pictures.",
    claims=(
        Claim(
            name="digits-97",
            says="The default reaches 97 % on the test of the 5,000 digits in 19 of 20 seeds.",
            figure="test_accuracy",
            at_least=0.97,
            dataset="digits",
        ),
        Claim(
            name="mnist-98",
            says="The same network reaches 98 % on the test of MNIST after one epoch.",
            figure="test_accuracy",
            at_least=0.98,
            params={"dataset": "mnist", "epochs": 1},
            dataset="mnist",
        ),
    ),
    follow_ups={"draw": Drawing, "cell": Cell},
    answers={
        "draw": (
            Slot("reading", "bars", "What the network reads", rows=26),
            Slot("seen", "images", "What it sees", rows=16),
            Slot("drawn-maps", "images", "What its first layer makes of it", wide=True, rows=16),
        ),
        "cell": (Slot("cell", "images", "The pictures of this cell", wide=True, rows=20),),
    },
    preview=preview,
    dataset=lambda chosen: str(chosen.dataset),
    tiny={
        "epochs": 1,
        "batch": 256,
        "blocks": [
            {"kind": "convolution", "filters": 4, "size": 5, "stride": 2},
            {"kind": "activation"},
            {"kind": "pooling"},
            {"kind": "flatten"},
        ],
    },
)
