"""Every figure, moved to the ends of its controls: it draws, or says in words why not."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from courses.content import sections_in
from courses.figures.figure import Drawing, Figure, every_figure
from courses.markdown import render
from labs.controls import validate
from labs.fields import fields_of

FIGURES = [pytest.param(figure, id=name) for name, figure in every_figure().items()]


def ends(figure: Figure) -> list[dict[str, Any]]:
    """The params as they are, then with one at a time at each end, then all at an end."""
    found: list[dict[str, Any]] = [{}]
    low, high = {}, {}
    for name, schema in fields_of(figure.params).items():
        if schema["control"] == "slider":
            values = [schema["minimum"], schema["maximum"]]
        elif schema["control"] == "choice":
            values = list(schema["literals"])
        else:
            values = [False, True]
        found += [{name: value} for value in values]
        low[name], high[name] = values[0], values[-1]
    return [*found, low, high]


def drawings(figure: Figure) -> list[Drawing]:
    made = []
    for values in ends(figure):
        params, errors = validate(figure.params, values)
        assert params is not None or all(len(says) > 20 for says in errors.values())
        if params is not None:
            made.append(figure.draw(params))
    assert made, "the default must be drawn"
    return made


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_draws_wherever_it_is_moved(figure: Figure) -> None:
    for drawing in drawings(figure):
        picture = ElementTree.fromstring(drawing.svg)
        assert picture.tag == "svg" and picture.get("role") == "img"
        assert picture.get("aria-label") == drawing.alt and len(drawing.alt) > 20
        assert "nan" not in drawing.svg.lower().replace("name", "")
        _, _, width, height = map(float, (picture.get("viewBox") or "").split())
        assert 100 <= width <= 700 and 40 <= height <= 700
        assert not figure.moves or drawing.says, "what moves says its numbers"


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_keeps_to_the_content_security_policy(figure: Figure) -> None:
    for drawing in drawings(figure):
        assert not re.search(r"\sstyle=|\son[a-z]+=|<script|<foreignObject|<style", drawing.svg)
        for address in re.findall(r'href="([^"]*)"', drawing.svg):
            assert address.startswith("data:image/png;base64,")


def test_every_figure_is_in_a_lecture_and_moves_are_different() -> None:
    used = {
        name
        for section in sections_in()
        for lecture in section.lectures
        for name in render(lecture.source).figures
    }
    assert used == set(every_figure())
    for name, figure in every_figure().items():
        if figure.moves:
            assert len({drawing.svg for drawing in drawings(figure)}) > 1, name
