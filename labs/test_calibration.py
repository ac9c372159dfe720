"""Every lab's claims hold in what was measured, and a few new seeds agree with that."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from labs import calibration
from labs.calibration import Measured
from labs.data.datasets import keep_brought, read_folder
from labs.lab import Claim, Lab, catalog
from tests.needs import not_run

CLAIMS = [(lab, claim) for lab in catalog().values() for claim in lab.claims]
NEW_SEEDS = (1001, 1002, 1003)
MNIST = Path(__file__).resolve().parents[2] / "shared" / "datasets" / "MNIST" / "raw"

each_claim = pytest.mark.parametrize(
    ("lab", "claim"), CLAIMS, ids=[f"{lab.slug}-{claim.name}" for lab, claim in CLAIMS]
)


def example(*values: float) -> Measured:
    return Measured("right", 0.9, values, date="2026-11-22", code_version="c", ran="float32")


@each_claim
def test_a_claim_was_measured_over_20_seeds_and_held(lab: Lab, claim: Claim) -> None:
    found = calibration.stored(lab).get(claim.name)
    assert found, f"measure it: manage.py calibrate {lab.slug} --claim {claim.name}"
    assert (found.figure, found.at_least) == (claim.figure, claim.at_least)
    assert len(found.values) >= 20
    assert found.share >= claim.share


@pytest.mark.slow
@each_claim
def test_three_new_seeds_agree_with_what_was_measured(
    lab: Lab, claim: Claim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The full MNIST is no part of the repository: where its folder is not, this says so."""
    if not calibration.can_measure(claim):
        if not MNIST.is_dir():
            not_run("datasets", f"{claim.dataset} is not here, and {MNIST} neither")
        monkeypatch.setenv("CONVOLAB_DATA", str(tmp_path))
        keep_brought(claim.dataset, read_folder(MNIST))
    values = [value for value, _ in calibration.measure(lab, claim, NEW_SEEDS)]
    assert min(values) >= calibration.stored(lab)[claim.name].lowest_to_expect, values


def test_the_share_counts_the_seeds_in_which_the_claim_holds() -> None:
    assert example(0.9, 0.95, 0.89, 1.0).share == 0.75


def test_a_few_seeds_may_fall_below_the_worst_by_twice_the_spread() -> None:
    assert example(0.9, 0.92).lowest_to_expect == pytest.approx(0.9 - 2 * 0.02 / 2**0.5)


def test_seeds_that_all_agree_leave_room_down_to_half_way_to_the_bound() -> None:
    assert example(1.0, 1.0).lowest_to_expect == pytest.approx(0.95)


def test_what_is_stored_comes_back_and_claims_that_are_gone_go(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").touch()
    old, new = (Claim(name, "It holds.", "right", 0.9) for name in ("old", "new"))

    class Here(Lab):
        path = tmp_path

    lab = Here(**{f.name: getattr(CLAIMS[0][0], f.name) for f in dataclasses.fields(Lab)})
    calibration.store(dataclasses.replace(lab, claims=(old, new)), old, example(0.9, 0.8))
    calibration.store(dataclasses.replace(lab, claims=(new,)), new, example(0.95, 0.97))
    assert calibration.stored(lab) == {"new": example(0.95, 0.97)}
