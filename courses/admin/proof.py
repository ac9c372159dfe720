"""A lecture's text as its author sees it before students do, and what is wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from courses.atlas import atlas
from courses.check import problems_in
from courses.expressions import BadExpression
from courses.front import PUBLISHED, Problem, normalised, with_status
from courses.markdown import Page, Part, render, say
from courses.models import Picture
from courses.pages import lecture_context, scope_of
from labs.address import query_of
from labs.lab import catalog
from labs.questions import Choice, Number, Shape
from labs.words import number

LONGEST = 200_000
"""Characters. The longest lecture that ships has a tenth of it."""


@dataclass(frozen=True)
class Proof:
    """A text as a page. `faults` must be mended before it is published, `wants` should be."""

    page: Page
    faults: tuple[Problem, ...]
    wants: tuple[Problem, ...]

    @property
    def can_be_published(self) -> bool:
        return self.page.front is not None and not self.faults


def proof_of(source: str) -> Proof:
    """The text as it would be published. It never raises."""
    source = normalised(source)
    if found := refusal(source):
        return Proof(_nothing(source, Problem(1, found)), (Problem(1, found),), ())
    page = render(source)
    if page.front is None:
        return Proof(page, page.problems, ())
    shown = with_status(source, PUBLISHED)
    page = render(shown)
    wants = [p for p in problems_in(shown, _places(), _pictures()) if p not in page.problems]
    return Proof(page, page.problems, tuple(wants))


def refusal(source: str) -> str:
    """Why a text cannot be kept at all, as a sentence; or ""."""
    if "\x00" in source:
        line = source[: source.index("\x00")].count("\n") + 1
        return f"The text has a character that no page can show (NUL), in line {line}"
    if len(source) > LONGEST:
        return f"The text has {len(source):,} characters, and a lecture takes {LONGEST:,} at most"
    return ""


def _nothing(source: str, problem: Problem) -> Page:
    return Page(None, (), (), {}, (), (), (), (), (), len(source.split()), (problem,))


def _places() -> set[str]:
    course = atlas()
    return {leg.url for leg in course.legs} | {
        stop.url for leg in course.legs for stop in leg.stops
    }


def _pictures() -> set[str]:
    return set(Picture.objects.values_list("name", flat=True))


def proof_context(proof: Proof, answers: bool) -> dict[str, Any]:
    """What courses/_text.html needs. With answers: what marks a student's, hints and solution."""
    page = proof.page
    context = lecture_context(atlas(), page)
    placed = zip(page.parts, context["body"], strict=True)
    context["body"] = [_shown(part, page, answers) or as_it_is for part, as_it_is in placed]
    return context


def _shown(part: Part, page: Page, answers: bool) -> dict[str, Any] | None:
    """A question or a lab as plain HTML; None for what is that already."""
    if part.kind == "question":
        return {"kind": "html", "text": _question(page, part.text, answers)}
    if part.kind == "lab":
        return {"kind": "html", "text": _lab(part.text, part.data)}
    return None


def _question(page: Page, name: str, answers: bool) -> str:
    """A question with the numbers of a student's first try."""
    try:
        asked = page.questions[name].made(f"{name}/0", say)
    except BadExpression as fault:
        return render_to_string("courses/_refused.html", {"errors": [f"“{name}”: {fault}."]})
    shown = {"question": asked, "answers": answers, "fresh": asked.fresh}
    if isinstance(asked, Number):
        shown["answer"] = f"{number(asked.answer, 6)} {asked.unit}".strip()
        shown["traps"] = [(number(given, 6), says) for given, says in (asked.traps or {}).items()]
    elif isinstance(asked, Shape):
        shown["answer"] = _sides(asked.answer)
        shown["traps"] = [(_sides(given), says) for given, says in (asked.traps or {}).items()]
    shown["options"] = asked.options if isinstance(asked, Choice) else ()
    return render_to_string("courses/admin/_question.html", shown)


def _sides(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _lab(slug: str, data: Mapping[str, Any]) -> str:
    shown = {
        "lab": catalog()[slug],
        "task": data["task"],
        "query": query_of(data["params"], data["show"]),
        "params": data["params"],
        "scope": scope_of(data["number"]),
    }
    return render_to_string("courses/admin/_lab.html", shown)
