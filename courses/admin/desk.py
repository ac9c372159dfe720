"""The desk: the page where an author writes a lecture, saves, publishes and withdraws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from courses.admin.changes import Changes, changes
from courses.admin.history import who
from courses.admin.previews import DAYS, preview_path
from courses.admin.proof import Proof, proof_context, proof_of, refusal
from courses.admin.stumbles import stumbles_of
from courses.front import normalised
from courses.models import Lecture
from labs.data.decode import LONGEST

Verb = Callable[[Lecture, str, int], bool]
VERBS: dict[str, tuple[Verb, str]] = {
    "save": (Lecture.rewrite, "Saved."),
    "publish": (Lecture.publish, "Published. Students see this text now."),
    "withdraw": (Lecture.withdraw, "Withdrawn. Students do not see it any more; the text is kept."),
}


@dataclass(frozen=True)
class Conflict:
    """Another was faster: who, when, and what saving over it would change."""

    change: Any
    changes: Changes
    verb: str

    @property
    def who(self) -> str:
        return who(self.change)


@dataclass(frozen=True)
class Outcome:
    """What became of what an author asked for, and the text that is in the editor now."""

    source: str
    said: str = ""
    status: int = 200
    version: int | None = None
    proof: Proof | None = None
    conflict: Conflict | None = None

    @property
    def is_done(self) -> bool:
        return self.status == 200


def edit(request: HttpRequest, admin: ModelAdmin[Lecture], lecture: Lecture) -> HttpResponse:
    """The page; a POST does what its button says, and answers the bar alone to htmx."""
    outcome = Outcome(lecture.source)
    if request.method == "POST":
        outcome = act(request, lecture)
        if outcome.is_done:
            admin.log_change(request, lecture, outcome.said)
            if not request.htmx:  # type: ignore[attr-defined]
                messages.success(request, outcome.said)
                return redirect(request.path)
    change = lecture.last_change
    context = {"lecture": lecture, "outcome": outcome, "change": change, "who": who(change)}
    context["stumbles"] = stumbles_of(lecture)
    context["can_delete"] = admin.has_delete_permission(request, lecture)
    if request.htmx:  # type: ignore[attr-defined]
        context["replaces"] = outcome.source != normalised(request.POST.get("source", ""))
        return render(request, "courses/admin/_answer.html", context, status=outcome.status)
    context |= _around(request, lecture, outcome.source)
    return render(request, "courses/admin/lecture.html", context, status=outcome.status)


def _around(request: HttpRequest, lecture: Lecture, source: str) -> dict[str, Any]:
    """What the page shows around the editor."""
    proof = proof_of(source)
    return {
        "proof": proof,
        **proof_context(proof),
        "edit_url": request.path,
        "link": request.build_absolute_uri(preview_path(lecture)),
        "days": DAYS,
        "longest": LONGEST,
    }


def act(request: HttpRequest, lecture: Lecture) -> Outcome:
    """Do what the pressed button says, with the text as it was sent."""
    sent = request.POST
    over = "over" in sent
    do, source = sent.get("over-do" if over else "do", "save"), normalised(sent.get("source", ""))
    if "source" not in sent:
        return Outcome(lecture.source, "Not saved: the form came without its text.", 422)
    if found := refusal(source):
        said = f"Not saved: {found[0].lower()}{found[1:]}. Mend that, then save again."
        return Outcome(source.replace("\x00", ""), said, 422, _number(sent.get("version")))
    if do == "theirs":
        lecture.set_aside(source, request.user)  # type: ignore[arg-type]
        return Outcome(lecture.source, "You have their text now. Yours is kept in the history.")
    verb = do.removesuffix("-anyway")
    if verb == "publish":
        proof = proof_of(source)
        if not proof.can_be_published or (proof.wants and verb == do):
            version = _number(sent.get("version"))
            return Outcome(source, "Not published yet.", 422, version, proof=proof)
    version = _number(sent.get("over" if over else "version"))
    return _done(lecture, do, source, version, over)


def _done(lecture: Lecture, do: str, source: str, version: int, over: bool) -> Outcome:
    act_on, said = VERBS.get(do.removesuffix("-anyway"), VERBS["save"])
    is_so = {Lecture.rewrite: True, Lecture.publish: source == lecture.published}
    if source == lecture.source and is_so.get(act_on):
        return Outcome(source, f"{said.partition('.')[0]} already: nothing has changed since.")
    if act_on(lecture, source, version):
        if act_on is Lecture.rewrite and lecture.source != source:
            said += " Its line `status:` follows the buttons."
        if over:
            said += " What it was before is kept in the history."
        return Outcome(lecture.source, said)
    lecture.refresh_from_db()
    conflict = Conflict(lecture.last_change, changes(lecture.source, source), do)
    return Outcome(source, "Not saved.", 409, version, conflict=conflict)


def _number(text: str | None) -> int:
    """A version as a form sends it; what is none is that of no lecture."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else -1


def proof(request: HttpRequest) -> HttpResponse:
    """The preview of what is in the editor, and what is wrong in it. Changes nothing."""
    found = proof_of(request.POST.get("source", ""))
    context = {"proof": found, **proof_context(found)}
    return render(request, "courses/admin/_proof_answer.html", context)


def version(request: HttpRequest, lecture: Lecture) -> HttpResponse:
    """A sentence where another has saved since; the desk asks every 20 s."""
    if request.GET.get("version") == str(lecture.version):
        return HttpResponse(status=204)
    change = lecture.last_change
    context = {"change": change, "who": who(change)}
    return render(request, "courses/admin/_other.html", context)
