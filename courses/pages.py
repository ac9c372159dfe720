"""The pages of the course as sheets: what is the same for everybody is drawn once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import known_learner_id
from courses.atlas import Atlas, Stop
from courses.kept import kept
from courses.markdown import Page, questions_in, render, say, titled
from courses.models import Answer, Lecture
from courses.models.progress import asked
from courses.reader import Reader, reader_of
from courses.sheet import Cut, Sheet, cut, filled, holes, mark
from labs.address import query_of, scope_of
from labs.lab import catalog


def answered(request: HttpRequest, sheet: Sheet, own: Mapping[str, str | Cut]) -> HttpResponse:
    """A sheet as this reader has it."""
    common: dict[str, str | Cut] = {
        "csrf": get_token(request),
        "account": account_html(request),
    }
    return sheet.response(request, {**common, **own})


def account_html(request: HttpRequest) -> Cut:
    """Who is signed in, in the head of the page."""
    user: Any = request.user if SESSION_KEY in request.session else AnonymousUser()
    return _account_html(user.get_username(), user.is_staff, request.path)


@kept
def _account_html(name: str, is_staff: bool, path: str) -> Cut:
    user = {"is_authenticated": bool(name), "is_staff": is_staff, "get_username": name}
    context = {"user": user, "request": {"path": path}, "csrf_token": mark("csrf")}
    return cut(render_to_string("_fragments/account_nav.html", context))


def lecture_page(request: HttpRequest, atlas: Atlas, stop: Stop) -> HttpResponse:
    """A lecture as this reader has it: answered questions and progress are their own."""
    reader = reader_of(known_learner_id(request), stop)
    source, sheet = lecture_sheet(atlas, stop)
    own: dict[str, Cut] = {
        f"question:{name}": question_html(source, stop, name, answer)
        for name, answer in reader.answers.items()
    }
    if reader != Reader():
        own["progress"] = progress_html(stop, len(questions_in(source)), reader)
    return answered(request, sheet, own)


@kept
def lecture_sheet(atlas: Atlas, stop: Stop) -> tuple[str, Sheet]:
    """A lecture's text, and its page as a guest sees it first."""
    source = Lecture.objects.values_list("published", flat=True).get(pk=stop.pk)
    return source, drawn(atlas, stop, source)


def drawn(atlas: Atlas, stop: Stop, source: str) -> Sheet:
    page = render(source, tries=0)
    questions_in.seed(page.questions, source)
    before, after = atlas.beside(stop)
    context = {
        "stop": stop,
        "leg": atlas.leg(stop.section),
        "before": before,
        "after": after,
        "upcoming": atlas.upcoming(stop),
        **lecture_context(atlas, page),
        **holes(),
    }
    common = {f"question:{name}": question_html(source, stop, name) for name in page.questions}
    common["progress"] = progress_html(stop, len(page.questions), Reader())
    return Sheet(render_to_string("courses/lecture.html", context), common)


def lecture_context(atlas: Atlas, page: Page) -> dict[str, Any]:
    """What the text of a lecture needs, on its page and in a preview."""
    front = page.front
    return {
        "front": front,
        "objectives": [say(text) for text in front.objectives] if front else [],
        "key_points": [say(text) for text in front.key_points] if front else [],
        "sources": [say(text) for text in front.sources] if front else [],
        "prerequisites": [
            stop for url in (front.prerequisites if front else ()) if (stop := atlas.at(url))
        ],
        "headings": [{"id": h.id, "title": titled(h.title)} for h in page.headings],
        "body": [_placed(part.kind, part.text, dict(part.data)) for part in page.parts],
        "has_lab": bool(page.labs),
        "moves": "drawn-controls" in "".join(p.text for p in page.parts if p.kind == "html"),
    }


def _placed(kind: str, text: str, data: dict[str, Any]) -> dict[str, Any]:
    """A part of the text as the template takes it; a question is a hole."""
    if kind == "question":
        return {"kind": kind, "hole": mark(f"question:{text}")}
    if kind == "lab":
        lab = catalog()[text]
        return {
            "kind": kind,
            "lab": lab,
            "task": data["task"],
            "scope": scope_of(data["number"]),
            "query": query_of(data["params"], data["show"]),
        }
    return {"kind": kind, "text": text}


def question_html(source: str, stop: Stop, name: str, answer: Answer | None = None) -> Cut:
    """A question of a lecture, with a hole for the form's token."""
    state = tuple(getattr(answer, field) for field in STANDING) if answer else ()
    return _question_html(source, stop, name, state)


STANDING = ("variant", "tries", "hints", "given", "solved", "gave_up")


@kept
def _question_html(source: str, stop: Stop, name: str, state: tuple[Any, ...]) -> Cut:
    """The same for the same numbers, answer and hints: one reader often looks again."""
    answer = Answer(name=name, **dict(zip(STANDING, state, strict=False)))
    found = asked(source, name, answer)
    if found is None:  # the lecture does not ask it any more
        return ()
    url = reverse("courses:question", args=[stop.section, stop.slug, name])
    context = {"asked": found, "ask_url": url, "csrf_token": mark("csrf")}
    return cut(render_to_string("courses/_question.html", context))


def progress_html(stop: Stop, asked: int, reader: Reader) -> Cut:
    """Where the reader stands in a lecture: read, answered, labs run; said apart."""
    return _progress_html(stop, asked, reader.is_read, reader.right, reader.labs_run)


@kept
def _progress_html(
    stop: Stop, asked: int, is_read: bool, right: int, labs_run: frozenset[str]
) -> Cut:
    labs = [(catalog()[slug], slug in labs_run) for slug in stop.labs if slug in catalog()]
    context = {
        "stop": stop,
        "is_read": is_read,
        "right": right,
        "asked": asked,
        "labs": labs,
        "csrf_token": mark("csrf"),
    }
    return cut(render_to_string("courses/_progress.html", context))


def fragment(request: HttpRequest, html: Cut) -> HttpResponse:
    """A fragment with its holes filled."""
    return HttpResponse(filled(html, {"csrf": get_token(request)}))
