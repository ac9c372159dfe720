"""Every version of a lecture can be looked at and brought back; drafts are shared by a link."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.signing import TimestampSigner
from django.test import Client
from pytest_django.fixtures import Settings

from courses.admin import previews
from courses.admin.changes import changes
from courses.admin.previews import preview_path
from courses.models import Lecture
from courses.models.lecture import State
from tests.courses.desks import Author, desk, text_of
from tests.courses.specimen import NUMERIC, file, lecture

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Author:
    return Author("ada")


@pytest.fixture
def row(ada: Author) -> Lecture:
    """Begun by load_course, then changed by ada, then published by bob."""
    made = lecture(status="draft")
    made.history.update(history_change_reason="load_course")
    ada.send(made, made.source.replace("A window slides.", "A window glides."))
    made.refresh_from_db()
    Author("bob").send(made, made.source, do="publish-anyway")
    made.refresh_from_db()
    return made


def history(row: Lecture) -> str:
    return f"/admin/courses/lecture/{row.pk}/history/"


def entry(row: Lecture, place: int) -> str:
    """A version's address; 0 is the newest."""
    return f"{history(row)}{row.history.all()[place].pk}/"


# --- history


def test_it_says_who_and_what_newest_first(ada: Author, row: Lecture) -> None:
    said = text_of(ada.get(history(row)))
    newest, changed, begun = (said.index(words) for words in ("bob publish", "ada", "load_course"))
    assert newest < begun and changed < begun
    assert "ada +1 −1 What changed" in said and "load_course brought from its file all" in said


def test_a_version_is_shown_against_the_one_before_and_against_now(
    ada: Author, row: Lecture
) -> None:
    page = ada.get(entry(row, 1))
    said = text_of(page)
    assert "− A window slides." in said and "+ A window glides." in said
    assert "Against now" in said and "− status: draft" in said and "+ status: published" in said
    assert "<ins>" in page.content.decode() and "<del>" in page.content.decode()
    assert "It is the first." in text_of(ada.get(entry(row, 2)))
    assert "the text that the lecture has now" in text_of(ada.get(entry(row, 0)))


def test_an_earlier_version_is_restored_as_a_new_one(ada: Author, row: Lecture) -> None:
    count = row.history.count()
    answer = ada.post(f"{entry(row, 2)}restore/", version=row.version)
    assert answer.status_code == 302 and answer["Location"] == desk(row)
    after = Lecture.objects.get(pk=row.pk)
    assert "A window slides." in after.source and after.version == row.version + 1
    assert after.history.count() == count + 1, "nothing is taken out"
    assert after.history.first().history_change_reason.startswith("restored from")
    assert after.state == State.CHANGED, "students go on seeing what is published"
    assert "glides" in Client().get("/course/convolution/window/").content.decode()


def test_nothing_is_restored_over_what_another_has_saved_meanwhile(
    ada: Author, row: Lecture
) -> None:
    seen = row.version
    Author("eve").send(row, row.source + "\nEve's.\n")
    answer = ada.post(f"{entry(row, 2)}restore/", version=seen)
    assert answer.status_code == 409 and "eve has saved this lecture since" in text_of(answer)
    assert "Eve's." in Lecture.objects.get(pk=row.pk).source


def test_a_long_history_has_pages_and_each_version_its_difference(ada: Author) -> None:
    made = lecture(status="draft")
    for n in range(45):
        assert made.rewrite(f"{made.source}{n}\n", made.version)
    pages = [text_of(ada.get(f"{history(made)}?page={n}")) for n in (1, 2, 3)]
    assert [page.count("What changed") for page in pages] == [20, 20, 6]
    assert [page.count("+1 −0") for page in pages] == [20, 20, 5]
    assert "Page 2 of 3" in pages[1] and "begun" in pages[2]


def test_another_lectures_version_is_not_found(ada: Author, row: Lecture) -> None:
    other = lecture(slug="other", status="draft")
    assert ada.get(f"{history(other)}{row.history.first().pk}/").status_code == 404
    path = f"{history(other)}{row.history.first().pk}/restore/"
    assert ada.post(path, version=other.version).status_code == 404


