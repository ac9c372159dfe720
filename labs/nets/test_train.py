from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from labs.nets.blocks import Activation, Block, Convolution, Dropout, Flatten, Norm, Pooling
from labs.nets.build import build
from labs.nets.checkpoint import pack, unpack
from labs.nets.measure import Marks, logits_of, logits_of_all
from labs.nets.scale import Scale
from labs.nets.train import Recipe, Training, native_bfloat16

BLOCKS: list[Block] = [
    Convolution(filters=4, stride=2),
    Norm(),
    Activation(),
    Pooling(),
    Flatten(),
    Dropout(rate=0.5),
]


def pictures(count: int = 160) -> tuple[Tensor, Tensor]:
    """Bright bars: class 0 lies, class 1 stands."""
    chance = torch.Generator().manual_seed(5)
    x = torch.randint(0, 60, (count, 1, 12, 12), generator=chance, dtype=torch.uint8)
    y = torch.arange(count) % 2
    x[y == 0, :, 5:7, 2:10] = 250
    x[y == 1, :, 2:10, 5:7] = 250
    return x, y


def training(recipe: Recipe, seed: int = 1, blocks: list[Block] = BLOCKS) -> Training:
    x, y = pictures()
    torch.manual_seed(seed)
    return Training(build(blocks, (1, 12, 12), 2), x, y, Scale.of(x), recipe, seed, "cpu")


def finish(run: Training) -> Training:
    for _ in run.go():
        pass
    return run


def weights(run: Training) -> Tensor:
    return torch.cat([v.float().flatten() for v in run.net.state_dict().values()])


def all_logits(run: Training, x: Tensor) -> Tensor:
    marking = logits_of_all(run.net, x, run.scale, run.device)
    while True:
        try:
            next(marking)
        except StopIteration as end:
            return end.value


RECIPE = Recipe(epochs=3, batch=32, peak=0.01)


def test_it_learns_to_tell_lying_bars_from_standing_ones() -> None:
    x, y = pictures()
    run = finish(training(Recipe(epochs=6, batch=16, peak=0.02)))
    assert Marks.of(all_logits(run, x), y).accuracy > 0.95
    losses, hits = run.read()
    assert len(losses) == len(hits) == run.steps == 60
    assert sum(losses[-10:]) < sum(losses[:10]) / 2


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, again, other = (finish(training(RECIPE, seed)) for seed in (1, 1, 2))
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(other))


@pytest.mark.parametrize("stop", [1, 4, 5, 9, 15])
def test_a_training_that_was_stopped_goes_on_exactly(stop: int) -> None:
    whole = finish(training(RECIPE))
    stopped = training(RECIPE)
    for step in stopped.go():
        if step == stop:
            break
    kept: dict[str, Any] = unpack(pack(stopped.state()))
    resumed = training(RECIPE)
    resumed.restore(kept)
    assert list(resumed.go()) == list(range(stop + 1, whole.steps + 1))
    assert torch.equal(weights(resumed), weights(whole))
    assert resumed.read() == whole.read()


def test_measuring_between_steps_changes_nothing() -> None:
    x, _ = pictures()
    measured = training(RECIPE)
    for _ in measured.go():
        all_logits(measured, x)
    assert torch.equal(weights(measured), weights(finish(training(RECIPE))))


def test_one_step_is_the_one_that_torch_takes() -> None:
    """Without shifts, autocast and dropout a step is plain AdamW on the mean cross-entropy."""
    x, y = pictures()
    plain: list[Block] = [Convolution(filters=2), Activation(), Flatten()]
    run = training(Recipe(1, 160, 0.01, "constant", shifts=False), blocks=plain)
    run.bfloat16 = False
    torch.manual_seed(1)
    net = build(plain, (1, 12, 12), 2)
    adam = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.01)
    loss = nn.functional.cross_entropy(net(Scale.of(x).apply(x)), y)
    loss.backward()
    adam.step()
    finish(run)
    assert run.read()[0][0] == pytest.approx(loss.item(), rel=1e-5)
    for ours, theirs in zip(run.net.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_every_picture_is_seen_once_an_epoch() -> None:
    run = training(RECIPE)
    for epoch in range(3):
        order, shifts = run._plan(epoch)
        assert sorted(order.tolist()) == list(range(160))
        assert [int(shifts.min()), int(shifts.max())] == [0, 4]
    assert run._plan(0)[0].tolist() != run._plan(1)[0].tolist()


def test_a_shift_moves_the_picture_and_lays_paper_behind_it() -> None:
    x, _ = pictures()
    run = training(RECIPE)
    still = run.views[[0], :, 2, 2]  # (1, 1, 12, 12)
    up = run.views[[0], :, 4, 2]
    assert torch.equal(still[0], x[0])
    assert torch.equal(up[0, 0, :10], x[0, 0, 2:])
    assert up[0, 0, 10:].sum() == 0


def test_one_cycle_rises_to_its_peak_and_falls_to_almost_nothing() -> None:
    rates = [RECIPE.rate(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.01 / 25)
    assert max(rates) == rates[30] == pytest.approx(0.01)
    assert rates[-1] == pytest.approx(0.01 / 1e4)
    assert rates[:31] == sorted(rates[:31]) and rates[30:] == sorted(rates[30:], reverse=True)


def test_a_constant_rate_stays() -> None:
    constant = Recipe(1, 32, 0.003, "constant")
    assert {constant.rate(step, 50) for step in range(50)} == {0.003}


def test_the_scale_is_mean_and_deviation_of_the_grey_values() -> None:
    x, _ = pictures()
    values = x.double() / 255
    scale = Scale.of(x)
    assert scale.mean == pytest.approx(values.mean().item(), abs=1e-6)
    assert scale.deviation == pytest.approx(values.std(unbiased=False).item(), abs=1e-6)
    scaled = scale.apply(x)
    assert scaled.mean().item() == pytest.approx(0, abs=1e-4)
    assert scaled.std().item() == pytest.approx(1, abs=1e-3)


def test_blank_pictures_have_a_scale_too() -> None:
    assert torch.isfinite(
        Scale.of(torch.zeros(2, 1, 4, 4, dtype=torch.uint8)).apply(
            torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
        )
    ).all()


def test_marks_count_what_is_taken_for_what() -> None:
    logits = torch.tensor([[9.0, 0, 0], [0, 3, 0], [0, 0, 1], [0, 5, 0]])
    marks = Marks.of(logits, torch.tensor([0, 0, 2, 2]))
    assert marks.accuracy == 0.5
    assert marks.confusion(3) == [[1, 1, 0], [0, 0, 0], [0, 1, 1]]
    assert marks.worst(5) == [3, 1], "the surest mistake first"


def test_logits_do_not_depend_on_the_chunks() -> None:
    x, _ = pictures(300)
    run = training(RECIPE)
    together = logits_of(run.net, run.scale.apply(x))
    torch.testing.assert_close(all_logits(run, x), together)


def test_bfloat16_is_used_only_where_the_processor_multiplies_it() -> None:
    able = torch.cpu.get_capabilities()
    native = bool(able.get("amx_bf16") or able.get("avx512_bf16"))
    assert native_bfloat16(torch.device("cpu")) == native
    assert not native_bfloat16(torch.device("meta"))
