"""A lab that misbehaves in the way that its params say."""

from typing import Literal

from labs.lab import TRAINING, Lab, Slot
from labs.params import Params, choice, slider

Ways = Literal["raise", "refuse", "kill", "segfault", "sleep", "deaf", "memory", "flood"]
WAYS = ["raise", "refuse", "kill", "segfault", "sleep", "deaf", "memory", "flood"]


class Misdeed(Params):
    way: Ways = choice("raise", WAYS, label="Way")
    salt: int = slider(0, low=0, high=100_000, label="Salt")


LAB = Lab(
    title="Unruly",
    summary="Misbehaves.",
    section=18,
    lane=TRAINING,
    params=Misdeed,
    panel=(Slot("said", "note", "Said"),),
    seconds=1,
    limit=4,
)
