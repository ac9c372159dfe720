"""The lists of sections and lectures: order, state, search; what is added, and what is deleted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Learner
from courses.admin.proof import proof_of
from courses.models import Lecture, Progress, Section
from courses.models.lecture import State
from tests.courses.desks import Author, desk, source_in, text_of
from tests.courses.specimen import lecture

pytestmark = pytest.mark.django_db
LIST = "/admin/courses/lecture/"


@pytest.fixture
def ada() -> Author:
    return Author("ada")


def titles(answer: Any) -> list[str]:
    return re.findall(r'class="field-text"><a [^>]*>([^<]*)</a>', answer.content.decode())


def four() -> None:
    """One lecture of each state."""
    lecture(slug="a", number=1, title="Seen")
    changed = lecture(slug="b", number=2, title="Seen and changed")
    assert changed.rewrite(changed.source + "\nMore.\n", changed.version)
    lecture(slug="c", number=3, title="Begun", status="draft")
    lecture("", slug="d", number=4, title="To come", status="draft")


def test_the_list_says_the_state_in_words_with_a_sign(ada: Author) -> None:
    four()
    answer = ada.get(LIST)
    assert titles(answer) == ["Seen", "Seen and changed", "Begun", "To come"]
    said = text_of(answer)
    for state in ("● Published", "◐ Published, with changes", "○ Draft", "· Coming"):
        assert state in said


@pytest.mark.parametrize("state", list(State))
def test_it_is_filtered_by_state(ada: Author, state: State) -> None:
    four()
    found = titles(ada.get(f"{LIST}?state={state.value}"))
    assert (
        found
        == {
            State.PUBLISHED: ["Seen"],
            State.CHANGED: ["Seen and changed"],
            State.DRAFT: ["Begun"],
            State.COMING: ["To come"],
        }[state]
    )


def test_it_is_searched_by_title_and_in_the_text(ada: Author) -> None:
    four()
    lecture("A word that stands nowhere else: parallelepiped.", slug="e", title="Solids")
    assert titles(ada.get(f"{LIST}?q=begun")) == ["Begun"]
    assert titles(ada.get(f"{LIST}?q=parallelepiped")) == ["Solids"]


def form_of(answer: Any, prefix: str) -> dict[str, str]:
    """What a browser would send of a list's own fields."""
    fields = re.findall(r'<input type="(?:hidden|number)"[^>]*>', answer.content.decode())
    found = {}
    for field in fields:
        name, value = re.search(r'name="([^"]*)"', field), re.search(r'value="([^"]*)"', field)
        if name and name[1].startswith(prefix):
            found[name[1]] = value[1] if value else ""
    return found


def test_the_order_of_lectures_is_edited_in_the_list(ada: Author) -> None:
    four()
    sent = form_of(ada.get(LIST), "form-") | {"form-0-number": "9", "_save": "Save"}
    assert ada.client.post(LIST, sent).status_code == 302
    assert titles(ada.get(LIST)) == ["Seen and changed", "Begun", "To come", "Seen"]
    assert Lecture.objects.get(slug="a").history.first().history_user == ada.user


def test_a_section_shows_its_lectures_with_links_and_edits_their_order(ada: Author) -> None:
    four()
    section = Section.objects.get()
    page = f"/admin/courses/section/{section.pk}/change/"
    answer = ada.get(page)
    rows = Lecture.objects.all()
    assert all(f'href="{desk(row)}"' in answer.content.decode() for row in rows)
    sent = form_of(answer, "lectures-") | {"lectures-3-number": "1", "lectures-0-number": "4"}
    about = {"number": "5", "title": "Convolution", "summary": "Other words."}
    assert ada.client.post(page, sent | about).status_code == 302
    assert list(Lecture.objects.values_list("slug", flat=True)) == ["d", "b", "c", "a"]
    section.refresh_from_db()
    assert section.summary == "Other words." and section.slug == "convolution"


@pytest.mark.parametrize(("number", "says"), [("2", "would be that of both"), ("100", "99")])
def test_a_number_that_no_order_can_have_is_refused(ada: Author, number: str, says: str) -> None:
    four()
    section = f"/admin/courses/section/{Section.objects.get().pk}/change/"
    about = {"number": "5", "title": "Convolution", "summary": "Words."}
    for page, prefix in ((LIST, "form-"), (section, "lectures-")):
        sent = form_of(ada.get(page), prefix) | {f"{prefix}0-number": number, "_save": "Save"}
        refused = ada.client.post(page, sent | about)
        assert refused.status_code == 200 and says in text_of(refused)
    new = {"section": str(Section.objects.get().pk), "heading": "More", "slug": "more"}
    refused = ada.client.post(f"{LIST}add/", new | {"number": number})
    assert refused.status_code == 200 and not Lecture.objects.filter(slug="more").exists()
    assert list(Lecture.objects.values_list("number", flat=True)) == [1, 2, 3, 4]


@pytest.mark.parametrize("slug", ["Extra", "extra_topics", "-extra", "a--b", "é"])
def test_an_address_that_no_file_can_have_is_refused(ada: Author, slug: str) -> None:
    row = lecture()
    new = {"number": "19", "title": "More", "summary": "More of it.", "slug": slug}
    refused = ada.client.post("/admin/courses/section/add/", new)
    assert refused.status_code == 200 and Section.objects.count() == 1
    new = {"section": str(row.section.pk), "heading": "More", "slug": slug, "number": "7"}
    refused = ada.client.post(f"{LIST}add/", new)
    assert refused.status_code == 200 and Lecture.objects.count() == 1


