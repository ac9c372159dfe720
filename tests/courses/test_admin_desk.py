"""The desk: a lecture is written, saved, published, withdrawn; two at once lose nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Learner
from courses.front import with_status
from courses.models import Answer, Lecture, Progress
from courses.models.lecture import State
from tests.courses.desks import Author, desk, source_in, text_of
from tests.courses.specimen import CHOICE, NUMERIC, file, lecture

pytestmark = pytest.mark.django_db
BROKEN = "---\ntitle: [\n---\n\nThe text below.\n"


@pytest.fixture
def ada() -> Author:
    return Author("ada")


@pytest.fixture
def draft() -> Lecture:
    return lecture(status="draft")


def now(row: Lecture) -> Lecture:
    return Lecture.objects.get(pk=row.pk)


def students_page() -> str:
    return str(Client().get("/course/convolution/window/").content.decode())


# --- saving


def test_a_draft_is_saved_and_students_see_nothing_of_it(ada: Author, draft: Lecture) -> None:
    answer = ada.send(draft, draft.source + "\nOne more line.\n")
    assert answer.status_code == 200 and "Saved." in text_of(answer)
    assert now(draft).source.endswith("\nOne more line.\n") and now(draft).version == 1
    assert now(draft).state == State.DRAFT
    assert "A window slides." not in students_page()
    assert now(draft).history.first().history_user == ada.user


def test_without_scripts_the_form_saves_and_says_so_on_the_page(
    ada: Author, draft: Lecture
) -> None:
    answer = ada.send(draft, draft.source + "More.\r\n", htmx=False)
    assert answer.status_code == 302 and answer["Location"] == desk(draft)
    page = ada.get(desk(draft))
    assert "Saved." in text_of(page)
    assert source_in(page) == now(draft).source == draft.source + "More.\n"


def test_what_has_not_changed_makes_no_version(ada: Author, draft: Lecture) -> None:
    before = draft.history.count()
    assert "nothing has changed" in text_of(ada.send(draft, draft.source))
    assert now(draft).version == 0 and now(draft).history.count() == before


def test_a_draft_of_a_published_lecture_is_kept_beside_what_students_see(ada: Author) -> None:
    row = lecture()
    ada.send(row, row.source + "\nNot yet for students.\n")
    assert now(row).state == State.CHANGED
    assert "Not yet" not in students_page()
    assert ada.send(now(row), now(row).source, do="publish-anyway").status_code == 200
    assert "Not yet" in students_page()
    assert now(row).state == State.PUBLISHED


def test_the_status_in_the_text_follows_the_buttons(ada: Author, draft: Lecture) -> None:
    answer = ada.send(draft, with_status(draft.source, "published") + "More.")
    assert "`status:` follows the buttons" in text_of(answer)
    assert "status: draft" in now(draft).source and not now(draft).is_published
    assert "data-replaces" in answer.content.decode(), "the editor takes the line over"


def test_a_draft_with_a_broken_front_matter_is_kept_and_cannot_be_published(
    ada: Author, draft: Lecture
) -> None:
    answer = ada.send(draft, BROKEN, do="publish")
    assert answer.status_code == 422 and "The front matter" in text_of(answer)
    assert now(draft).source == draft.source, "a refusal saves nothing"
    assert ada.send(draft, BROKEN).status_code == 200
    assert now(draft).source == BROKEN and now(draft).title == "A window"
    page = ada.get(desk(draft))
    assert page.status_code == 200 and source_in(page) == BROKEN


# --- publishing


def test_faults_refuse_to_publish_and_are_named_by_line(ada: Author, draft: Lecture) -> None:
    answer = ada.send(draft, draft.source + "\n# A title of its own\n", do="publish-anyway")
    assert answer.status_code == 422
    said = text_of(answer)
    assert "1 thing must be mended first" in said and "is the lecture's title already" in said
    assert not now(draft).is_published


def test_what_a_lecture_should_have_is_asked_for_once_and_can_be_left_out(
    ada: Author, draft: Lecture
) -> None:
    answer = ada.send(draft, draft.source, do="publish")
    said = text_of(answer)
    assert answer.status_code == 422 and "Key points are missing" in said
    assert "Publish all the same" in said and not now(draft).is_published
    answer = ada.send(draft, draft.source, do="publish-anyway")
    assert answer.status_code == 200 and "Students see this text now" in text_of(answer)
    assert now(draft).is_published and "status: published" in now(draft).source
    assert "View on site" in text_of(answer), "the links follow the state"
    assert "A window slides." in students_page()


def test_a_withdrawn_lecture_is_gone_for_students_and_its_text_is_kept(ada: Author) -> None:
    row = lecture()
    answer = ada.send(row, row.source + "\nOn the way out.\n", do="withdraw")
    assert "Withdrawn." in text_of(answer) and "View on site" not in text_of(answer)
    assert "A window slides." not in students_page()
    assert "On the way out." in now(row).source and "status: draft" in now(row).source


# --- two at once


def test_nothing_is_written_over_what_another_has_saved(ada: Author, draft: Lecture) -> None:
    bob = Author("bob")
    bob.send(draft, draft.source.replace("A window slides.", "A window hops."))
    mine = draft.source.replace("A window slides.", "A window glides.")
    answer = ada.send(draft, mine, htmx=False)
    assert answer.status_code == 409
    said = text_of(answer)
    assert "bob has saved this lecture while you had it open" in said
    assert "− A window hops." in said and "+ A window glides." in said
    assert source_in(answer) == mine and "data-unsaved" in answer.content.decode()
    assert "hops" in now(draft).source


@pytest.mark.parametrize("do", ["publish-anyway", "withdraw"])
def test_nor_by_publishing_or_withdrawing(ada: Author, draft: Lecture, do: str) -> None:
    Author("bob").send(draft, draft.source + "\nBob's.\n")
    assert ada.send(draft, draft.source, do=do).status_code == 409
    assert "Bob's." in now(draft).source and not now(draft).is_published


def test_mine_is_saved_over_theirs_when_i_say_so(ada: Author, draft: Lecture) -> None:
    Author("bob").send(draft, draft.source + "\nBob's.\n")
    mine = draft.source + "\nAda's.\n"
    answer = ada.send(draft, mine, over=1)
    assert answer.status_code == 200 and "kept in the history" in text_of(answer)
    assert now(draft).source == mine
    assert any("Bob's." in entry.source for entry in now(draft).history.all())


def test_over_theirs_means_over_what_was_shown_and_nothing_newer(
    ada: Author, draft: Lecture
) -> None:
    bob = Author("bob")
    bob.send(draft, draft.source + "\nBob's.\n")
    bob.send(now(draft), draft.source + "\nBob's second.\n")
    assert ada.send(draft, draft.source + "\nAda's.\n", over=1).status_code == 409
    assert "Bob's second." in now(draft).source


def test_mine_is_published_over_theirs_where_that_was_asked(ada: Author, draft: Lecture) -> None:
    Author("bob").send(draft, draft.source + "\nBob's.\n")
    mine = draft.source + "\nAda's.\n"
    shown = ada.send(draft, mine, do="publish-anyway")
    assert shown.status_code == 409 and "Publish mine over it" in text_of(shown)
    verb = re.search(r'name="over-do" value="([\w-]+)"', shown.content.decode())
    assert verb and not now(draft).is_published
    more: dict[str, Any] = {"over": 1, "over-do": verb[1]}
    assert ada.send(draft, mine, **more).status_code == 200
    assert "Ada's." in students_page()


@pytest.mark.parametrize("do", ["publish", "publish-anyway"])
def test_an_old_text_is_not_published_already_where_another_has_a_draft(
    ada: Author, do: str
) -> None:
    row = lecture()
    Author("bob").send(row, row.source + "\nBob's draft.\n")
    assert ada.send(row, row.source, do=do).status_code in (409, 422)
    assert "Bob's draft." in now(row).source and now(row).version == 1


def test_a_form_without_its_text_changes_nothing(ada: Author, draft: Lecture) -> None:
    answer = ada.post(desk(draft), version=draft.version, do="save")
    assert answer.status_code == 422 and "without its text" in text_of(answer)
    assert now(draft).source == draft.source


def test_theirs_is_taken_and_mine_stays_in_the_history(ada: Author, draft: Lecture) -> None:
    Author("bob").send(draft, draft.source + "\nBob's.\n")
    answer = ada.send(draft, draft.source + "\nAda's.\n", do="theirs")
    assert answer.status_code == 200 and "Bob's." in text_of(answer)
    assert "Bob's." in now(draft).source and now(draft).version == 1
    kept = now(draft).history.first()
    assert "Ada's." in kept.source and kept.history_user == ada.user
    assert now(draft).last_change.history_user.username == "bob", "what is set aside is no change"


def test_the_open_desk_hears_that_another_has_saved(ada: Author, draft: Lecture) -> None:
    path = f"/admin/courses/lecture/{draft.pk}/version/"
    assert ada.get(f"{path}?version=0").status_code == 204
    Author("bob").send(draft, draft.source + "\nBob's.\n")
    answer = ada.get(f"{path}?version=0")
    assert "bob has saved this lecture" in text_of(answer) and "UTC" in text_of(answer)
    assert ada.get(f"{path}?version=1").status_code == 204


def test_a_number_that_is_set_in_the_list_touches_no_text(ada: Author, draft: Lecture) -> None:
    stale = Lecture.objects.get(pk=draft.pk)
    ada.send(draft, draft.source + "\nSaved meanwhile.\n")
    stale.renumber(7)
    assert now(draft).number == 7 and "Saved meanwhile." in now(draft).source


# --- what cannot be kept


@pytest.mark.parametrize("htmx", [True, False])
def test_a_nul_is_named_by_its_line_taken_out_and_nothing_is_saved(
    ada: Author, draft: Lecture, htmx: bool
) -> None:
    answer = ada.send(draft, "one\ntwo \x00 words", htmx=htmx)
    assert answer.status_code == 422 and "NUL), in line 2" in text_of(answer)
    assert "two  words" in answer.content.decode() and now(draft).source == draft.source


def test_too_long_a_text_is_refused_in_words_and_kept_in_the_editor(
    ada: Author, draft: Lecture
) -> None:
    answer = ada.send(draft, draft.source + "x" * 500_000, htmx=False)
    assert answer.status_code == 422 and "a lecture takes 100,000 at most" in text_of(answer)
    assert source_in(answer).endswith("x" * 500_000) and now(draft).source == draft.source


POISON = ["!!bool x", '!!int ""', "!!timestamp x", "1:" * 300 + "1.0"]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "---",
        "---\n---\n",
        "---\ntitle: " + "[" * 3_000 + "\n---\n",
        "---\ntitle: 2020-13-45\n---\n",
        "---\nminutes: " + "9" * 5_000 + "\n---\n",
        file(":::note a\n" * 500, status="draft"),
        file(":::question choice a\nask: " + "[" * 3_000 + "\n:::\n", status="draft"),
        file(':::lab kernel-forge {"a":' + "[" * 50_000 + "\n:::\n", status="draft"),
        file(":::question numeric a\nlet: {n: 1..2}\nwhere: n > 2\n:::\n", status="draft"),
        "\ufffe\u2028\u202e\x07",
        *(f"---\ntitle: {yaml}\n---\n" for yaml in POISON),
        *(file(f":::question choice a\nask: {yaml}\n:::\n", status="draft") for yaml in POISON),
    ],
    ids=range(19),
)
def test_odd_texts_are_kept_and_shown_again_without_a_traceback(
    ada: Author, draft: Lecture, source: str
) -> None:
    assert ada.post(f"/admin/courses/lecture/{draft.pk}/proof/", source=source).status_code == 200
    assert ada.send(draft, source).status_code == 200
    assert now(draft).source == source
    for path in (desk(draft), f"/admin/courses/lecture/{draft.pk}/history/"):
        assert ada.get(path).status_code == 200
    assert ada.send(now(draft), source + " ", do="publish").status_code == 422


@pytest.mark.parametrize("version", ["", "-1", "x", "²", "9" * 40])
def test_a_version_that_is_none_is_a_conflict_and_no_fault(
    ada: Author, draft: Lecture, version: str
) -> None:
    assert ada.send(draft, draft.source + "More.", version=version).status_code == 409


# --- the preview


def proof(ada: Author, row: Lecture, text: str, **front: str) -> Any:
    return ada.post(f"/admin/courses/lecture/{row.pk}/proof/", source=file(text, **front))


def test_the_preview_shows_what_is_right_with_hints_and_solution(
    ada: Author, draft: Lecture
) -> None:
    said = text_of(proof(ada, draft, NUMERIC + CHOICE, status="draft"))
    assert "At how many places does it stand?" in said and "✓ right" in said
    assert "The place where it begins counts too." in said and "Hint 2." in said
    assert "✗ wrong 1 That keeps the pixel as it is." in said


def test_the_preview_asks_with_the_numbers_of_a_first_try(ada: Author) -> None:
    row = lecture()
    shown = students_page()
    asked = shown[shown.index("A window of ") :].partition(" At how")[0]
    assert asked in proof(ada, row, NUMERIC).content.decode()


def test_the_preview_changes_nothing(ada: Author, draft: Lecture) -> None:
    proof(ada, draft, "Something else.", status="draft")
    assert now(draft).source == draft.source and now(draft).history.count() == 1


def test_a_formula_that_katex_cannot_read_is_among_the_problems_with_its_line(
    ada: Author, draft: Lecture
) -> None:
    answer = proof(ada, draft, "Before.\n\n$\\frac{1}$\n", status="draft")
    page = answer.content.decode()
    assert 'data-line="9"' in page and "Formula:" in page
    assert 'hx-target="#desk-problems"' in page


def test_a_link_that_leads_nowhere_is_told_and_publishing_asks_once_more(
    ada: Author, draft: Lecture
) -> None:
    answer = proof(ada, draft, "[x](/course/convolution/nowhere/)", status="draft")
    assert "leads nowhere" in text_of(answer) and 'data-line="7"' in answer.content.decode()
    assert "To look at" in text_of(answer) and "To mend" not in text_of(answer)


def test_the_lab_is_a_card_that_does_not_run_here(ada: Author, draft: Lecture) -> None:
    text = ':::lab kernel-forge {"stride": 2}\nLook at the *size*.\n:::\n'
    page = proof(ada, draft, text, status="draft").content.decode()
    assert 'href="/labs/kernel-forge/?stride=2"' in page and "<em>size</em>" in page
    assert "/labs/kernel-forge/embed/" not in page


# --- what students make of it


def test_questions_are_counted_and_nobody_is_named(ada: Author) -> None:
    row = lecture()
    tries = [(3, True, 2, False), (1, True, 0, False), (5, False, 2, True), (0, False, 1, False)]
    for count, solved, hints, gave_up in tries:
        progress = Progress.objects.create(learner=Learner.objects.create(), lecture=row)
        facts = {"tries": count, "solved": solved, "hints": hints, "gave_up": gave_up}
        Answer.objects.create(progress=progress, name="width", **facts)
    said = text_of(ada.get(desk(row)))
    assert "width numeric 3 67 % 3.0 5 1" in said
    assert "edge choice 0 – – 0 0" in said
    assert not [str(pk) for pk in Learner.objects.values_list("pk", flat=True) if str(pk) in said]
