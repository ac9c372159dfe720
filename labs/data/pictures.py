"""The built-in pictures. The web process reads this list, so numpy and Pillow wait for a worker.

Made by tools/make_pictures.py; sources and licences are in photos/NOTICE.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PHOTOS = Path(__file__).parent / "photos"


@dataclass(frozen=True, slots=True)
class Photo:
    """A built-in picture: `alt` says what is on it, for whoever does not see it."""

    name: str
    title: str
    alt: str
    credit: str

    @property
    def path(self) -> Path:
        return PHOTOS / f"{self.name}.jpg"

    @property
    def thumbnail(self) -> str:
        """Its small version, as a path below the static files: 96 px at the longest side."""
        return f"pictures/{self.name}.jpg"


PICTURES: dict[str, Photo] = {
    photo.name: photo
    for photo in (
        Photo(
            "chelsea",
            "Chelsea the cat",
            "The face of a tabby cat, from the front",
            "Stéfan van der Walt, CC0",
        ),
        Photo(
            "coffee",
            "A cup of coffee",
            "A white cup of espresso on a saucer with a spoon, on a wooden table",
            "Rachel Michetti, Pikolo Espresso Bar, CC0",
        ),
        Photo(
            "astronaut",
            "An astronaut",
            "Eileen Collins in an orange space suit, in front of a flag and a model of a shuttle",
            "NASA, public domain",
        ),
        Photo(
            "rocket",
            "A rocket at night",
            "A rocket takes off at night, its flame lights the launch tower",
            "SpaceX, public domain",
        ),
        Photo(
            "camera",
            "A photographer",
            "A man in a dark coat looks through a camera on a tripod, in grey",
            "Lav Varshney, CC0",
        ),
        Photo(
            "coins",
            "Greek coins",
            "Four rows of old coins on a dark, uneven ground, in grey",
            "Brooklyn Museum, no known copyright restrictions",
        ),
        Photo(
            "retina",
            "A retina",
            "The back of an eye: branching vessels on an orange disc",
            "Mikael Häggström, CC0",
        ),
        Photo(
            "brick",
            "A brick wall",
            "A wall of bricks with pale joints, in grey",
            "CC0Textures, CC0",
        ),
    )
}


def load(picture: str | Path) -> Any:
    """A built-in picture by its name, or our own clean file by its path: uint8 (H, W, 3).

    Raises KeyError for a name not listed. Never give it the path of an upload (labs/data/decode).
    """
    return _read(picture) if isinstance(picture, Path) else _read_once(PICTURES[picture].path)


def _read(path: Path) -> Any:
    import numpy as np
    from PIL import Image

    with Image.open(path, formats=("JPEG", "PNG")) as image:
        return np.asarray(image.convert("RGB"))  # read-only: a cached one is nobody's to change


_read_once = cache(_read)
"""For the few built-in pictures, which every run of a live lab asks for again."""


def shrink(rgb: Any, longest: int) -> Any:
    """The picture (H, W, 3) with its longest side at most `longest`; never enlarged."""
    import numpy as np
    from PIL import Image

    height, width = rgb.shape[:2]
    if max(height, width) <= longest:
        return rgb
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))
