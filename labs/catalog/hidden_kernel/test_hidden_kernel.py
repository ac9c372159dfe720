"""What the student finds, when it explodes, and what is said about it."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from labs.catalog.hidden_kernel import bowl, compute
from labs.catalog.hidden_kernel.lab import EVERY, KERNELS, LAB, Params
from labs.context import LabError
from labs.events import Event
from labs.testing import PlainContext


def events(seed: int = 0, picture: np.ndarray | None = None, **changes: Any) -> list[Any]:
    ctx: Any = PlainContext(seed)
    if picture is not None:
        ctx.picture = lambda _: picture
    return [e for e in compute.run(Params(**changes), ctx) if e is not None]


def default_picture() -> torch.Tensor:
    ctx: Any = PlainContext()
    return compute.learn_from(Params(), ctx, torch.Generator())


def last(found: list[Any], name: str) -> Any:
    return [e for e in found if e.name == name][-1]


def figures(seed: int = 0, **changes: Any) -> dict[str, float]:
    found: dict[str, float] = last(events(seed, **changes), "result").figures
    return found


def numbers_of(event: Event) -> list[float]:
    """Every number in an event, however deep."""

    def walk(value: Any) -> list[float]:
        if isinstance(value, int | float):
            return [float(value)]
        if isinstance(value, dict):
            return [n for item in value.values() for n in walk(item)]
        if isinstance(value, tuple):
            return [n for item in value for n in walk(item)]
        if isinstance(value, torch.Tensor):
            return walk(tuple(value.flatten().tolist()))
        return walk(tuple(getattr(value, f) for f in getattr(value, "__dataclass_fields__", ())))

    return walk(event)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_default_student_finds_the_hidden_kernel(seed: int) -> None:
    found = events(seed)
    student, truth = last(found, "student"), last(found, "truth")
    np.testing.assert_allclose(student.values, truth.values, atol=0.02)
    assert last(found, "result").figures["cosine"] >= LAB.claims[0].at_least
    assert last(found, "verdict").tone == "right"


def test_a_teacher_that_flips_teaches_the_flipped_kernel() -> None:
    found = events(flip=True)
    student, truth = last(found, "student"), last(found, "truth")
    np.testing.assert_allclose(student.values, np.rot90(truth.values, 2), atol=0.02)
    assert last(found, "result").figures["cosine"] < 0.9
    assert last(found, "result").figures["cosine_flipped"] >= 0.999
    assert "turned by 180°" in last(found, "verdict").text
    assert last(found, "result").sentence.endswith("to the flipped kernel.")


def test_a_flip_that_changes_nothing_is_said_to_change_nothing() -> None:
    assert "looks the same flipped" in last(events(hidden="laplacian", flip=True), "verdict").text


@pytest.mark.parametrize("hidden", KERNELS)
def test_every_kernel_is_found_in_noise(hidden: str) -> None:
    assert figures(hidden=hidden, source="noise", steps=100)["cosine"] >= 0.999


def test_noise_on_the_maps_leaves_a_loss_that_no_kernel_removes() -> None:
    assert figures(noise=0.5)["loss"] > 1000 * figures()["loss"]


def test_the_curvature_is_the_largest_eigenvalue_of_the_loss_s_hessian() -> None:
    picture = default_picture()[:40, :40]
    target = torch.randn(1, 1, 38, 38)

    def loss(kernel: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(F.conv2d(picture[None, None], kernel.view(1, 1, 3, 3)), target)

    functional: Any = torch.autograd.functional
    hessian = functional.hessian(loss, torch.zeros(9))
    wanted = torch.linalg.eigvalsh(hessian)[-1].item()
    assert bowl.steepest_curvature(picture, 3) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("optimiser", ["sgd", "momentum"])
def test_it_explodes_above_the_limit_that_the_curvature_sets(optimiser: str) -> None:
    picture = default_picture()
    limit = bowl.limit_of_the_rate(Params(optimiser=optimiser), picture, 3)
    assert figures(optimiser=optimiser, batch=128, lr=0.7 * limit)["steps"] == 200
    wild = last(events(optimiser=optimiser, batch=128, lr=1.3 * limit), "verdict")
    assert wild.tone == "warning"
    assert f"a rate of about {limit:.2g}" in wild.text


@pytest.mark.parametrize("lr", [0.3, 10])
def test_an_explosion_stops_the_run_and_yields_only_finite_numbers(lr: float) -> None:
    found = events(optimiser="sgd", lr=lr)
    assert all(math.isfinite(n) for e in found for n in numbers_of(e))
    assert "It exploded" in last(found, "verdict").title
    assert last(found, "result").sentence.endswith("Then it exploded.")
    assert max(e.done for e in found if e.kind == "progress") < 200
    assert [e.name for e in found[-2:]] == ["verdict", "result"]


def test_a_run_that_is_too_short_says_so() -> None:
    assert "Not there yet" in last(events(steps=20, lr=0.001), "verdict").text


def test_the_right_direction_at_the_wrong_size_is_not_taken_for_found() -> None:
    said = last(events(source="noise", optimiser="sgd", lr=0.004), "verdict")
    assert said.tone == "plain"
    assert re.search(r"The direction is found.*cosine 0\.99\d\d.*0\.\d\d times as large", said.text)


def test_what_is_not_there_yet_is_never_said_to_be_at_one() -> None:
    said = last(events(source="noise", optimiser="sgd", lr=0.003), "verdict").text
    assert re.search(r"Not there yet: cosine 0\.99\d\d\.", said)


@pytest.mark.parametrize("steps", [20, 200, 400])
def test_it_shows_the_student_at_planned_steps_and_stays_in_its_bounds(steps: int) -> None:
    found = events(steps=steps)
    looks = [e.done for e in found if e.kind == "progress"]
    assert looks == list(range(0, steps + 1, max(EVERY, steps // 40)))
    assert len([e for e in found if e.kind == "images"]) <= 50
    assert len(last(found, "loss").series[0].points) == len(looks) <= 200
    slots = {(slot.name, slot.kind) for slot in LAB.panel} | {("progress", "progress")}
    assert {(e.name, e.kind) for e in found} == slots


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    first, second, other = (
        [repr(e) for e in events(seed, steps=40, noise=0.2)] for seed in (3, 3, 4)
    )
    assert first == second
    assert first != other


def test_it_refuses_a_picture_that_tells_nothing() -> None:
    with pytest.raises(LabError, match="same grey throughout"):
        events(picture=np.full((40, 40, 3), 90, np.uint8))
    with pytest.raises(LabError, match="same grey throughout"):
        events(picture=np.full((1, 1, 3), 90, np.uint8))


def test_a_sliver_of_a_picture_is_enough() -> None:
    sliver = np.random.default_rng(0).integers(0, 256, (2, 60, 3), dtype=np.uint8)
    assert last(events(picture=sliver, steps=20), "result").figures["steps"] == 20
