"""A lab that works: numbered steps, with a pause each, and a checkpoint every few of them."""

from labs.lab import TRAINING, Lab, Slot
from labs.params import Params, picture, slider, switch


class Steps(Params):
    steps: int = slider(5, low=1, high=1_000, label="Steps")
    pause: float = slider(0, low=0, high=5, step=0.01, label="Pause", unit="s")
    save_every: int = slider(1, low=0, high=100, label="Save every")
    with_picture: bool = switch(False, label="With a picture")
    own: str = picture("coffee", label="Picture")


LAB = Lab(
    title="Steady",
    summary="Counts.",
    section=18,
    lane=TRAINING,
    params=Steps,
    panel=(Slot("count", "curves", "Count"), Slot("draws", "note", "Draws")),
    seconds=1,
    limit=60,
)
