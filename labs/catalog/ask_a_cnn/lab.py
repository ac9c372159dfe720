"""Ask a CNN: what a trained network sees on a picture, and which part of it made the answer."""

from __future__ import annotations

from labs import params
from labs.lab import INTERACTIVE, Lab, Slot
from labs.params import Picture, picture, slider

STAGES = (
    ("stem", "Stem"),
    *((f"stage-{n}", f"Stage {n}") for n in range(1, 8)),
    ("head", "Head"),
)


class Params(params.Params):
    picture: Picture = picture(
        "chelsea",
        label="Picture",
        help="One of ours or one of yours. Find one that the network gets wrong.",
    )
    grid: int = slider(
        7,
        low=7,
        high=14,
        label="Occlusion grid",
        unit="patches a side",
        help="More patches show more detail and take longer: 7 are 49 passes, 14 are 196.",
    )
    channels: int = slider(
        8,
        low=4,
        high=16,
        label="Feature maps",
        unit="a stage",
        help="How many of each stage's maps are shown.",
    )


LAB = Lab(
    title="Ask a CNN",
    summary="Show a picture to a network that knows 1,000 things, and find out what it looked at.",
    section=1,
    lane=INTERACTIVE,
    params=Params,
    panel=(
        Slot("seen", "images", "The picture as the network sees it", rows=34),
        Slot("answers", "bars", "Its five likeliest answers", rows=34),
        Slot("occlusion", "images", "What covering each patch costs", rows=34),
        Slot("lit", "images", "What the answer rests on", rows=34),
        *(Slot(name, "images", title, wide=True, rows=24) for name, title in STAGES),
        Slot("result", "result", "In numbers", wide=True, rows=10),
    ),
    seconds=1.5,
    limit=150,
    too_long="Take a smaller occlusion grid.",
    seeded=False,
)
