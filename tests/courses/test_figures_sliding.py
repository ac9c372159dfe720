"""The figure of lecture 5.1, held against torch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from courses.figures import sliding
from courses.figures.sliding import KERNEL, PICTURE, SIDE, Place

PLACES = [(row, column) for row in range(SIDE) for column in range(SIDE)]


@pytest.mark.parametrize(("row", "column"), PLACES)
def test_each_cell_is_the_one_that_torch_makes(row: int, column: int) -> None:
    x, w = (torch.tensor(grid)[None, None].float() for grid in (PICTURE, KERNEL))
    wanted = F.conv2d(x, w)[0, 0]
    assert wanted.shape == (SIDE, SIDE)
    assert sliding.response(row, column) == wanted[row, column]


@pytest.mark.parametrize(("row", "column"), PLACES)
def test_the_sentence_adds_up_to_the_cell(row: int, column: int) -> None:
    says = sliding.sliding_window(Place(row=row, column=column)).says
    terms, _, total = says.replace("−", "-").rpartition(" = ")
    added = 0
    for term in terms.split(" + "):
        pixel, weight = term.split("·")
        added += int(pixel) * int(weight.strip("()"))
    assert added == int(total) == sliding.response(row, column)
