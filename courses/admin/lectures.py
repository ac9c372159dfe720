"""Lectures: the list, a new one, and the addresses of the pages where one is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST, require_safe

from courses.admin import desk, history
from courses.admin.sections import LecturesInOrder, Numbered
from courses.content import NUMBERS
from courses.front import read
from courses.models import Lecture, Progress
from courses.models.lecture import State

if TYPE_CHECKING:
    LectureBase = admin.ModelAdmin[Lecture]
    FormBase = forms.ModelForm[Lecture]
else:
    LectureBase, FormBase = admin.ModelAdmin, forms.ModelForm

BEGINNING = Path(__file__).with_name("new_lecture.md")
MARKS = {State.COMING: "·", State.DRAFT: "○", State.PUBLISHED: "●", State.CHANGED: "◐"}
View = Callable[..., HttpResponse]


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, str(state.label)) for state in State]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() is None:
            return queryset
        chosen = [row.pk for row in queryset if row.state == self.value()]
        return queryset.filter(pk__in=chosen)


class NewLecture(FormBase):
    """Where a lecture goes and what it is called; its text begins as new_lecture.md."""

    heading = forms.CharField(
        label="Title", max_length=120, help_text="Two to seven words. You can change them later."
    )
    number = forms.IntegerField(
        min_value=NUMBERS[0],
        max_value=NUMBERS[-1],
        required=False,
        help_text="Its place in the section. Left empty, it comes last.",
    )

    class Meta:
        model = Lecture
        fields = ["section", "slug", "number"]
        help_texts = {
            "slug": "Its address, /course/section/slug/. It stays: other lectures link to it."
        }

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if section := found.get("section"):
            last = section.lectures.aggregate(last=Max("number"))["last"] or 0
            found["number"] = found.get("number") or last + 1
            if section.lectures.filter(slug=found.get("slug")).exists():
                said = "Another lecture of this section has this address. Choose another slug."
                self.add_error("slug", said)
            if other := section.lectures.filter(number=found["number"]).first():
                self.add_error("number", f"That is the number of “{other}”. Choose another.")
        title = json.dumps(str(found.get("heading", "")), ensure_ascii=False)
        self.instance.source = BEGINNING.read_text(encoding="utf-8").replace('"{title}"', title)
        if found.get("heading") and read(self.instance.source).problems:
            self.add_error("heading", "The title has a character that cannot be shown.")
        return found


@admin.register(Lecture)
class LectureAdmin(LectureBase):
    form = NewLecture
    list_display = ["text", "section", "number", "standing", "edited"]
    list_display_links = ["text"]
    list_editable = ["number"]
    list_filter = [StateFilter, "section"]
    list_per_page = 200
    list_select_related = ["section"]
    fields = ["section", "heading", "slug", "number"]
    search_fields = ["title", "source"]
    actions = None

    @admin.display(description="lecture", ordering="title")
    def text(self, lecture: Lecture) -> str:
        return str(lecture)

    @admin.display(description="state")
    def standing(self, lecture: Lecture) -> str:
        return f"{MARKS[lecture.state]} {lecture.state.label}"

    @admin.display(description="edited here")
    def edited(self, lecture: Lecture) -> str:
        return "edited" if lecture.is_edited else ""

    def formfield_for_dbfield(self, db_field: Any, request: Any, **more: Any) -> Any:
        """The section is chosen here, without the ways to its own pages that Django adds."""
        if db_field.name == "section":
            return db_field.formfield()
        return super().formfield_for_dbfield(db_field, request, **more)

    def get_changelist_form(self, request: HttpRequest, **more: Any) -> Any:
        return super().get_changelist_form(request, **{"form": Numbered, **more})

    def get_changelist_formset(self, request: HttpRequest, **more: Any) -> Any:
        return super().get_changelist_formset(request, **{"formset": LecturesInOrder, **more})

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {"title": "Lectures"})

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        one_button = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, {"title": "A new lecture", **one_button})

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {"slug": ["heading"]}

    def save_model(self, request: HttpRequest, obj: Lecture, form: Any, change: bool) -> None:
        """In the list only the number is edited; the text may have been saved by another."""
        if change:
            obj.renumber(obj.number)
        else:
            super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Lecture, post_url_continue: Any = None
    ) -> Any:
        return redirect("admin:courses_lecture_change", obj.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A lecture that students see is withdrawn first."""
        may = super().has_delete_permission(request, obj)
        return may and not (isinstance(obj, Lecture) and obj.is_published)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What learners have made of it goes too: as a count, without names."""
        learners = Progress.objects.filter(lecture__in=objs).count()
        told = [*(f"The lecture {lecture}" for lecture in objs)]
        told += [f"What learners have done in it: {learners} of them"] if learners else []
        return told, {"lectures": len(objs)}, set(), []

    def get_urls(self) -> list[URLPattern]:
        made: list[tuple[str, View, str]] = [
            ("<int:pk>/proof/", require_POST(self.proof), "proof"),
            ("<int:pk>/version/", require_safe(self.version), "version"),
            ("<int:pk>/history/<int:entry>/", require_safe(self.entry), "entry"),
            ("<int:pk>/history/<int:entry>/restore/", require_POST(self.restore), "restore"),
        ]
        ours = [
            path(where, self.admin_site.admin_view(view), name=f"courses_lecture_{name}")
            for where, view, name in made
        ]
        return [*ours, *super().get_urls()]

    def mine(self, request: HttpRequest, pk: Any) -> Lecture:
        """The lecture, for who may change it; else 403, or 404."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        found = str(pk) if str(pk).isascii() and str(pk).isdigit() else "0"
        return get_object_or_404(Lecture.objects.select_related("section"), pk=int(found[:15]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        return desk.edit(request, self, self.mine(request, object_id))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        return history.show(request, self.mine(request, object_id))

    def proof(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.mine(request, pk)
        return desk.proof(request)

    def version(self, request: HttpRequest, pk: int) -> HttpResponse:
        return desk.version(request, self.mine(request, pk))

    def entry(self, request: HttpRequest, pk: int, entry: int) -> HttpResponse:
        return history.entry(request, self.mine(request, pk), entry)

    def restore(self, request: HttpRequest, pk: int, entry: int) -> HttpResponse:
        return history.restore(request, self.mine(request, pk), entry)
