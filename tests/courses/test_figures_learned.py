"""The learned kernels of lecture 5.7: its own code, run again."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from courses.content import CONTENT
from courses.figures import learned
from courses.figures.learned import STATES, Moment
from courses.markdown import render

LECTURE = CONTENT / "05-convolution" / "07-what-kernels-detect.md"


@pytest.fixture(scope="module")
def lecture() -> dict[str, Any]:
    """What the lecture's blocks on stripes define."""
    blocks = [block.code for block in render(LECTURE.read_text()).blocks]
    first = next(n for n, code in enumerate(blocks) if "def stripes" in code)
    names: dict[str, Any] = {}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a network waits for its threads more than it computes
    for code in blocks[first : first + 3]:
        exec(code, names)
    torch.set_num_threads(threads)
    return names


def net() -> nn.Sequential:
    torch.manual_seed(7)
    conv = nn.Conv2d(1, 2, 3)  # first, as in the lecture: it takes the first random numbers
    return nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))


def state(model: nn.Sequential, x: torch.Tensor, y: torch.Tensor) -> tuple[Any, Any, float]:
    conv = model[0]
    assert isinstance(conv, nn.Conv2d) and conv.bias is not None
    right = (model(x).argmax(1) == y).float().mean().item()
    return conv.weight.detach()[:, 0].clone(), conv.bias.detach().clone(), right


def test_the_stored_states_are_those_that_the_lectures_loop_passes(
    lecture: dict[str, Any],
) -> None:
    model, (x, y) = net(), lecture["stripes"](400, seed=0)
    new, classes = lecture["stripes"](400, seed=1)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
    for step in range(41):  # the last state is the lecture's own end: see below
        if str(step) in STATES:
            kernels, biases, right = state(model, new, classes)
            kept = STATES[str(step)]
            torch.testing.assert_close(torch.tensor(kept.kernels), kernels, atol=0.02, rtol=0)
            torch.testing.assert_close(torch.tensor(kept.biases), biases, atol=0.02, rtol=0)
            assert kept.right == pytest.approx(right, abs=0.006)
        loss = nn.functional.cross_entropy(model(x), y)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def test_the_lecture_ends_with_the_kernels_of_the_last_state(lecture: dict[str, Any]) -> None:
    wanted = torch.tensor(STATES["150"].kernels)
    torch.testing.assert_close(lecture["kernels"], wanted, atol=0.02, rtol=0)


@pytest.mark.parametrize("steps", list(STATES))
@pytest.mark.parametrize("stripes", ["vertical", "horizontal"])
def test_the_maps_are_torchs_after_bias_and_relu(steps: str, stripes: str) -> None:
    kept, x = STATES[steps], torch.tensor(learned.picture(stripes))
    w, b = torch.tensor(kept.kernels)[:, None], torch.tensor(kept.biases)
    wanted = nn.functional.conv2d(x[None, None], w, b).relu()[0]
    both = zip(kept.kernels, kept.biases, strict=True)
    maps = [learned.rectified(learned.picture(stripes), kernel, bias) for kernel, bias in both]
    torch.testing.assert_close(torch.tensor(maps), wanted, atol=1e-4, rtol=0)
    assert [learned.mean(y) for y in maps] == pytest.approx(wanted.mean((1, 2)).tolist(), abs=1e-4)


@pytest.mark.parametrize(("stripes", "answers"), [("vertical", 0), ("horizontal", 1)])
def test_after_150_steps_each_kernel_answers_to_one_direction(stripes: str, answers: int) -> None:
    kept = STATES["150"]
    both = zip(kept.kernels, kept.biases, strict=True)
    means = [learned.mean(learned.rectified(learned.picture(stripes), k, b)) for k, b in both]
    assert means[answers] > 5 * means[1 - answers]
    moment = Moment.model_validate({"steps": "150", "stripes": stripes})
    assert f"{stripes} stripes" in learned.learned_kernels(moment).says
