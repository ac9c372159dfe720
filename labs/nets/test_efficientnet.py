"""The ImageNet network: its weights are the right ones, and folding changes nothing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from labs.data import pictures
from labs.nets import efficientnet


def see(name: str) -> torch.Tensor:
    return efficientnet.normalise(efficientnet.squeeze(pictures.load(name)))


@torch.inference_mode()
def first_answer(name: str) -> str:
    return efficientnet.class_names()[efficientnet.load()(see(name)).argmax()]


@pytest.mark.parametrize(
    ("name", "answer"),
    [("chelsea", "Egyptian cat"), ("coffee", "espresso"), ("camera", "tripod")],
)
def test_it_knows_what_is_on_the_pictures(name: str, answer: str) -> None:
    assert first_answer(name) == answer


@torch.inference_mode()
def test_folding_the_batch_norms_leaves_the_answers_as_they_were() -> None:
    x = torch.cat([see("chelsea"), see("rocket")])
    torch.testing.assert_close(
        efficientnet.load()(x), efficientnet.published()(x), atol=2e-3, rtol=1e-3
    )


@torch.inference_mode()
def test_the_stages_have_the_shapes_of_the_paper() -> None:
    shapes = [tuple(stage.shape[1:]) for stage in efficientnet.load().stages(see("coffee"))]
    assert shapes == [
        (32, 112, 112),
        (16, 112, 112),
        (24, 56, 56),
        (40, 28, 28),
        (80, 14, 14),
        (112, 14, 14),
        (192, 7, 7),
        (320, 7, 7),
        (1280, 7, 7),
    ]


def test_it_is_loaded_once_a_process_and_its_weights_stay_as_they_are() -> None:
    assert efficientnet.load() is efficientnet.load()
    assert not any(p.requires_grad for p in efficientnet.load().parameters())


def test_there_are_a_thousand_answers_and_no_two_neighbours_are_mixed_up() -> None:
    names = efficientnet.class_names()
    assert len(names) == 1000
    assert (names[0], names[285], names[967], names[999]) == (
        "tench",
        "Egyptian cat",
        "espresso",
        "toilet tissue",
    )


def test_the_names_are_read_without_importing_torchvision() -> None:
    code = (
        "import sys; from labs.nets.efficientnet import class_names; class_names();"
        "print('torchvision' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_it_is_shown_the_whole_picture_squeezed_into_a_square() -> None:
    wide = np.zeros((100, 500, 3), np.uint8)
    wide[:, 250:] = 200
    seen = efficientnet.squeeze(wide)
    assert seen.shape == (224, 224, 3)
    assert (seen[:, :108] == 0).all()
    assert (seen[:, 116:] == 200).all()


@pytest.mark.parametrize(("value", "becomes"), [(255, 1.0), (127, 0.0), (63, -0.5)])
def test_white_becomes_one_and_the_middle_grey_zero(value: int, becomes: float) -> None:
    assert (efficientnet.normalise(np.full((224, 224, 3), value, np.uint8)) == becomes).all()


@torch.inference_mode()
def test_pictures_arrive_at_the_first_batch_norm_as_those_it_was_trained_on() -> None:
    """Its stored means and variances tell how its inputs were scaled."""
    net = efficientnet.published()
    x = torch.cat([see(name) for name in pictures.PICTURES])
    maps = net._conv_stem(x)  # (8, 32, 112, 112)
    spread = maps.var(dim=(0, 2, 3)) / net._bn0.running_var
    offset = (maps.mean(dim=(0, 2, 3)) - net._bn0.running_mean) / net._bn0.running_var.sqrt()
    assert 0.5 < spread.median() < 1.5
    assert offset.abs().median() < 0.35