def test_a_difference_counts_lines_and_names_their_place() -> None:
    found = changes("a\nb\nc\n", "a\nB\nc\nd\n")
    assert (found.added, found.removed, str(found)) == (2, 1, "+2 −1")
    assert [(line.sign, line.text) for line in found.lines][:4] == [
        ("", "From line 1"),
        ("", "a"),
        ("−", "b"),
        ("+", "B"),
    ]
    assert str(changes("a", "a")) == "no line"


# --- load_course


def test_load_course_keeps_what_an_author_has_saved_and_prints_the_difference(
    ada: Author, tmp_path: Path
) -> None:
    folder = tmp_path / "05-convolution"
    folder.mkdir()
    (folder / "section.toml").write_text('title = "Convolution"\nsummary = "A window."\n')
    path = folder / "01-window.md"
    path.write_text(file("A window slides.\n", status="draft"))
    load(tmp_path)
    row = Lecture.objects.get()
    assert text_of(ada.get("/admin/courses/lecture/")).count(" edited ") == 0
    ada.send(row, row.source.replace("slides", "glides"))
    path.write_text(file("A window hops.\n", status="draft"))
    said = load(tmp_path)
    assert "convolution/window was edited here, and is kept." in said
    assert "-A window glides." in said and "+A window hops." in said
    assert "glides" in Lecture.objects.get().source
    assert "edited" in text_of(ada.get("/admin/courses/lecture/"))


def load(content: Path) -> str:
    said = io.StringIO()
    call_command("load_course", content=content, stdout=said)
    return said.getvalue()


# --- the link to a draft


def shown(path: str) -> Any:
    return Client().get(path)


def test_whoever_has_the_link_sees_the_draft_and_answers_nothing(ada: Author) -> None:
    row = lecture(status="draft")
    assert preview_path(row).rpartition(":")[0] in ada.get(desk(row)).content.decode()
    answer = shown(preview_path(row))
    said = text_of(answer)
    assert answer.status_code == 200
    assert "A draft. Only people with this link see it." in said
    assert "Questions can be answered once the lecture is published." in said
    assert "What is right" not in said and "Add one for the first place." not in said
    assert "<form" not in answer.content.decode()


def test_it_tells_nobody_where_it_was_and_is_kept_nowhere() -> None:
    answer = shown(preview_path(lecture(status="draft")))
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Robots-Tag"] == "noindex" and b'content="noindex"' in answer.content


def test_it_shows_the_working_text_of_a_published_lecture_too(ada: Author) -> None:
    row = lecture()
    ada.send(row, row.source + "\nNot yet for students.\n")
    assert "Not yet for students." in text_of(shown(preview_path(row)))


def test_a_forged_link_is_not_found() -> None:
    row = lecture(status="draft")
    other = lecture(slug="other", status="draft")
    path = preview_path(row)
    pk, rest = path.removeprefix("/course/previews/").split(":", 1)
    elsewhere = TimestampSigner(salt="elsewhere").sign(pk)
    for forged in (f"{other.pk}:{rest}", f"{pk}:{rest[:-2]}x/", pk, f"{elsewhere}/", "x" * 500):
        answer = shown(f"/course/previews/{forged.rstrip('/')}/")
        assert answer.status_code == 404, forged


def test_an_old_link_says_that_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    path = preview_path(lecture(status="draft"))
    monkeypatch.setattr(previews, "DAYS", -1)
    answer = shown(path)
    assert answer.status_code == 410 and "This preview is over" in text_of(answer)


def test_the_link_to_a_lecture_that_is_gone_is_not_found() -> None:
    row = lecture(status="draft")
    path = preview_path(row)
    row.delete()
    assert shown(path).status_code == 404


@pytest.mark.parametrize("source", ["", "---\ntitle: [\n---\n\n:::x\n", NUMERIC])
def test_a_draft_that_cannot_be_read_yet_is_shown_as_far_as_it_can(source: str) -> None:
    row = lecture(status="draft")
    assert row.rewrite(source, row.version)
    assert shown(preview_path(row)).status_code == 200


def test_it_asks_to_sign_in_where_everybody_must(settings: Settings) -> None:
    needed = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, needed]
    row = lecture(status="draft")
    assert shown(preview_path(row)).status_code == 302
    assert shown(desk(row)).status_code == 302
