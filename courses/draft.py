"""A text as its author sees it before students do, and what is wrong in it: plain data.

Rendered in a process without a database (courses.sandboxed): what it needs of the site is given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.template.loader import render_to_string

from courses.check import wants_of
from courses.expressions import BadExpression
from courses.front import PUBLISHED, Problem, read, with_status
from courses.markdown import At, Page, Part, nowhere, render, say, titled
from labs.address import query_of, scope_of
from labs.lab import catalog
from labs.questions import Choice, Number, Shape
from labs.words import number

FEW = 100
"""So many problems are told; who has mended them sees the next."""


def draft_of(
    source: str,
    places: Collection[str],
    pictures: Collection[str],
    answers: bool,
    at: At = nowhere,
) -> dict[str, Any]:
    """The text as it would be published, as JSON takes it. `at` is told each line in its turn."""
    source = with_status(source, PUBLISHED) if read(source).front else source
    page = render(source, at=at)
    wants: Iterable[Problem] = ()
    if page.front is not None:
        wants = sorted(wants_of(page, places, pictures), key=lambda problem: problem.line)
    front = page.front
    return {
        "front": front and front.model_dump(mode="json"),
        "words": page.words,
        "faults": _told(page.problems),
        "wants": _told(dict.fromkeys(wants)),
        "objectives": [say(text) for text in front.objectives] if front else [],
        "key_points": [say(text) for text in front.key_points] if front else [],
        "sources": [say(text) for text in front.sources] if front else [],
        "headings": [{"id": h.id, "title": titled(h.title)} for h in page.headings],
        "body": [_shown(part, page, answers) for part in page.parts],
    }


def _told(problems: Iterable[Problem]) -> list[tuple[int, str, str]]:
    found = [(problem.line, problem.message, problem.todo) for problem in problems]
    if more := found[FEW:]:
        return [*found[:FEW], (more[0][0], f"So are {len(more):,} more from here on", "")]
    return found


def _shown(part: Part, page: Page, answers: bool) -> str:
    """A question or a lab as plain HTML, too."""
    if part.kind == "question":
        return _question(page, part.text, answers)
    if part.kind == "lab":
        return _lab(part.text, part.data)
    return part.text


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
