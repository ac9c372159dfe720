"""Make the built-in pictures from scikit-image's bundled data (a dev dependency).

    python tools/make_pictures.py

Writes labs/data/photos/<name>.jpg (512 px at the longest side, or less) and
static/pictures/<name>.jpg (96 px). Both are committed; run it again to change or add one.
"""

from __future__ import annotations

from pathlib import Path

import skimage.data
from PIL import Image

from labs.data.pictures import PICTURES

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    for photo in PICTURES.values():
        original = Image.fromarray(getattr(skimage.data, photo.name)())
        for path, side in ((photo.path, 512), (ROOT / "static" / photo.thumbnail, 96)):
            copy = original.copy()
            copy.thumbnail((side, side), Image.Resampling.LANCZOS)
            path.parent.mkdir(parents=True, exist_ok=True)
            copy.save(path, quality=90, optimize=True)
            print(f"{path.relative_to(ROOT)}  {copy.size}  {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
