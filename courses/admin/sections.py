"""Sections, and the order of their lectures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from courses.models import Lecture, Section

if TYPE_CHECKING:
    SectionBase = admin.ModelAdmin[Section]
    InlineBase = admin.TabularInline[Lecture, Section]
    FormBase = forms.ModelForm[Section]
    RowBase = forms.ModelForm[Any]
    RowsBase = forms.BaseModelFormSet[Any, Any]
    InlineRowsBase = forms.BaseInlineFormSet[Any, Any, Any]
else:
    SectionBase, InlineBase = admin.ModelAdmin, admin.TabularInline
    FormBase = RowBase = forms.ModelForm
    RowsBase, InlineRowsBase = forms.BaseModelFormSet, forms.BaseInlineFormSet

TAKEN = {"figures", "pictures", "previews"}
"""Addresses below /course/ that are no section's."""


def link_to(lecture: Lecture) -> SafeString:
    url = reverse("admin:courses_lecture_change", args=[lecture.pk])
    return format_html('<a href="{}">{}</a>', url, lecture)


class Numbered(RowBase):
    """A row of a list whose number is edited in it: the field says whose number it is."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["number"].widget.attrs["aria-label"] = f"Number of {self.instance}"


class InOrder(RowsBase):
    """Rows whose numbers are edited together: no two of a section, or of the course, are alike."""

    rows: type[Section] | type[Lecture] = Section

    def clean(self) -> None:
        super().clean()
        given = {form.instance.pk: form.cleaned_data.get("number") for form in self.forms}
        places: dict[tuple[Any, int], Any] = {}
        for row in self.rows.objects.all():
            place = (getattr(row, "section_id", None), given.get(row.pk) or row.number)
            if place in places:
                raise forms.ValidationError(
                    f"Number {place[1]} would be that of both “{places[place]}” and “{row}”. Give "
                    "one of them another."
                )
            places[place] = row


class LecturesInOrder(InOrder):
    rows = Lecture


class InOrderInline(LecturesInOrder, InlineRowsBase):
    """The lectures of one section."""


class SectionForm(FormBase):
    class Meta:
        widgets = {"summary": forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"})}

    def clean_number(self) -> int:
        number = int(self.cleaned_data["number"])
        if other := Section.objects.exclude(pk=self.instance.pk).filter(number=number).first():
            raise forms.ValidationError(f"That is the number of “{other.title}”. Choose another.")
        return number

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if slug in TAKEN:
            raise forms.ValidationError(
                f"/course/{slug}/ is an address of the site itself. Choose another slug."
            )
        return slug


class LecturesInline(InlineBase):
    """The lectures of a section: their order is edited here, their text on pages of their own."""

    model = Lecture
    form = Numbered
    formset = InOrderInline
    fields = ["number", "text", "state"]
    readonly_fields = ["text", "state"]
    extra = 0
    can_delete = False
    view_on_site = False
    verbose_name_plural = "its lectures, in order"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="lecture")
    def text(self, lecture: Lecture) -> SafeString:
        return link_to(lecture)

    @admin.display(description="state")
    def state(self, lecture: Lecture) -> str:
        return str(lecture.state.label)


@admin.register(Section)
class SectionAdmin(SectionBase):
    form = SectionForm
    list_display = ["title", "number", "lectures_in_it", "edited"]
    list_editable = ["number"]
    fields = ["number", "title", "slug", "summary"]
    prepopulated_fields = {"slug": ["title"]}
    inlines = [LecturesInline]
    actions = None
    search_fields = ["title", "summary"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["slug"] if obj else []

    def get_changelist_form(self, request: HttpRequest, **more: Any) -> Any:
        return super().get_changelist_form(request, **{"form": Numbered, **more})

    def get_changelist_formset(self, request: HttpRequest, **more: Any) -> Any:
        return super().get_changelist_formset(request, **{"formset": InOrder, **more})

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["title"]}

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [LecturesInline] if obj else []

    @admin.display(description="lectures")
    def lectures_in_it(self, section: Section) -> str:
        lectures = section.lectures.all()
        return f"{len(lectures)}, {sum(lecture.is_published for lecture in lectures)} published"

    @admin.display(description="edited here")
    def edited(self, section: Section) -> str:
        return "edited" if section.is_edited else ""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {"title": "Sections"})

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("lectures")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A section goes when it is empty: the page says which lectures are still in it."""
        inside = Lecture.objects.filter(section__in=objs)
        protected = [link_to(lecture) for lecture in inside]
        return [str(section) for section in objs], {"sections": len(objs)}, set(), protected

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Of a lecture only its number: its text may have been saved by another meanwhile."""
        for lecture in formset.save(commit=False):
            lecture.renumber(lecture.number)
