"""What a reader does in a lecture: answers, asks for a hint, marks it as read."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.models import Learner, at_once, learner_of
from courses.atlas import Stop, atlas
from courses.markdown import questions_in
from courses.models import Answer, Progress
from courses.models.progress import asked
from courses.pages import fragment, lecture_sheet, progress_html, question_html
from courses.reader import reader_of
from courses.sheet import Cut, cut
from courses.views.pages import stop_or_404
from labs.models.answer import another, give, help_with


@require_POST
def question(request: HttpRequest, section: str, slug: str, name: str) -> HttpResponse:
    """An answer is marked, a hint given, or the numbers are made anew."""
    course = atlas()
    stop = stop_or_404(course, section, slug)
    source, _ = lecture_sheet(course, stop)
    with at_once(request):
        answer = _act(request, stop, source, name)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(f"{stop.url}#question-{name}")
    shown = question_html(source, stop, name, answer)
    return fragment(request, (*shown, *_progress(stop, source, answer.progress, partial=True)))


def _act(request: HttpRequest, stop: Stop, source: str, name: str) -> Answer:
    """Take in what the reader did, and count what is right."""
    progress = progress_of(request, stop)
    answer, _ = Answer.objects.get_or_create(progress=progress, name=name)
    answer.progress = progress
    now = asked(source, name, answer)
    if now is None:
        raise Http404("This lecture asks nothing of that name.")
    if "another" in request.POST:
        another(now)
    elif "help" in request.POST:
        help_with(now)
    else:
        give(now, request.POST.get("given", ""))
    progress.count()
    return answer


def progress_of(request: HttpRequest, stop: Stop) -> Progress:
    """The reader's progress in a lecture, made where there is none.

    The reader is held until the transaction ends: what two tabs do at once happens in turn, and a
    guest who signs in meanwhile has it in the account, or begins anew as a guest.
    """
    held = Learner.objects.select_for_update(no_key=True)
    learner, _ = held.get_or_create(pk=learner_of(request).pk)
    return Progress.objects.get_or_create(learner=learner, lecture_id=stop.pk)[0]


@require_POST
def read(request: HttpRequest, section: str, slug: str) -> HttpResponse:
    """Mark a lecture as read, or as not read after all."""
    course = atlas()
    stop = stop_or_404(course, section, slug)
    with at_once(request):
        progress = progress_of(request, stop)
        progress.mark_read("undo" not in request.POST)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(f"{stop.url}#progress")
    return fragment(request, _progress(stop, lecture_sheet(course, stop)[0], progress))


def _progress(stop: Stop, source: str, progress: Progress, partial: bool = False) -> Cut:
    asked = len(questions_in(source))
    html = progress_html(stop, asked, reader_of(progress.learner_id, stop))
    if not partial:
        return html
    begin, end = '<hx-partial hx-target="#progress" hx-swap="outerHTML">', "</hx-partial>"
    return (*cut(begin), *html, *cut(end))
