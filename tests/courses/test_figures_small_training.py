"""The stored training of lectures 7.4 and 7.5: the lecture's own code, run again for 20 epochs.

What is stored was made by this on one core in float32. Other machines round otherwise, and a
training makes more of that: so the curves are compared loosely, and the answers as shares.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from courses.content import CONTENT
from courses.figures.small_training import EPOCHS, OTHERS, RUNS, SURE, SUREST
from courses.markdown import render

LECTURE = CONTENT / "07-first-cnn" / "04-training-to-98.md"
MEAN, DEVIATION, BATCH = 0.132, 0.309, 32
PAPER = (0 - MEAN) / DEVIATION


BLOCKS = [block.code for block in render(LECTURE.read_text()).blocks]
DATA, NETWORK, LOOP, MARKS = BLOCKS[:4]


def defined(*blocks: str) -> dict[str, Any]:
    """What these blocks of the lecture define."""
    names: dict[str, Any] = {}
    for code in blocks:
        exec(code, names)
    return names


@pytest.fixture(scope="module")
def lecture() -> dict[str, Any]:
    """The lecture's data, network and marks, untrained."""
    return defined(DATA, NETWORK, MARKS.partition("\n\n\nloss")[0])


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """As the stored numbers were made; and quicker, where other tests want the other cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def together(shifts: bool) -> pytest.ParameterSet:
    """All tests of a training in one process, which trains once."""
    return pytest.param(shifts, marks=pytest.mark.xdist_group(f"trained, shifts {shifts}"))


@pytest.fixture(scope="module", params=[together(False), together(True)])
def trained(request: pytest.FixtureRequest, one_thread: None) -> tuple[bool, Any, Any]:
    """Whether with shifts; the four curves; and the network of the kept epoch."""
    names = defined(DATA, NETWORK, MARKS.partition("\n\n\nloss")[0])
    net, curves, lowest, kept = names["net"], [], float("inf"), {}
    for epoch in range(EPOCHS + 1):
        if epoch:
            learn(names, epoch, request.param)
        marks = [names["marks"](names[part]) for part in ("train", "validation")]
        curves.append([value for part in marks for value in part])
        if marks[1][0] < lowest:
            lowest, kept = marks[1][0], {k: v.clone() for k, v in net.state_dict().items()}
    net.load_state_dict(kept)
    return request.param, curves, net


def learn(names: dict[str, Any], epoch: int, shifts: bool) -> None:
    """One epoch of the lecture's loop; with shifts, each picture is moved by up to 2 pixels."""
    net = names["net"].train()
    optimiser = names.setdefault("mine", torch.optim.Adam(net.parameters(), lr=0.001))
    chance = np.random.default_rng(epoch)
    order = torch.from_numpy(chance.permutation(names["train"]))
    places = chance.integers(0, 5, (len(order), 2))
    for n, rows in enumerate(torch.split(order, BATCH)):
        x = names["fed"][rows]
        if shifts:
            x = shifted(x, places[n * BATCH : (n + 1) * BATCH].tolist())
        loss = F.cross_entropy(net(x), names["labels"][rows])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def shifted(x: Tensor, places: list[list[int]]) -> Tensor:
    wide = F.pad(x, (2, 2, 2, 2), value=PAPER)
    cut = [p[:, a : a + 28, b : b + 28] for p, (a, b) in zip(wide, places, strict=True)]
    return torch.stack(cut)


def others(names: dict[str, Any]) -> np.ndarray:
    """The 3,600 digits that took no part."""
    used = np.concatenate([names["train"], names["validation"]])
    return np.setdiff1d(np.arange(len(names["labels"])), used)


def read(net: Any, x: Tensor) -> Iterator[Tensor]:
    net.eval()
    with torch.no_grad():
        for part in torch.split(x, 400):
            yield net(part).softmax(1)


@pytest.mark.slow
def test_the_lectures_own_two_epochs_end_where_the_stored_curves_do() -> None:
    names = defined(DATA, NETWORK, LOOP, MARKS)
    assert names["loss"] == pytest.approx(RUNS[False].validation_loss[2], abs=0.05)
    assert names["accuracy"] == pytest.approx(RUNS[False].validation_right[2], abs=0.03)


@pytest.mark.slow
def test_twenty_epochs_of_it_follow_the_stored_curves(trained: tuple[bool, Any, Any]) -> None:
    shifts, curves, _ = trained
    run = RUNS[shifts]
    training = zip(run.training_loss, run.training_right, strict=True)
    validation = zip(run.validation_loss, run.validation_right, strict=True)
    stored = [(*one, *other) for one, other in zip(training, validation, strict=True)]
    for epoch in (0, 1, 2):
        assert curves[epoch] == pytest.approx(stored[epoch], abs=0.05)
    last = np.mean(curves[-5:], axis=0)
    assert last == pytest.approx(np.mean(stored[-5:], axis=0), abs=0.06)


@pytest.mark.slow
def test_the_kept_network_reads_the_others_about_as_stored(
    trained: tuple[bool, Any, Any], lecture: dict[str, Any]
) -> None:
    shifts, _, net = trained
    rows = others(lecture)
    assert len(rows) == OTHERS
    y = lecture["labels"][rows]
    assert torch.bincount(y).tolist() == [sum(row) for row in RUNS[shifts].answers]
    for right in (0, 3, 8):
        x = lecture["fed"][rows]
        x = F.pad(x, (right, 0), value=PAPER)[..., :28]
        found = torch.cat(list(read(net, x)))
        share = (found.argmax(1) == y).float().mean().item()
        assert share == pytest.approx(RUNS[shifts].moved[right], abs=0.02 if right == 0 else 0.15)


@pytest.mark.slow
def test_inverted_digits_are_read_badly_and_surely(
    trained: tuple[bool, Any, Any], lecture: dict[str, Any]
) -> None:
    _, _, net = trained
    rows = others(lecture)
    x = (1 - lecture["x"][rows] / 255 - MEAN) / DEVIATION
    found = torch.cat(list(read(net, torch.tensor(x, dtype=torch.float32).view(-1, 1, 28, 28))))
    assert (found.argmax(1) == lecture["labels"][rows]).float().mean() < 0.3
    assert found.max(1).values.mean() > 0.4


@pytest.mark.slow
def test_the_least_sure_answers_are_most_often_wrong(
    trained: tuple[bool, Any, Any], lecture: dict[str, Any]
) -> None:
    shifts, _, net = trained
    if shifts:
        return
    rows = others(lecture)
    sure, taken = torch.cat(list(read(net, lecture["fed"][rows]))).max(1)
    wrong = taken != lecture["labels"][rows]
    low = 0.0
    for high, count, _ in SURE:
        here = (sure >= low) & (sure < high / 100 + (high == 100))
        assert int(here.sum()) == pytest.approx(count, rel=0.35, abs=40)
        low = high / 100
    assert wrong[sure < 0.7].float().mean() > 0.2 > 0.02 > wrong[sure >= 0.99].float().mean()


def test_the_surest_mistakes_are_pictures_of_the_bundled_digits(lecture: dict[str, Any]) -> None:
    for mistake in SUREST:
        assert int(lecture["labels"][mistake.place]) == mistake.label
        assert list(mistake.digit.pixels) == lecture["x"][mistake.place].astype(int).tolist()
        assert mistake.place in others(lecture)
