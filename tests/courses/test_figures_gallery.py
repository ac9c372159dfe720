"""The gallery of lecture 5.7, held against Pillow and torch."""

from __future__ import annotations

import io
import re
from base64 import b64decode

import numpy as np
import pytest
import torch
from PIL import Image

from courses.figures import gallery
from courses.figures.gallery import KERNELS, Choice
from courses.figures.scales import VIRIDIS, scale
from labs.catalog.kernel_forge.lab import PRESETS
from labs.data.pictures import PICTURES

NAMES = list(KERNELS)
LAB = {"box": "Box blur", "gaussian": "Gaussian blur"}


def pictures_in(svg: str) -> list[Image.Image]:
    found = re.findall(r'href="data:image/png;base64,([^"]+)"', svg)
    return [Image.open(io.BytesIO(b64decode(data))) for data in found]


def test_the_stored_cup_is_what_the_named_command_makes() -> None:
    with Image.open(PICTURES["coffee"].path) as photo:
        cut = photo.convert("L").crop((140, 0, 452, 312))
    wanted = np.asarray(cut.resize((72, 72), Image.Resampling.LANCZOS)).astype(int)
    stored = np.array([list(row) for row in gallery.cup()])
    assert np.abs(stored - wanted).max() <= 1  # another JPEG decoder may round otherwise


@pytest.mark.parametrize("name", NAMES)
def test_a_map_is_torchs_convolution(name: str) -> None:
    known = KERNELS[name]
    x = torch.tensor([list(row) for row in gallery.cup()]).double()
    w = torch.tensor(known.rows).double() / known.divisor
    wanted = torch.nn.functional.conv2d(x[None, None], w[None, None])[0, 0]
    made = torch.tensor(gallery.made(name)).double()
    torch.testing.assert_close(made, wanted)
    assert gallery.ends(name) == pytest.approx((wanted.min().item(), wanted.max().item()))


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_is_the_one_that_the_lab_has_under_the_same_name(name: str) -> None:
    known = KERNELS[name]
    preset = np.array(PRESETS[LAB.get(name, known.title)])
    np.testing.assert_allclose(np.array(known.rows) / known.divisor, preset, atol=1e-5)
    assert known.total == pytest.approx(preset.sum(), abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_of_a_map_has_its_values_as_colours(name: str) -> None:
    made = np.array(gallery.made(name))
    levels = (255 * (made - made.min()) / (made.max() - made.min())).round().astype(int)
    palette = np.array([list(bytes.fromhex(colour[1:])) for colour in VIRIDIS])
    svg = gallery.kernel_gallery(Choice.model_validate({"kernel": name})).svg
    cup, shown, _ramp = pictures_in(svg)
    assert (np.asarray(cup) == [list(row) for row in gallery.cup()]).all()
    assert (np.abs(np.asarray(shown.convert("RGB")).astype(int) - palette[levels]) <= 3).all()


def test_shown_as_a_picture_a_map_is_cut_to_grey_values() -> None:
    chosen = Choice(kernel="sharpen", shown="picture")
    _cup, shown, _ramp = pictures_in(gallery.kernel_gallery(chosen).svg)
    wanted = np.array(gallery.made("sharpen")).clip(0, 255)
    assert np.abs(np.asarray(shown).astype(float) - wanted).max() <= 0.5


def test_viridis_ends_where_it_should() -> None:
    assert (len(VIRIDIS), VIRIDIS[0], VIRIDIS[-1]) == (256, "#440154", "#fde725")


def test_a_scale_names_its_ends_and_a_zero_that_has_room() -> None:
    assert re.findall(r">([^<>]+)</text>", scale(0, 0, 180, -100, 100)) == ["−100", "100", "0"]
    assert re.findall(r">([^<>]+)</text>", scale(0, 0, 180, 8, 240)) == ["8", "240"]
