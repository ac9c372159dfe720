"""The contract's tests refuse what they are there to refuse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest

from labs import params
from labs.events import Event
from labs.lab import Lab, catalog
from labs.params import slider
from tests.contract import test_labs as contract


class Stuck(params.Params):
    share: float = slider(0.5, low=0, high=0.9, label="Share")


class Taken(params.Params):
    seed: int = slider(0, low=0, high=9, label="Seed")


@pytest.mark.parametrize(
    ("rule", "model"),
    [
        (contract.test_no_step_is_larger_than_its_range, Stuck),
        (contract.test_no_field_has_a_name_of_the_pages_own, Taken),
    ],
)
def test_it_refuses(rule: Callable[[Lab], None], model: type[params.Params]) -> None:
    lab = next(iter(catalog().values()))
    rule(lab)
    for wrong in (replace(lab, params=model), replace(lab, follow_ups={"ask": model})):
        with pytest.raises(AssertionError):
            rule(wrong)


def sleepy(seconds: float) -> SimpleNamespace:
    """A lab's compute that waits, and computes nothing, before its one stopping point."""

    def run(*_: object) -> Iterator[Event | None]:
        time.sleep(seconds)
        yield None

    return SimpleNamespace(run=run)


def test_a_lab_that_waits_for_long_cannot_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "MARGIN", 0.5)  # of half a second
    lab = next(iter(catalog().values()))
    monkeypatch.setattr(Lab, "compute", lambda _: sleepy(0.01))
    contract.test_it_can_be_stopped_twice_a_second(replace(lab))
    monkeypatch.setattr(Lab, "compute", lambda _: sleepy(0.4))
    with pytest.raises(AssertionError):
        contract.test_it_can_be_stopped_twice_a_second(replace(lab))
