"""Every version of a lecture: who, when, what it changed; and the way back to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format

from courses.admin.changes import Changes, changes
from courses.models import Lecture
from courses.models.lecture import SET_ASIDE

A_PAGE = 20


@dataclass(frozen=True)
class Entry:
    """A version in the history, and what it changed of the one before (None: it is the first)."""

    record: Any
    before: Any

    @property
    def who(self) -> str:
        return who(self.record)

    @cached_property
    def changes(self) -> Changes | None:
        return changes(self.before.source, self.record.source) if self.before else None

    @property
    def what(self) -> str:
        """In words, where the difference of the texts does not tell it."""
        reason = self.record.history_change_reason or ""
        if reason == SET_ASIDE:
            return "set aside: theirs was taken instead"
        if reason == "load_course":
            return "brought from its file"
        if self.before and self.before.number != self.record.number:
            return f"number {self.before.number} became {self.record.number}"
        return reason or ("" if self.before else "begun")


def who(record: Any) -> str:
    """Who made an entry of the history."""
    if record is None:
        return "Somebody"
    if record.history_user is not None:
        return str(record.history_user.get_username())
    if record.history_change_reason == "load_course":
        return "load_course"
    return "Somebody without an account"


def entries(lecture: Lecture, page: str | None) -> tuple[Page[Any], list[Entry]]:
    """A page of the history, newest first; each entry beside the one before it."""
    records = lecture.history.select_related("history_user")
    found = Paginator(records, A_PAGE).get_page(page)
    end = found.end_index()
    shown = [*found.object_list, *records[end : end + 1]]
    listed = [Entry(record, before) for record, before in pairwise([*shown, None])]
    return found, listed[: len(found.object_list)]


def show(request: HttpRequest, lecture: Lecture) -> HttpResponse:
    page, listed = entries(lecture, request.GET.get("page"))
    context = {"lecture": lecture, "page": page, "entries": listed}
    return render(request, "courses/admin/history.html", context)


def entry_or_404(lecture: Lecture, pk: int) -> Entry:
    record = lecture.history.select_related("history_user").filter(pk=pk).first()
    if record is None:
        raise Http404("There is no such version of this lecture.")
    return Entry(record, lecture.history.filter(pk__lt=pk).first())


def entry(request: HttpRequest, lecture: Lecture, pk: int, status: int = 200) -> HttpResponse:
    """One version: what it changed, and what has changed since."""
    found = entry_or_404(lecture, pk)
    context = {
        "lecture": lecture,
        "entry": found,
        "since": changes(found.record.source, lecture.source),
        "is_now": found.record.source == lecture.source,
    }
    return render(request, "courses/admin/version.html", context, status=status)


def restore(request: HttpRequest, lecture: Lecture, pk: int) -> HttpResponse:
    """Make an earlier text the lecture's again, as a new version."""
    record = entry_or_404(lecture, pk).record
    seen = request.POST.get("version", "")
    reason = f"restored from {date_format(record.history_date, 'j F Y, H:i:s')}"
    if seen != str(lecture.version) or not lecture.rewrite(record.source, lecture.version, reason):
        messages.error(
            request,
            f"{who(lecture.last_change)} has saved this lecture since you opened this page, so "
            "nothing was restored. Look at what has changed since, then restore again.",
        )
        return entry(request, lecture, pk, status=409)
    messages.success(request, "Restored. What was there before is kept in the history.")
    return redirect("admin:courses_lecture_change", lecture.pk)
