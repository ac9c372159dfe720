"""A lecture's text as its author sees it before students do, and what is wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import mark_safe

from courses.atlas import atlas
from courses.front import Front, Problem, normalised, too_long
from courses.models import Picture
from courses.sandbox import SANDBOX, NotRenderedError

SMALLER = "Make what stands at this line smaller or simpler, or take it out."


@dataclass(frozen=True)
class Proof:
    """A text as a page. `faults` must be mended before it is published, `wants` should be.

    `shown` is what the templates show of it: the HTML of its parts, of its headings and the rest.
    """

    front: Front | None = None
    words: int = 0
    faults: tuple[Problem, ...] = ()
    wants: tuple[Problem, ...] = ()
    shown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def can_be_published(self) -> bool:
        return self.front is not None and not self.faults


def proof_of(source: str, answers: bool = True) -> Proof:
    """The text as it would be published, with what marks a student's answers or without.

    It is rendered in the sandbox. It never raises.
    """
    source = normalised(source)
    if found := refusal(source):
        return Proof(faults=(Problem(1, found),), words=len(source.split()))
    given = {"places": sorted(_places()), "pictures": sorted(_pictures()), "answers": answers}
    try:
        draft = SANDBOX.ask({"source": source, **given})
    except NotRenderedError as fault:
        todo = SMALLER if fault.line else ""
        return Proof(faults=(Problem(max(1, fault.line), str(fault), todo),))
    return Proof(
        front=draft["front"] and Front.model_validate(draft["front"]),
        words=draft["words"],
        faults=tuple(Problem(*problem) for problem in draft["faults"]),
        wants=tuple(Problem(*problem) for problem in draft["wants"]),
        shown=_safe(draft),
    )


def refusal(source: str) -> str:
    """Why a text cannot be kept at all, as a sentence; or ""."""
    if "\x00" in source:
        line = source[: source.index("\x00")].count("\n") + 1
        return f"The text has a character that no page can show (NUL), in line {line}"
    return too_long(source)


def _places() -> set[str]:
    course = atlas()
    return {leg.url for leg in course.legs} | {
        stop.url for leg in course.legs for stop in leg.stops
    }


def _pictures() -> set[str]:
    return set(Picture.objects.values_list("name", flat=True))


def _safe(draft: Mapping[str, Any]) -> dict[str, Any]:
    """The HTML of a draft, cleaned where it was made, for the templates."""
    texts = {
        name: list(map(_html, draft[name])) for name in ("objectives", "key_points", "sources")
    }
    headings = [{"id": h["id"], "title": _html(h["title"])} for h in draft["headings"]]
    body = [{"kind": "html", "text": text} for text in draft["body"]]
    return {**texts, "headings": headings, "body": body}


def _html(text: str) -> str:
    return mark_safe(text)  # noqa: S308 (cleaned)


def proof_context(proof: Proof) -> dict[str, Any]:
    """What courses/_text.html and the pages around it need."""
    front = proof.front
    course = atlas()
    earlier = [course.at(url) for url in (front.prerequisites if front else ())]
    return {"front": front, "prerequisites": [s for s in earlier if s], **proof.shown}