def test_two_sections_have_two_numbers(ada: Author) -> None:
    lecture()
    new = {"number": "5", "title": "More", "summary": "More of it.", "slug": "more"}
    said = text_of(ada.client.post("/admin/courses/section/add/", new))
    assert "That is the number of “Convolution”" in said and Section.objects.count() == 1
    Section.objects.create(number=6, title="More", summary="More of it.", slug="more")
    page = "/admin/courses/section/"
    sent = form_of(ada.get(page), "form-") | {"form-1-number": "5", "_save": "Save"}
    assert "Number 5 would be that of both" in text_of(ada.client.post(page, sent))
    assert list(Section.objects.values_list("number", flat=True)) == [5, 6]


def test_a_section_is_added_under_an_address_that_is_free(ada: Author) -> None:
    new = {"number": "19", "title": "More", "summary": "More of it."}
    path = "/admin/courses/section/add/"
    refused = ada.client.post(path, new | {"slug": "pictures"})
    assert refused.status_code == 200 and "is an address of the site itself" in text_of(refused)
    assert ada.client.post(path, new | {"slug": "more"}).status_code == 302
    assert Section.objects.get(slug="more").number == 19


def test_a_section_with_lectures_is_not_deleted(ada: Author) -> None:
    row = lecture()
    path = f"/admin/courses/section/{row.section.pk}/delete/"
    said = text_of(ada.client.post(path, {"post": "yes"}))
    assert "is not deleted, for these lectures are still in it" in said and "A window" in said
    assert Section.objects.exists()


# --- a new lecture


def add(ada: Author, **more: str) -> Any:
    section = Section.objects.get_or_create(
        slug="convolution", defaults={"number": 5, "title": "Convolution", "summary": "A window."}
    )[0]
    new = {"section": str(section.pk), "heading": "Stride: “how far”", "slug": "stride"}
    return ada.client.post("/admin/courses/lecture/add/", new | more)


def test_a_new_lecture_begins_with_every_part_that_one_can_have(ada: Author) -> None:
    lecture(number=3)
    answer = add(ada)
    row = Lecture.objects.get(slug="stride")
    assert answer.status_code == 302 and answer["Location"] == desk(row)
    assert row.title == "Stride: “how far”" and row.number == 4 and row.state == State.DRAFT
    source = source_in(ada.get(desk(row)))
    assert source == row.source
    for part in ("summary", "minutes", "objectives", "prerequisites", "labs", "key_points"):
        assert f"\n{part}:" in source
    for part in (":::note", ":::mistake", ":::figure", ":::lab", "```python", "```output"):
        assert f"\n{part}" in source
    for kind in ("choice", "numeric", "shape"):
        assert f"\n:::question {kind}" in source


def test_and_nothing_is_wrong_in_it_but_its_length(ada: Author) -> None:
    add(ada)
    proof = proof_of(Lecture.objects.get().source)
    assert proof.faults == () and proof.can_be_published
    assert [problem.message[:31] for problem in proof.wants] == ["A lecture has 700 to 1,500 word"]


@pytest.mark.parametrize("heading", ['"', "\\", "a: b", "'", "{{x}}", "#", "\u2028"])
def test_any_title_makes_a_valid_front_matter(ada: Author, heading: str) -> None:
    assert add(ada, heading=f"x{heading}y").status_code == 302
    assert Lecture.objects.get().title == f"x{heading}y"


def test_two_lectures_of_a_section_have_two_addresses(ada: Author) -> None:
    add(ada)
    answer = add(ada)
    assert answer.status_code == 200
    assert "Another lecture of this section has this address." in text_of(answer)
    assert Lecture.objects.count() == 1


# --- deleting


def test_what_students_see_is_withdrawn_before_it_is_deleted(ada: Author) -> None:
    row = lecture()
    path = f"/admin/courses/lecture/{row.pk}/delete/"
    assert ada.client.post(path, {"post": "yes"}).status_code == 403
    assert f'href="{path}"' not in ada.get(desk(row)).content.decode()
    learner = Learner.objects.create()
    Progress.objects.create(learner=learner, lecture=row)
    ada.send(row, row.source, do="withdraw")
    assert f'href="{path}"' in ada.get(desk(row)).content.decode()
    asked = text_of(ada.get(path))
    assert "What learners have done in it: 1 of them" in asked and str(learner.pk) not in asked
    assert ada.client.post(path, {"post": "yes"}).status_code == 302
    assert not Lecture.objects.exists()
    assert "A window slides." in Lecture.history.first().source, "its history stays"


def test_a_page_of_a_lecture_that_is_not_there_is_not_found(ada: Author) -> None:
    for pk in ("1", "0", "x", "²", "9" * 30, "1/2"):
        assert ada.get(f"/admin/courses/lecture/{pk}/change/").status_code == 404, pk


def test_the_list_of_a_whole_course_asks_little_of_the_database(
    ada: Author, django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        lecture(slug=f"s{n}", number=n)
    with django_assert_max_num_queries(12):
        assert len(titles(ada.get(LIST))) == 12


# --- how it looks

STATIC = Path(__file__).parents[2] / "static" / "css"


def tokens(sheet: str, selector: str) -> dict[str, str]:
    text = (STATIC / sheet).read_text()
    block = text[text.index(selector) :].split("}")[0]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))


@pytest.mark.parametrize(
    ("ours", "the_sites"),
    [
        (":root, html[data-theme", ":root {"),
        ('html[data-theme="dark"] {', ':root[data-theme="dark"] {'),
        ('html:not([data-theme="light"]) {', ':root:not([data-theme="light"]) {'),
    ],
)
def test_the_admin_has_the_colours_of_the_site(ours: str, the_sites: str) -> None:
    found = tokens("admin.css", ours)
    assert len(found) == 11 and found.items() <= tokens("site.css", the_sites).items()
