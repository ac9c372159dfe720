"""Headings: their ids, and the contents that are made of them."""

from __future__ import annotations

import re

import pytest

from courses.markdown import OURS, render, titled
from tests.courses.specimen import file
from tools.processes import ROOT

TEMPLATES = ROOT / "templates"


def test_headings_have_ids_and_make_the_contents() -> None:
    page = render(file("## How wide?\n\na\n\n## How wide?\n\n### In $k$"))
    assert [(h.id, h.title) for h in page.headings] == [
        ("how-wide", "How wide?"),
        ("how-wide-2", "How wide?"),
    ]
    (part,) = render(file("### In $k$")).parts
    assert '<h3 id="in-k">In <math' in part.text


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("2. Padding", "2. Padding"),
        ("- `__init__`", "- <code>__init__</code>"),
        ("[A *kernel*](/labs/)", "A <em>kernel</em>"),
        ('[a](b "><img src=x onerror=hit()>")', "a"),
    ],
)
def test_the_contents_show_a_heading_in_one_line(title: str, shown: str) -> None:
    (heading,) = render(file(f"## {title}")).headings
    assert titled(heading.title) == shown
    assert "<mi>k</mi>" in titled("In $k$")


@pytest.mark.parametrize("word", ["Progress", "Lab", "Panel", "Content", "Question q", "Figure 1"])
def test_a_heading_does_not_take_the_id_of_a_part_of_the_page(word: str) -> None:
    (heading, again) = render(file(f"## {word}\n\n## {word}")).headings
    assert heading.id == f"part-{word.lower().replace(' ', '-')}" and again.id == f"{heading.id}-2"


def test_every_id_of_a_template_is_kept_from_headings() -> None:
    """Those of the accounts' pages, which show no lecture, aside."""
    texts = [p.read_text() for p in TEMPLATES.rglob("*.html") if p.parent.name != "account"]
    ids = {found for text in texts for found in re.findall(r'\sid="([^"]+)"', text)}
    for place, made in (
        ("{{ scope }}", ""),
        ("{{ control.id }}", "control-x"),
        ("{{ place }}", "figure-1"),
    ):
        ids = {found.replace(place, made) for found in ids}
    plain = {re.sub(r"\{\{.*?\}\}", "x", found) for found in ids}
    assert len(plain) > 50
    assert [found for found in plain if "_" not in found and not OURS.fullmatch(found)] == []
