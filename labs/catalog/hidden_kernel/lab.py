"""Hidden kernel: a network with one kernel looks for the one that made these maps."""

from __future__ import annotations

from typing import Literal

from labs import params
from labs.lab import INTERACTIVE, Claim, Lab, Slot
from labs.params import Picture, choice, picture, slider, switch

EVERY = 5  # steps between two looks at the student

KERNELS = {
    "random-3": "Random 3×3",
    "random-5": "Random 5×5",
    "sobel": "Sobel x",
    "emboss": "Emboss",
    "laplacian": "Laplacian",
    "blur": "Gaussian blur",
}


class Params(params.Params):
    hidden: Literal["random-3", "random-5", "sobel", "emboss", "laplacian", "blur"] = choice(
        "random-3",
        KERNELS,
        label="Hidden kernel",
        help="The teacher applies it. The student sees only pictures and their maps. A larger"
        " kernel needs a smaller learning rate.",
    )
    flip: bool = switch(
        False,
        label="The teacher flips its kernel",
        help="On: the teacher convolves as mathematics defines it. The student never flips.",
    )
    source: Literal["picture", "noise"] = choice(
        "picture",
        {"picture": "The picture", "noise": "Random pixels"},
        label="Learn from",
        help="Neighbouring pixels of a picture are alike. Those of noise are not.",
    )
    picture: Picture = picture("coffee", label="Picture")
    optimiser: Literal["sgd", "momentum", "adam"] = choice(
        "momentum",
        {"sgd": "SGD", "momentum": "SGD with momentum 0.9", "adam": "Adam"},
        label="Optimiser",
    )
    lr: float = slider(
        0.1,
        low=0.0001,
        high=10,
        step=0.0001,
        log=True,
        label="Learning rate",
        help="How far each step goes. Find the rate at which it explodes.",
    )
    steps: int = slider(200, low=20, high=400, step=20, label="Steps")
    batch: int = slider(
        32, low=1, high=128, label="Batch", unit="patches", help="Patches of 14×14 pixels a step."
    )
    noise: float = slider(
        0,
        low=0,
        high=1,
        step=0.05,
        label="Noise on the maps",
        help="As a share of the map's standard deviation: the teacher's answers get less exact.",
    )


LAB = Lab(
    title="Hidden kernel",
    summary="A teacher hides a kernel. Watch gradient descent find it from pictures alone.",
    section=5,
    lane=INTERACTIVE,
    params=Params,
    panel=(
        Slot("student", "matrix", "The student's kernel", rows=20),
        Slot("truth", "matrix", "The hidden kernel", rows=20),
        Slot("loss", "curves", "Loss", rows=30),
        Slot("cosine", "curves", "Likeness to the hidden kernel", rows=30),
        Slot("maps", "images", "The picture and its maps", wide=True, rows=30),
        Slot("verdict", "note", "What came out", wide=True, rows=10),
        Slot("result", "result", "In numbers", wide=True, rows=10),
    ),
    seconds=0.5,
    limit=60,
    too_long="Take fewer steps or a smaller batch.",
    claims=(
        Claim(
            name="finds-it",
            says="With the default settings the student's kernel ends with a cosine of at least "
            "0.999 to the hidden one.",
            figure="cosine",
            at_least=0.999,
        ),
    ),
)
