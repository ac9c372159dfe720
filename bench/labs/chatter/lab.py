"""A lab for benchmarks: an event of about 3 kB, five times a second."""

from labs.lab import TRAINING, Lab, Slot
from labs.params import Params, slider


class Chatter(Params):
    seconds: int = slider(20, low=1, high=120, label="Seconds", unit="s")
    rate: int = slider(5, low=1, high=50, label="Events a second")


LAB = Lab(
    title="Chatter",
    summary="Says the time, at length.",
    section=18,
    lane=TRAINING,
    params=Chatter,
    panel=(Slot("said", "note", "Said"),),
    seconds=20,
    limit=180,
)
