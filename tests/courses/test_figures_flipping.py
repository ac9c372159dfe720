"""The figures of lecture 5.3, held against torch and the convolution theorem."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from courses.figures import flipping, loops
from courses.figures.flipping import KERNELS, PICTURES, Turn
from courses.figures.loops import KERNEL, PICTURE, STEPS, Step
from labs.words import number

PAIRS = [(kernel, picture) for kernel in KERNELS for picture in PICTURES]


@pytest.mark.parametrize(("kernel", "picture"), PAIRS)
def test_the_map_without_a_turn_is_what_networks_compute(kernel: str, picture: str) -> None:
    w, x = KERNELS[kernel][1], PICTURES[picture][1]
    wanted = F.conv2d(torch.tensor(x)[None, None].float(), torch.tensor(w)[None, None].float())
    assert flipping.correlated(x, w) == tuple(map(tuple, wanted[0, 0].tolist()))


@pytest.mark.parametrize(("kernel", "picture"), PAIRS)
def test_the_map_of_the_turned_kernel_is_what_mathematics_computes(
    kernel: str, picture: str
) -> None:
    w, x = KERNELS[kernel][1], PICTURES[picture][1]
    room = (7, 7)  # 5 + 3 − 1: nothing goes round the end
    whole = np.fft.ifft2(np.fft.fft2(np.array(x), room) * np.fft.fft2(np.array(w), room)).real
    found = np.array(flipping.correlated(x, flipping.turned(w)))
    np.testing.assert_allclose(found, whole[2:5, 2:5], atol=1e-9)


@pytest.mark.parametrize(
    ("kernel", "picture", "says"),
    [
        ("count", "point", "Each map is the other one, turned by 180°."),
        ("sobel", "edge", "The maps differ in sign alone."),
        ("laplacian", "hook", "Both maps are the same."),
        ("emboss", "hook", "The maps differ."),
    ],
)
def test_the_sentence_says_how_the_maps_differ(kernel: str, picture: str, says: str) -> None:
    turn = Turn.model_validate({"kernel": kernel, "picture": picture})
    assert flipping.flipped_and_not(turn).says == says


def test_after_every_ninth_multiplication_the_total_is_a_cell_of_torchs_map() -> None:
    x, w = (torch.tensor(grid)[None, None].float() for grid in (PICTURE, KERNEL))
    cells = F.conv2d(x, w).flatten().tolist()
    assert [loops.running(done) for done in range(9, STEPS + 1, 9)] == cells


def test_each_pair_of_pixel_and_weight_is_met_once_in_the_loops_order() -> None:
    wanted = [tuple(index) for index in np.ndindex(2, 2, 3, 3)]
    assert [loops.place(step) for step in range(STEPS)] == wanted


@pytest.mark.parametrize("done", range(STEPS + 1))
def test_as_many_cells_are_shown_as_are_complete(done: int) -> None:
    drawing = loops.loop_by_loop(Step(step=done))
    assert drawing.svg.count("cell waiting") == 4 - done // 9
    assert ("is complete" in drawing.says) == (done > 0 and done % 9 == 0)
    if done:
        assert f"is now {number(loops.running(done))}." in drawing.says
