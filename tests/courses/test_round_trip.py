"""What the admin takes, dump_course writes and load_course brings back as it was."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from courses.admin.lectures import NewLecture
from courses.admin.sections import SectionForm
from courses.models import Lecture, Section

pytestmark = pytest.mark.django_db
NewSection = forms.modelform_factory(
    Section, form=SectionForm, fields=["number", "title", "slug", "summary"]
)
NUMBER = st.integers(1, 3) | st.sampled_from([-1, 0, 98, 99, 100, 150, 10**30])
SLUG = st.from_regex(r"\A[a-c]{1,2}(-[a-c])?\Z") | st.text("aB1-_é", min_size=1, max_size=5)
TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\x7f\x85\u2028\\\"'\r\n"),
    min_size=1,
    max_size=20,
)


def given_to(form: type[forms.ModelForm[Any]], **fields: Any) -> forms.ModelForm[Any]:
    """The form as somebody has sent it; its row is saved where it takes all."""
    sent = form(data={name: str(value) for name, value in fields.items()})
    if sent.is_valid():
        sent.save()
    return sent


def course() -> tuple[list[Any], list[Any]]:
    sections = Section.objects.values_list("number", "slug", "title", "summary")
    lectures = Lecture.objects.values_list("section__slug", "number", "slug", "title", "source")
    return list(sections), list(lectures)


def empty() -> None:
    Lecture.objects.all().delete()
    Section.objects.all().delete()


def dumped_and_loaded() -> None:
    with tempfile.TemporaryDirectory() as folder:
        call_command("dump_course", content=Path(folder), stdout=io.StringIO())
        empty()
        call_command("load_course", content=Path(folder), stdout=io.StringIO())


@settings(max_examples=60)
@given(
    st.lists(st.tuples(NUMBER, SLUG, TEXT, TEXT), min_size=1, max_size=3),
    st.lists(st.tuples(NUMBER | st.just(""), SLUG, TEXT), max_size=4),
)
def test_what_the_forms_take_comes_back(
    sections: Iterable[tuple[int, str, str, str]], lectures: Iterable[tuple[int | str, str, str]]
) -> None:
    empty()
    for number, slug, title, summary in sections:
        given_to(NewSection, number=number, slug=slug, title=title, summary=summary)
    for section in Section.objects.all():
        for place, slug, heading in lectures:
            given_to(NewLecture, section=section.pk, number=place, slug=slug, heading=heading)
    before = course()
    dumped_and_loaded()
    assert course() == before
    assert not any(row.is_edited for row in [*Section.objects.all(), *Lecture.objects.all()])


def test_a_title_that_no_file_can_hold_is_refused() -> None:
    given_to(NewSection, number=5, slug="convolution", title="A\x7fb", summary="S.")
    dumped_and_loaded()
    section = Section.objects.get()
    assert section.title == "A\x7fb"
    sent = given_to(NewLecture, section=section.pk, slug="a", heading="A\x7fb")
    assert "a character that cannot be shown" in str(sent.errors["heading"])
    assert not Lecture.objects.exists()


@pytest.mark.parametrize(
    ("other", "says"), [("05-more", "sections of one number"), ("06-a", "sections of one slug")]
)
def test_a_folder_with_two_sections_alike_is_refused(tmp_path: Path, other: str, says: str) -> None:
    for name in ("05-a", other):
        (tmp_path / name).mkdir()
        (tmp_path / name / "section.toml").write_text('title = "A"\nsummary = "B."\n')
    with pytest.raises(CommandError, match=f"two {says}: 05-a, {other}"):
        call_command("load_course", content=tmp_path)
    assert not Section.objects.exists()
