"""The figures of lecture 7.4 against torch, and against the loop that our labs train with."""

from __future__ import annotations

import re

import pytest
import torch
from torch.nn import functional as F

from courses.content import CONTENT
from courses.figures import training
from courses.figures.plot import Plot
from courses.figures.small_training import EPOCHS, RUNS
from courses.figures.training import Cycle, Moment, Share, rate
from labs.catalog.first_cnn.lab import Params
from labs.data.registry import REGISTRY
from labs.nets.train import Recipe
from labs.words import fixed

LECTURE = (CONTENT / "07-first-cnn" / "04-training-to-98.md").read_text()


@pytest.mark.parametrize("share", [1, 10, 37, 50, 99])
def test_the_loss_and_its_slope_are_torchs(share: int) -> None:
    p = torch.tensor(share / 100, dtype=torch.float64, requires_grad=True)
    loss = F.nll_loss(torch.stack([p, 1 - p]).log()[None], torch.tensor([0]))
    loss.backward()  # type: ignore[no-untyped-call]
    made = training.cross_entropy(Share(share=share))
    assert p.grad is not None
    assert made.says.startswith(f"p = {fixed(share / 100)}: the loss is {fixed(loss.item())}.")
    slope = float(re.findall(r"slope −1/p = −([0-9.]+)<", made.svg)[0])
    assert -slope == pytest.approx(p.grad.item(), abs=0.005)


@pytest.mark.parametrize("epochs", [1, 3, 12, 30])
@pytest.mark.parametrize("peak", [0.005, 0.1])
def test_the_rate_is_that_of_the_labs_own_training(epochs: int, peak: float) -> None:
    steps = training.PICTURES // training.BATCH * epochs
    recipe = Recipe(epochs, training.BATCH, peak)
    for step in range(steps):
        assert rate(step, steps, peak) == pytest.approx(recipe.rate(step, steps), rel=1e-9)


def test_the_figure_begins_with_the_labs_defaults() -> None:
    lab, figure = Params(), Cycle()
    assert (lab.epochs, lab.batch, lab.rate) == (figure.epochs, training.BATCH, figure.peak / 1000)
    assert REGISTRY["digits"].train == training.PICTURES


def test_one_cycle_says_the_step_and_its_rate() -> None:
    says = training.one_cycle(Cycle(at=15)).says
    assert "744 in all" in says and "Step 111 is 50 % of the climb" in says
    assert Recipe(12, 64, 0.005).rate(111, 744) == pytest.approx(0.00258, abs=5e-6)
    assert "the rate is 0.00258, 52 % of the peak" in says


@pytest.mark.parametrize("at", [0, 29, 30, 31, 100])
@pytest.mark.parametrize("epochs", [1, 30])
def test_one_cycle_can_be_drawn_from_end_to_end(at: int, epochs: int) -> None:
    assert "the rate is" in training.one_cycle(Cycle(at=at, epochs=epochs)).says


@pytest.mark.parametrize("shifts", [False, True])
def test_the_kept_epoch_has_the_lowest_validation_loss(shifts: bool) -> None:
    run = RUNS[shifts]
    curves = (run.training_loss, run.validation_loss, run.training_right, run.validation_right)
    assert all(len(curve) == EPOCHS + 1 for curve in curves)
    assert min(run.validation_loss) == run.validation_loss[run.kept]
    for epoch in range(1, EPOCHS + 1):
        says = training.training_curves(Moment(epoch=epoch, shifts=shifts)).says
        assert ("lowest validation loss" in says) == (epoch == run.kept)
        assert f"{fixed(run.validation_loss[epoch], 3)} in validation" in says


def test_the_lecture_quotes_the_curves_as_they_are() -> None:
    plain, shifted = RUNS[False], RUNS[True]
    text = " ".join(LECTURE.split())
    at, end = plain.kept, EPOCHS
    first, last = (fixed(plain.validation_loss[epoch], 3) for epoch in (at, end))
    assert (
        f"After epoch {at} the validation loss is {first}, after epoch {end} it is {last}" in text
    )
    assert f"falls from {fixed(plain.training_loss[at], 3)} to below 0.001" in text
    assert plain.training_loss[end] < 0.001
    right = [fixed(100 * plain.validation_right[epoch], 1) for epoch in (at, end)]
    assert f"{right[0]} % and then {right[1]} %" in text
    lowest = fixed(min(shifted.validation_loss), 3)
    assert f"is then {lowest}, after epoch {shifted.kept}" in text


def test_one_step_on_the_scores_takes_the_loss_from_230_to_146() -> None:
    scores = torch.zeros(1, 10, requires_grad=True)
    loss = F.cross_entropy(scores, torch.tensor([3]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    assert loss.item() == pytest.approx(2.30, abs=0.005)
    assert scores.grad[0, 3].item() == pytest.approx(-0.9)
    assert scores.grad[0, 0].item() == pytest.approx(0.1)
    after = scores.detach() - scores.grad
    assert after.softmax(1)[0, 3].item() == pytest.approx(0.232, abs=5e-4)
    assert F.cross_entropy(after, torch.tensor([3])).item() == pytest.approx(1.46, abs=0.005)


def test_a_plot_puts_what_is_out_of_range_on_its_edge() -> None:
    plot = Plot(10, 20, 100, 50, (0, 1), (0, 5))
    assert plot.at(0, 0) == (10, 70)
    assert plot.at(1, 5) == (110, 20)
    assert plot.at(0.5, 9) == (60, 20)
