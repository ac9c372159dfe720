"""What the network answers, and whether the occlusion map is what direct asking gives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from labs.catalog.ask_a_cnn import compute
from labs.catalog.ask_a_cnn.lab import LAB, Params
from labs.data.pictures import load
from labs.nets import efficientnet
from labs.testing import PlainContext


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Two threads on cores that others use wait for each other: ten times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def events(name: str = "chelsea", grid: int = 7, channels: int = 8) -> tuple[Any, ...]:
    params = Params(picture=name, grid=grid, channels=channels)
    ctx: Any = PlainContext()
    return tuple(e for e in compute.run(params, ctx) if e is not None)


def last(found: tuple[Any, ...], name: str) -> Any:
    return [e for e in found if e.name == name][-1]


@pytest.mark.parametrize(("name", "answer"), [("chelsea", "Egyptian cat"), ("coffee", "espresso")])
def test_the_first_answer_is_right(name: str, answer: str) -> None:
    bars = last(events(name), "answers").bars
    assert bars[0][0] == answer
    assert bars[0][1] > 50
    assert [b[1] for b in bars] == sorted((b[1] for b in bars), reverse=True)
    assert answer in last(events(name), "result").sentence


@torch.inference_mode()
def test_a_cell_of_the_occlusion_map_is_what_one_covered_picture_loses() -> None:
    seen = efficientnet.squeeze(load("chelsea"))
    net, x = efficientnet.load(), efficientnet.normalise(seen)
    before = net(x).softmax(1)[0]
    covered = x.clone()
    covered[:, :, 64:96, 128:160] = 0  # row 3, column 5 of 7×7 patches of 32 pixels
    lost = before.max() - net(covered).softmax(1)[0, before.argmax()]
    found = last(events(), "occlusion").items[0].values
    assert found.shape == (7, 7)
    assert found[2, 4].item() == pytest.approx(100 * lost.item(), abs=0.05)


@torch.inference_mode()
def test_covering_nothing_changes_nothing() -> None:
    net, x = efficientnet.load(), efficientnet.normalise(efficientnet.squeeze(load("coffee")))
    before = net(x).softmax(1)[0]
    after = compute.ask_covered(net, x, [(0, 0, 0, 0), (0, 0, 224, 224)], int(before.argmax()))
    assert after[0].item() == pytest.approx(before.max().item(), abs=1e-4)
    assert after[1] < 0.1, "all grey is no espresso"


@pytest.mark.parametrize("n", range(7, 15))
def test_the_patches_cover_each_pixel_once(n: int) -> None:
    times = np.zeros((224, 224), int)
    for top, left, bottom, right in compute.grid(n):
        times[top:bottom, left:right] += 1
    assert (times == 1).all()
    assert len(compute.grid(n)) == n * n


def test_the_map_grows_patch_by_patch_and_ends_whole() -> None:
    found = [e for e in events() if e.name == "occlusion"]
    known = [int((e.items[0].values != 0).sum()) for e in found]
    assert known == sorted(known)
    assert known[0] <= compute.BATCH
    assert known[-1] == 49
    assert [e.done for e in events() if e.kind == "progress"] == list(range(7, 50, 7))


def test_the_picture_is_lit_where_covering_costs_most() -> None:
    drops = last(events(), "occlusion").items[0].values
    lit = np.asarray(last(events(), "lit").items[0].values).astype(int)
    seen = np.asarray(last(events(), "seen").items[0].values).astype(int)
    row, column = divmod(int(drops.argmax()), 7)
    patch = (slice(32 * row, 32 * row + 32), slice(32 * column, 32 * column + 32))
    np.testing.assert_array_equal(lit[patch], seen[patch])
    assert lit.sum() < seen.sum()


def test_every_stage_says_its_shape_and_shows_its_first_maps() -> None:
    stages = [e for e in events() if e.name.startswith(("stem", "stage", "head"))]
    assert [e.title for e in stages][:2] == ["Stem: 32×112×112", "Stage 1: 16×112×112"]
    assert stages[-1].title == "Head: 1280×7×7"
    assert all(len(e.items) == 8 and e.items[0].meaning == "map" for e in stages)
    assert {e.items[0].values.shape[0] * e.items[0].zoom for e in stages} == {112}
    x = efficientnet.normalise(efficientnet.squeeze(load("chelsea")))
    with torch.inference_mode():
        wanted = efficientnet.load().stages(x)[3][0, 5]
    torch.testing.assert_close(last(events(), "stage-3").items[5].values, wanted)


def test_it_says_when_the_network_is_not_sure() -> None:
    ctx: Any = PlainContext()
    run = compute.run(Params(picture="astronaut"), ctx)
    said = next(e.sentence for e in run if e and e.kind == "bars")
    assert "It is not sure" in said
    assert "not sure" not in last(events("coffee"), "answers").sentence


def test_every_event_has_its_slot() -> None:
    slots = {(slot.name, slot.kind) for slot in LAB.panel} | {("progress", "progress")}
    assert {(e.name, e.kind) for e in events()} == slots


def test_the_finest_grid_stays_below_fifty_picture_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "ask_covered", lambda net, x, covers, answer: torch.zeros(1))
    ctx: Any = PlainContext()
    found = list(compute.run(Params(grid=14, channels=16), ctx))
    assert len([e for e in found if e and e.kind == "images"]) <= 50


def test_the_same_picture_gives_the_same_events() -> None:
    ctx: Any = PlainContext()
    again = [e for e in compute.run(Params(), ctx) if e is not None]
    assert [repr(e) for e in again] == [repr(e) for e in events()]


def test_it_stops_often_enough_to_be_stopped() -> None:
    ctx: Any = PlainContext()
    efficientnet.load()
    gaps, start = [], time.perf_counter()
    for _ in compute.run(Params(), ctx):
        gaps.append(time.perf_counter() - start)
        start = time.perf_counter()
    assert sorted(gaps)[len(gaps) * 3 // 4] < 2.5  # 0.5 s on idle cores, with a margin of 5
