"""The figures of lecture 7.5: sums and shares against scikit-learn, pictures against torch."""

from __future__ import annotations

import pytest
import torch
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from courses.content import CONTENT
from courses.figures import confusion
from courses.figures.confusion import CLASSES, Chosen, Place, moved, precision, recall
from courses.figures.digits import digits
from courses.figures.figure import Still
from courses.figures.small_training import OTHERS, RUNS, SURE, SUREST
from labs.words import fixed

LECTURE = " ".join((CONTENT / "07-first-cnn" / "05-reading-the-results.md").read_text().split())


def answers(shifts: bool) -> tuple[list[int], list[int]]:
    """Each of the 3,600 digits again: what it is, and what it was taken for."""
    counts = RUNS[shifts].answers
    pairs = [(c, d) for c in CLASSES for d in CLASSES for _ in range(counts[c][d])]
    return [c for c, _ in pairs], [d for _, d in pairs]


@pytest.mark.parametrize("shifts", [False, True])
def test_precision_and_recall_are_scikit_learns(shifts: bool) -> None:
    true, taken = answers(shifts)
    wanted = precision_recall_fscore_support(true, taken)
    for digit in CLASSES:
        found, those = recall(RUNS[shifts].answers, digit)
        right, called = precision(RUNS[shifts].answers, digit)
        assert right / called == pytest.approx(wanted[0][digit])
        assert found / those == pytest.approx(wanted[1][digit])
        says = confusion.confusion_matrix(Chosen(digit=digit, shifts=shifts)).says
        assert f"{found} / {those} = {fixed(100 * wanted[1][digit], 1)} %" in says
        assert f"{right} / {called} = {fixed(100 * wanted[0][digit], 1)} %" in says
        assert f"= {fixed(100 * accuracy_score(true, taken), 1)} %." in says


@pytest.mark.parametrize("shifts", [False, True])
def test_all_counts_are_of_the_same_digits(shifts: bool) -> None:
    run = RUNS[shifts]
    assert sum(map(sum, run.answers)) == OTHERS
    assert [sum(row) for row in run.answers] == [sum(row) for row in RUNS[False].answers]
    right = sum(run.answers[c][c] for c in CLASSES)
    assert run.moved[0] == pytest.approx(right / OTHERS, abs=5e-5)


def test_the_table_of_how_sure_it_is_counts_every_answer() -> None:
    wrong = OTHERS - sum(RUNS[False].answers[c][c] for c in CLASSES)
    assert sum(count for _, count, _ in SURE) == OTHERS
    assert sum(mistakes for _, _, mistakes in SURE) == wrong
    for _, count, mistakes in SURE:
        share = fixed(100 * mistakes / count, 0 if mistakes / count > 0.1 else 1)
        assert f"| {count:,} | {mistakes} | {share} % |" in LECTURE
    asked, caught = (sum(part[n] for part in SURE[:3]) for n in (1, 2))
    kept, left = OTHERS - asked, wrong - caught
    assert f"That is {asked} of {OTHERS:,}" in LECTURE
    assert f"the other {kept:,} only {left} are wrong, {fixed(100 * left / kept, 1)} %" in LECTURE


def test_the_lecture_reads_the_matrix_as_it_is() -> None:
    counts = RUNS[False].answers
    off = sorted(((counts[c][d], c, d) for c in CLASSES for d in CLASSES if c != d), reverse=True)
    assert off[:2] == [(11, 9, 7), (10, 4, 9)] and counts[9][4] == 1
    assert "9 taken for 7, eleven times, and 4 taken for 9, ten times" in LECTURE
    assert min(CLASSES, key=lambda c: counts[c][c] / sum(counts[c])) == 4
    found, those = recall(counts, 4)
    assert f"{found} / {those} = {fixed(100 * found / those, 1)} %" in LECTURE
    shares = [right / called for right, called in (precision(counts, c) for c in CLASSES)]
    assert (shares.index(max(shares)), shares.index(min(shares))) == (4, 2)
    assert f"right in {fixed(100 * shares[4], 1)} % of cases" in LECTURE
    assert f"“2” in {fixed(100 * shares[2], 1)} %" in LECTURE


def test_the_surest_mistakes_are_mistakes_of_the_matrix() -> None:
    svg = confusion.surest_mistakes(Still()).svg
    for mistake in SUREST:
        assert mistake.label != mistake.taken
        assert RUNS[False].answers[mistake.label][mistake.taken] > 0
        assert [len(row) for row in mistake.digit.rows] == [28] * 28
        assert f"{mistake.label} → {mistake.taken}" in svg and f"{mistake.sure:.2f} %" in svg
    assert [m.sure for m in SUREST] == sorted((m.sure for m in SUREST), reverse=True)


@pytest.mark.parametrize("right", range(confusion.FARTHEST + 1))
def test_a_picture_is_moved_over_paper(right: int) -> None:
    rows = digits()[8].rows
    x = torch.tensor([list(row) for row in rows])
    wanted = torch.nn.functional.pad(x, (right, 0))[:, :28]
    assert torch.equal(torch.tensor([list(row) for row in moved(rows, right)]), wanted)
    says = confusion.off_centre(Place(right=right)).says
    for shifts in (False, True):
        assert f"{fixed(100 * RUNS[shifts].moved[right], 1)} %" in says


def test_the_lecture_quotes_what_three_pixels_cost() -> None:
    plain, shifted = RUNS[False].moved, RUNS[True].moved
    start, end = (fixed(100 * share, 1) for share in (plain[0], plain[3]))
    assert f"from {start} % to {end} %" in LECTURE
    assert f"still reads {fixed(100 * shifted[3], 1)} % there" in LECTURE
    end, other = (fixed(100 * run[8], 1) for run in (shifted, plain))
    assert f"it is down to {end} %, as deep as the other ({other} %)" in LECTURE
