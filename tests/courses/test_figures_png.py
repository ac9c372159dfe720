"""The PNG writer, read back by Pillow."""

from __future__ import annotations

import io
from base64 import b64decode
from random import Random

import numpy as np
import pytest
from PIL import Image

from courses.figures.png import image, png

PALETTE = ("#440154", "#21918c", "#fde725")


def read(address: str) -> Image.Image:
    kind, _, packed = address.partition(",")
    assert kind == "data:image/png;base64"
    return Image.open(io.BytesIO(b64decode(packed)))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (28, 28), (64, 5), (3, 300)])
def test_a_grey_picture_comes_back_as_it_was(width: int, height: int) -> None:
    rows = [Random(row).randbytes(width) for row in range(height)]
    found = read(png(rows))
    assert found.mode == "L"
    np.testing.assert_array_equal(np.asarray(found), [list(row) for row in rows])


def test_a_byte_is_a_place_in_the_palette() -> None:
    found = read(png([bytes([0, 1]), bytes([2, 0])], PALETTE)).convert("RGB")
    shown = [[f"#{r:02x}{g:02x}{b:02x}" for r, g, b in row] for row in np.asarray(found, dtype=int)]
    assert shown == [[PALETTE[0], PALETTE[1]], [PALETTE[2], PALETTE[0]]]


@pytest.mark.parametrize("rows", [[], [b""], [b"ab", b"a"]])
def test_it_refuses_rows_that_make_no_rectangle(rows: list[bytes]) -> None:
    with pytest.raises(ValueError, match="one length"):
        png(rows)


def test_it_refuses_a_byte_without_a_colour() -> None:
    with pytest.raises(ValueError, match="among the 3 colours"):
        png([bytes([3])], PALETTE)


def test_the_image_has_no_inline_style() -> None:
    drawn = image(1, 2.5, 30, 40, png([b"\0"]))
    assert 'x="1" y="2.5" width="30" height="40"' in drawn
    assert "style" not in drawn
