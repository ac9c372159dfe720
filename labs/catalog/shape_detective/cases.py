"""The ten cases: a model with one fault, what its author believed, and what mends it. No torch.

The tests run each in PyTorch: it fails as told here, and its mend runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labs.catalog.shape_detective.layers import (
    BATCH,
    POOL,
    RELU,
    RESHAPE,
    SOFTMAX,
    Layer,
    Shape,
    blocks,
    conv,
    dense,
    flatten,
)

GREY: Shape = (BATCH, 1, 28, 28)
COLOUR_LAST: Shape = (BATCH, 28, 28, 3)
GREY_TITLE = "ten grey digits, each 1×28×28"


@dataclass(frozen=True, kw_only=True)
class Case:
    """`believed` has the author's shape of each layer, between bars.

    `mend` is the change that the case is about: layer, change, value. `why` is told once the layer
    is found; `also` are sentences about layers that one could suspect with reason. `silent` names
    the fault (labs/catalog/shape_detective/faults.py) where PyTorch raises nothing.
    """

    title: str
    story: str
    layers: tuple[Layer, ...]
    believed: str
    mend: tuple[int, str, int]
    why: str
    lines: tuple[str, ...] = ()
    also: Mapping[int, str] = field(default_factory=dict)
    silent: str = ""
    shape: Shape = GREY

    @property
    def beliefs(self) -> tuple[str, ...]:
        return tuple(shape.strip() for shape in self.believed.split("|"))

    @property
    def culprit(self) -> int:
        return self.mend[0]

    @property
    def pictures(self) -> str:
        grey = self.shape == GREY
        return GREY_TITLE if grey else "ten coloured digits, each 28×28×3, the channels last"


CASES: dict[int, Case] = {
    1: Case(
        title="Seven or five",
        story="Two 3×3 convolutions, and after each a pooling that halves. The author counted 28, "
        "14, 7, and told the first dense layer to expect 64·7·7 = 3,136 numbers.",
        layers=(
            *blocks(conv(1, 32, 3), conv(32, 64, 3)),
            flatten(),
            dense(3136, 128),
            RELU,
            dense(128, 10),
        ),
        believed="32×28×28 | 32×28×28 | 32×14×14 | 64×14×14 | 64×14×14 | 64×7×7"
        " | 3,136 | 128 | 128 | 10",
        mend=(8, "in", 1600),
        why="Without padding a 3×3 kernel loses one pixel at each edge, so 64·5·5 = 1,600 numbers "
        "come here. The author counted as if both convolutions had padding 1, which is “same” for "
        "a 3×3 kernel: then 3,136 would be right. Give this layer 1,600, or give the two "
        "convolutions padding 1. Do one of the two.",
        lines=(
            "no padding: 28 → 26 → 13 → 11 → 5, and 64·5·5 = 1,600",
            "padding 1:  28 → 28 → 14 → 14 → 7, and 64·7·7 = 3,136",
        ),
    ),
    2: Case(
        title="The forgotten edit",
        story="It ran yesterday, with 16 filters in the first layer. Today the author made it 32.",
        layers=(*blocks(conv(1, 32, 3, 1), conv(16, 32, 3, 1)), flatten(), dense(1568, 10)),
        believed="32×28×28 | 32×28×28 | 32×14×14 | 32×14×14 | 32×14×14 | 32×7×7 | 1,568 | 10",
        mend=(4, "in", 32),
        why="Each filter of a convolution has a slice for every channel that comes. 32 channels "
        "come, and this layer has slices for 16. in_channels must equal the out_channels of the "
        "convolution before it; pooling and ReLU leave the number of channels as it is.",
        also={
            1: "Layer 1 was edited today, yet by itself it is sound: it makes the 32 maps that "
            "the author wants. Putting its 16 filters back would run too, and undo the edit. Who "
            "still counts on 16?"
        },
    ),
    3: Case(
        title="From maps to a row",
        story="The author has counted well: 32·7·7 = 1,568 is right. PyTorch refuses all the same.",
        layers=(*blocks(conv(1, 16, 3, 1), conv(16, 32, 3, 1)), dense(1568, 10)),
        believed="16×28×28 | 16×28×28 | 16×14×14 | 32×14×14 | 32×14×14 | 32×7×7 | 10",
        mend=(7, "flatten", 0),
        why="A dense layer weighs the last side of what comes, and of maps that is their width: 7. "
        "PyTorch counts all that lies before it as rows, so it speaks of 2,240 rows of 7. The maps "
        "must first become one row for each picture; a Flatten before this layer does that.",
        lines=("rows: 10·32·7 = 2,240, each of 7 numbers", "flattened: 10 rows of 32·7·7 = 1,568"),
    ),
    4: Case(
        title="Half of seven",
        story="Three poolings halve 28 three times: 14, 7, and half of 7. The author rounded up.",
        layers=(
            *blocks(conv(1, 16, 3, 1), conv(16, 32, 3, 1)),
            conv(32, 64, 3, 1),
            RELU,
            POOL,
            flatten(),
            dense(1024, 10),
        ),
        believed="16×28×28 | 16×28×28 | 16×14×14 | 32×14×14 | 32×14×14 | 32×7×7"
        " | 64×7×7 | 64×7×7 | 64×4×4 | 1,024 | 10",
        mend=(11, "in", 576),
        why="A pooling window of 2×2 fits three times along 7, and the last row and column are "
        "left out: sizes are rounded down. So 64·3·3 = 576 numbers come here, not 64·4·4 = 1,024.",
        lines=("⌊(7 + 2·0 − 2) / 2⌋ + 1 = ⌊2.5⌋ + 1 = 3", "64·3·3 = 576"),
        also={
            9: "Close. Here the author's count goes wrong: half of 7 is 3, for a pooling rounds "
            "down. The pooling does what its settings say. Which layer was given the wrong number? "
            "(Padding 1 here would make it 4, and mend the model another way.)"
        },
    ),
    5: Case(
        title="A window too wide",
        story="Copied from a network for pictures of 32×32, where 5×5 kernels take the maps from "
        "32 to 28, 14, 10, 5 and, at the last convolution, 1. These pictures are 28×28.",
        layers=(
            *blocks(conv(1, 16, 5), conv(16, 32, 5)),
            conv(32, 64, 5),
            RELU,
            flatten(),
            dense(64, 10),
        ),
        believed="16×28×28 | 16×28×28 | 16×14×14 | 32×10×10 | 32×10×10 | 32×5×5"
        " | 64×1×1 | 64×1×1 | 64 | 10",
        mend=(7, "kernel", 4),
        why="The maps that come are 4×4, and a window of 5×5 fits on them nowhere: the map would "
        "have a side of 0. A kernel of 4×4 makes the 1×1 that the author wants.",
        lines=("from 32: 32 → 28 → 14 → 10 → 5 → 1", "from 28: 28 → 24 → 12 → 8 → 4 → 0"),
        also={
            1: "Layer 1 does what it says: from 28 it makes 24. Yet here the count parts from the "
            "author's, for LeNet-5, which this copies (LeCun et al., 1998), begins at 32. Padding "
            "2 here would make up for it, and mend the model another way. Where does PyTorch stop?"
        },
    ),
    6: Case(
        title="Ten pictures, one row",
        story="All sizes are right: 16·4·4 = 256. But PyTorch speaks of 2,560, and of one row.",
        layers=(*blocks(conv(1, 8, 5), conv(8, 16, 5)), flatten(0), dense(256, 10)),
        believed="8×24×24 | 8×24×24 | 8×12×12 | 16×8×8 | 16×8×8 | 16×4×4 | 256 | 10",
        mend=(7, "start", 1),
        why="The first axis counts the pictures. start_dim 0 flattens that axis too, and ten "
        "pictures of 256 numbers become one row of 2,560. start_dim 1 leaves it: ten rows of 256.",
        lines=("start_dim 0: 10·16·4·4 = 2,560, one row", "start_dim 1: 16·4·4 = 256, ten rows"),
        also={
            8: "PyTorch stops at layer 8, yet this layer is sound: 256 numbers a picture is right. "
            "in_features 2,560 would get past it, and make one answer for ten pictures. Who made "
            "one row of ten?"
        },
    ),
    7: Case(
        title="The missing drawer",
        story="The digits go from 0 to 9, so the author gave the last layer 9 outputs. All the "
        "shapes fit. It ran on batches without one of the digits.",
        layers=(
            *blocks(conv(1, 16, 3, 1), conv(16, 32, 3, 1)),
            flatten(),
            dense(1568, 64),
            RELU,
            dense(64, 9),
        ),
        believed="16×28×28 | 16×28×28 | 16×14×14 | 32×14×14 | 32×14×14 | 32×7×7"
        " | 1,568 | 64 | 64 | 9",
        mend=(10, "out", 10),
        why="From 0 to 9 there are ten classes. Nine outputs have the numbers 0 to 8, so the label "
        "9 finds no output, and the loss stops. No layer does: nine numbers are a fine shape.",
        lines=("classes 0, 1, …, 9: 9 − 0 + 1 = 10",),
    ),
    8: Case(
        title="Two layers, one matrix",
        story="It runs and it learns. The author has put in a dense layer of 64 units, with "
        "100,416 parameters, and cannot see that it does anything.",
        layers=(
            *blocks(conv(1, 16, 3, 1), conv(16, 32, 3, 1)),
            flatten(),
            dense(1568, 64),
            dense(64, 10),
        ),
        believed="16×28×28 | 16×28×28 | 16×14×14 | 32×14×14 | 32×14×14 | 32×7×7 | 1,568 | 64 | 10",
        mend=(8, "relu", 0),
        why="Nothing stands between this dense layer and the next, and two matrices in a row are "
        "one matrix: W₂(W₁x + b₁) + b₂ = (W₂W₁)x + (W₂b₁ + b₂). A ReLU after this layer breaks "
        "that up.",
        lines=(
            "with 8 and 9: 1,568·64 + 64 + 64·10 + 10 = 101,066",
            "one layer: 1,568·10 + 10 = 15,690",
        ),
        also={
            9: "Half of it: layer 9 is one of the two, and what is wrong lies between it and the "
            "layer before. Suspect that one, and put something after it."
        },
        silent="linear",
    ),
    9: Case(
        title="Never quite sure",
        story="The author wants probabilities, and a loss of cross-entropy. It trains, but the "
        "loss never falls below 1.46, not even on pictures that it reads without a mistake.",
        layers=(*blocks(conv(1, 8, 3, 1), conv(8, 16, 3, 1)), flatten(), dense(784, 10), SOFTMAX),
        believed="8×28×28 | 8×28×28 | 8×14×14 | 16×14×14 | 16×14×14 | 16×7×7 | 784 | 10 | 10",
        mend=(9, "remove", 0),
        why="PyTorch's cross-entropy takes logits, and does the softmax itself. After this layer "
        "it takes a second softmax, of numbers between 0 and 1. Take the layer out, and ask for "
        "probabilities only when you show them.",
        silent="softmax",
    ),
    10: Case(
        title="The right shape, the wrong picture",
        story="Coloured digits come with their channels last, as 28×28×3. PyTorch wants 3×28×28, "
        "and the author has brought them to that shape. It trains, and stays poor.",
        layers=(
            RESHAPE,
            *blocks(conv(3, 16, 3, 1), conv(16, 32, 3, 1)),
            flatten(),
            dense(1568, 10),
        ),
        believed="3×28×28 | 16×28×28 | 16×28×28 | 16×14×14 | 32×14×14 | 32×14×14 | 32×7×7"
        " | 1,568 | 10",
        mend=(1, "permute", 0),
        why="reshape counts the numbers off in the order in which they lie, red, green, blue, "
        "red, green, blue, and fills the first channel with the top third of the picture in all "
        "colours. permute moves the axis, and each number stays with its pixel.",
        lines=("numbers in a channel: 28·28 = 784", "rows of the picture: 784 / (28·3) = 9.33"),
        silent="picture",
        shape=COLOUR_LAST,
    ),
}
