"""Home, section and lecture as they are served: what stands there, for whom, at what cost."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from courses.atlas import look_again
from courses.models import Lecture, Section
from tests.courses.specimen import CHOICE, TEXT, lecture
from tests.courses.visits import URL, give, text_of
from tests.test_templates import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def window() -> Lecture:
    return lecture()


@pytest.fixture
def alice() -> Client:
    return Client()


# --- what stands there


def test_a_site_without_a_course_says_so(alice: Client) -> None:
    assert "The course has not been loaded yet" in text_of(alice, "/")


def test_home_shows_the_sections_in_order_and_where_to_start(
    window: Lecture, alice: Client
) -> None:
    Section.objects.create(number=1, slug="introduction", title="Introduction", summary="Why.")
    lecture("", "later", 2, status="draft", title="A later one")
    shown = Page(text_of(alice, "/"))
    assert shown.text.index("Introduction") < shown.text.index("Convolution")
    links = {a.get("href") for a in shown.all("a")}
    assert {"/course/introduction/", "/course/convolution/", URL} <= links
    assert "/course/convolution/later/" not in links and "A later one" in shown.text
    assert "Start with 5.1 A window" in shown.text
    assert "2 lectures, 1 ready" in shown.text and "/labs/kernel-forge/" in links


def test_a_section_lists_its_lectures_and_those_to_come(window: Lecture, alice: Client) -> None:
    lecture("", "later", 2, status="draft", title="A later one")
    shown = Page(text_of(alice, "/course/convolution/"))
    assert "Coming" in shown.text and "About 5 minutes" in shown.text
    assert "/course/convolution/later/" not in {a.get("href") for a in shown.all("a")}
    assert {"/labs/hidden-kernel/", "/labs/kernel-forge/"} <= {
        a.get("href") for a in shown.all("a")
    }


def test_a_lecture_to_come_is_never_an_empty_page(window: Lecture, alice: Client) -> None:
    lecture("", "later", 2, status="draft", title="A later one")
    assert "still being written" in text_of(alice, "/course/convolution/later/")
    assert give(alice, "width", "1", "/course/convolution/later/").status_code == 404
    assert "still being written" in text_of(alice, URL)
    text_of(alice, "/course/convolution/nothing/", 404)
    text_of(alice, "/course/nothing/", 404)


def test_a_lecture_has_its_parts(alice: Client) -> None:
    more = {
        "objectives": "[You can count places., You can say why $k$ matters.]",
        "key_points": "[A window of $k$ stands at $n - k + 1$ places.]",
        "sources": '["Dumoulin, V. and Visin, F. (2016). A guide."]',
        "prerequisites": "[/course/convolution/window/]",
        "labs": "[kernel-forge]",
    }
    lecture()
    lecture(f"{TEXT}\n:::lab kernel-forge\nTry it.\n:::\n", "second", 2, title="Second", **more)
    page = text_of(alice, "/course/convolution/second/")
    shown = Page(page)
    for said in ("After this lecture", "Key points", "Sources", "Where you stand", "Builds on"):
        assert said in shown.text
    assert "Kernel forge not run yet" in shown.text and "0 of 3 questions" in shown.text
    lab = next(attrs for _, attrs in shown.tags if attrs.get("class") == "lab-place")
    assert lab["hx-get"] == "/labs/kernel-forge/embed/" and lab["hx-trigger"] == "intersect once"
    assert [a["href"] for a in shown.all("a") if a.get("rel") == "prev"] == [URL]
    assert {"#how-wide", "#progress"} <= {a.get("href") for a in shown.all("a")}
    assert "\x00" not in page


def test_the_embedded_lab_shows_the_named_controls_first(alice: Client) -> None:
    url = "/labs/kernel-forge/embed/?stride=3&show=stride%2Ckernel"
    page = text_of(alice, url)
    before, _, after = page.partition('<details class="more-controls">')
    assert 'name="stride"' in before and 'name="kernel"' in before
    assert 'name="padding"' in after and 'name="stride"' not in after
    assert "data-embedded" in page and "<html" not in page
    stride = next(i for i in Page(page).all("input") if i.get("name") == "stride")
    assert stride["value"] == "3"


def test_a_labs_address_sets_its_controls_and_says_what_cannot_be(alice: Client) -> None:
    page = text_of(alice, "/labs/kernel-forge/?stride=9&unknown=1")
    assert "Stride must be a whole number from 1 to 4 pixels." in page


def test_a_figure_answers_for_its_params_and_refuses_others(alice: Client) -> None:
    made = text_of(alice, "/course/figures/sliding-window/?row=1&column=1")
    assert "<svg" in made and "= " in made and "<html" not in made
    assert "from 0 to 3" in text_of(alice, "/course/figures/sliding-window/?row=9", 422)
    text_of(alice, "/course/figures/nothing/", 404)


# --- what it costs


def test_a_guests_lecture_costs_no_query_and_another_learners_a_few(
    window: Lecture, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    guest, alice = Client(), Client()
    text_of(guest, URL)
    with django_assert_num_queries(0):
        text_of(guest, URL)
    look_again()
    with django_assert_num_queries(1):
        text_of(guest, URL)
    give(alice, "width", "1")
    with django_assert_num_queries(2):
        text_of(alice, URL)
    bob = Client()
    bob.force_login(User.objects.create_user("bob"))
    give(bob, "width", "1")
    with django_assert_num_queries(3):
        text_of(bob, URL)


def test_what_another_process_has_changed_is_seen_after_a_second(
    window: Lecture, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "A window slides." in text_of(alice, URL)
    hops = window.published.replace("A window slides.", "A window hops.")
    Lecture.objects.filter(pk=window.pk).update(published=hops, changed=Now())
    assert "A window slides." in text_of(alice, URL)
    monkeypatch.setattr("courses.atlas.SECONDS", 0)
    assert "A window hops." in text_of(alice, URL)


def test_what_commits_late_is_seen_although_something_newer_was_seen_before(
    window: Lecture, alice: Client
) -> None:
    newest = lecture(CHOICE, "newest", 2)
    Lecture.objects.filter(pk=newest.pk).update(changed=Now() + timedelta(minutes=1))
    assert "A window slides." in text_of(alice, URL)
    Lecture.objects.filter(pk=window.pk).update(published="", changed=Now())
    look_again()
    assert "A window slides." not in text_of(alice, URL)


@pytest.mark.parametrize("url", ["/", "/course/convolution/", URL])
def test_a_page_is_sent_compressed_to_who_takes_that(
    window: Lecture, alice: Client, url: str
) -> None:
    give(alice, "width", "1")
    plain: Any = alice.get(url)
    packed: Any = alice.get(url, headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert packed["Content-Encoding"] == "gzip" and "Accept-Encoding" in packed["Vary"]
    token = re.compile(rb"[A-Za-z0-9]{64}")
    assert token.sub(b"", gzip.decompress(packed.content)) == token.sub(b"", plain.content)
    assert len(packed.content) < len(plain.content) * 0.8
    refusing: Any = alice.get(url, headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "Content-Encoding" not in refusing


@pytest.mark.parametrize("url", ["/", "/course/convolution/", URL])
def test_no_page_of_the_course_costs_more_than_five_queries(
    url: str, django_assert_max_num_queries: Any
) -> None:
    lecture(f"{TEXT}\n:::lab kernel-forge\nTry.\n:::\n", labs="[kernel-forge]")
    for n in range(2, 6):
        lecture(CHOICE, f"more-{n}", n)
    bob = Client()
    bob.force_login(User.objects.create_user("bob"))
    for n in range(2, 6):
        give(bob, "edge", "0", f"/course/convolution/more-{n}/")
    give(bob, "edge", "0")
    text_of(bob, url)
    with django_assert_max_num_queries(5):
        text_of(bob, url)


def test_a_kept_page_changes_with_its_lecture(window: Lecture, alice: Client) -> None:
    assert "A window slides." in text_of(alice, URL)
    window.source = window.source.replace("A window slides.", "A window hops.")
    window.save()
    assert "A window slides." in text_of(alice, URL), "an unpublished change is not shown"
    window.publish()
    assert "A window hops." in text_of(alice, URL)
    window.withdraw()
    assert "A window hops." not in text_of(alice, URL)


def test_each_reader_gets_a_token_of_their_own(window: Lecture) -> None:
    tokens = set()
    for _ in range(2):
        client = Client(enforce_csrf_checks=True)
        page = text_of(client, URL)
        (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page))
        tokens.add(token)
        sent = {"given": "1", "csrfmiddlewaretoken": token}
        assert client.post(f"{URL}questions/width/", sent).status_code == 302
        assert client.post(f"{URL}questions/width/", {"given": "1"}).status_code == 403
    assert len(tokens) == 2
