"""A test that cannot run is skipped, except where that is a failure."""

from __future__ import annotations

import pytest

from tests.needs import not_run


@pytest.mark.parametrize("required", ["", "datasets"])
def test_what_is_not_required_is_skipped(required: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVOLAB_REQUIRE", required)
    with pytest.raises(pytest.skip.Exception, match="NOT RUN: no Docker"):
        not_run("engine", "no Docker")


@pytest.mark.parametrize("required", ["engine", "engine,datasets"])
def test_what_is_required_fails(required: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVOLAB_REQUIRE", required)
    with pytest.raises(pytest.fail.Exception, match="asks for it: no Docker"):
        not_run("engine", "no Docker")


def test_a_name_that_requires_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVOLAB_REQUIRE", "engines")
    with pytest.raises(AssertionError, match="knows"):
        not_run("engine", "no Docker")
