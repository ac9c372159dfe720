"""Home, section and lecture as they are served: what stands there, for whom, at what cost."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Learner, User
from courses.atlas import look_again
from courses.models import Answer, Lecture, Progress, Section
from courses.models.progress import question
from labs.lab import catalog
from tests.courses.specimen import CHOICE, NUMERIC, TEXT, file, lecture
from tests.engine import cast
from tests.test_templates import Page

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
URL = "/course/convolution/window/"


@pytest.fixture
def window() -> Lecture:
    return lecture()


@pytest.fixture
def alice() -> Client:
    return Client()


def text_of(client: Client, url: str, status: int = 200) -> str:
    answer: Any = client.get(url)
    assert answer.status_code == status, answer.content[:400]
    return str(answer.content.decode())


def give(client: Client, name: str, given: str, url: str = URL, **more: str) -> Any:
    return client.post(f"{url}questions/{name}/", {"given": given, **more}, headers=HTMX)


def right_answer(row: Lecture, name: str, variant: int = 0) -> str:
    asked: Any = question(row.published, name, variant)
    if asked.kind == "choice":
        return next(str(n) for n, option in enumerate(asked.options) if option.right)
    return "×".join(map(str, asked.answer)) if asked.kind == "shape" else str(asked.answer)


def wrong_answer(row: Lecture, name: str) -> str:
    asked: Any = question(row.published, name, 0)
    if asked.kind == "choice":
        return next(str(n) for n, option in enumerate(asked.options) if not option.right)
    return "1"


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


# --- answers


@pytest.mark.parametrize("name", ["width", "edge", "maps"])
def test_no_answer_is_in_the_page_before_the_try(window: Lecture, alice: Client, name: str) -> None:
    page = text_of(alice, URL)
    asked: Any = question(window.published, name, 0)
    for secret in (*asked.hints, asked.solution, *(getattr(asked, "traps", None) or {}).values()):
        assert secret not in page
    for option in getattr(asked, "options", ()):
        assert option.text in page and option.says not in page


@pytest.mark.parametrize("name", ["width", "edge", "maps"])
def test_wrong_hint_right(window: Lecture, alice: Client, name: str) -> None:
    said = give(alice, name, wrong_answer(window, name)).content.decode()
    assert "✗" in said and "✓</span> Right" not in said
    said = give(alice, name, "", help="1").content.decode()
    assert "Hint 1." in said
    said = give(alice, name, right_answer(window, name)).content.decode()
    assert "✓</span> Right" in said
    assert 'hx-partial hx-target="#progress"' in said and "1 of 3 questions" in said
    again = text_of(alice, URL)
    assert "✓</span> Right" in again and "1 of 3 questions answered right" in again


def test_fresh_numbers_come_with_each_new_try(window: Lecture, alice: Client) -> None:
    give(alice, "width", right_answer(window, "width"))
    said = give(alice, "width", "", another="1").content.decode()
    assert "Check" in said and "Right" not in said
    assert "✗" in give(alice, "width", right_answer(window, "width")).content.decode()
    assert "Right" in give(alice, "width", right_answer(window, "width", 1)).content.decode()


def test_without_javascript_an_answer_comes_back_to_its_place(
    window: Lecture, alice: Client
) -> None:
    answer: Any = alice.post(f"{URL}questions/width/", {"given": right_answer(window, "width")})
    assert (answer.status_code, answer["Location"]) == (302, f"{URL}#question-width")
    assert "✓</span> Right" in text_of(alice, URL)
    answer = alice.post(f"{URL}read/")
    assert (answer.status_code, answer["Location"]) == (302, f"{URL}#progress")
    assert "✓</span> Read" in text_of(alice, URL)
    alice.post(f"{URL}read/", {"undo": "1"})
    assert "Not marked as read" in text_of(alice, URL)


@pytest.mark.parametrize("given", ["", "\0", "9" * 5_000, "<script>", "NaN", "1e999", "٣", "-"])
def test_odd_answers_are_no_try_and_no_fault(window: Lecture, alice: Client, given: str) -> None:
    said = give(alice, "width", given)
    assert said.status_code == 200 and "<script>" not in said.content.decode()
    assert Answer.objects.get().solved is False


def test_what_one_answers_nobody_else_sees(window: Lecture, alice: Client) -> None:
    give(alice, "width", right_answer(window, "width"))
    bob = Client()
    assert "Right" not in text_of(bob, URL)
    give(bob, "edge", wrong_answer(window, "edge"))
    assert "0 of 3 questions" in text_of(bob, URL) and "1 of 3" in text_of(alice, URL)


def test_an_unknown_question_is_not_found(window: Lecture, alice: Client) -> None:
    assert give(alice, "nothing", "1").status_code == 404
    assert give(alice, "width", "1", "/course/convolution/nothing/").status_code == 404
    assert not Progress.objects.exists()


def test_a_question_that_is_taken_out_counts_no_more(window: Lecture, alice: Client) -> None:
    for name in ("width", "edge"):
        give(alice, name, right_answer(window, name))
    window.source = file(f"## How wide?\n\n{NUMERIC}\n")
    window.publish()
    give(alice, "width", "", help="1")
    page = text_of(alice, URL)
    assert "1 of 1 questions answered right" in page and "question-edge" not in page


# --- progress


def test_home_goes_on_where_the_learner_stopped(window: Lecture, alice: Client) -> None:
    lecture(CHOICE, "second", 2, title="Second")
    lecture(CHOICE, "third", 3, title="Third")
    give(alice, "edge", "0", "/course/convolution/second/")
    assert "Go on with 5.2 Second" in Page(text_of(alice, "/")).text
    alice.post("/course/convolution/second/read/")
    assert "Go on with 5.3 Third" in Page(text_of(alice, "/")).text
    alice.post("/course/convolution/third/read/")
    assert "Go on with 5.1 A window" in Page(text_of(alice, "/")).text
    assert 'aria-label="read"' in text_of(alice, "/")
    assert "Read" in text_of(alice, "/course/convolution/")


def test_a_lab_counts_as_run_when_its_run_has_succeeded(alice: Client) -> None:
    lecture(":::lab steady\nTry.\n:::\n", labs="[steady]")
    alice.post("/labs/steady/run/", {"steps": "2"})
    assert "not run yet" in text_of(alice, URL)
    assert 'aria-label="run"' not in text_of(alice, "/")
    cast.work()
    assert "not run yet" not in text_of(alice, URL)
    section = Section.objects.get()
    section.number = catalog()["steady"].section
    section.save()
    home = text_of(alice, "/")
    assert 'aria-label="run"' in home and "Start with" in home
    assert "</span> Run" in text_of(alice, "/course/convolution/")


def test_a_guests_answers_move_into_the_account(window: Lecture, alice: Client) -> None:
    user = User.objects.create_user("alice", password="a long password")
    own = Learner.objects.create(user=user)
    kept = Progress.objects.create(learner=own, lecture=window, right=1)
    Answer.objects.create(progress=kept, name="edge", solved=True, given="0")
    Answer.objects.create(progress=kept, name="width", tries=2, given="1")
    give(alice, "width", right_answer(window, "width"))
    give(alice, "edge", wrong_answer(window, "edge"))
    alice.post(f"{URL}read/")
    signed: Any = alice.post("/sign-in/", {"username": "alice", "password": "a long password"})
    assert signed.status_code == 302, signed.content.decode()
    kept.refresh_from_db()
    answers = {answer.name: answer for answer in kept.answers.all()}
    assert answers["width"].solved and answers["edge"].solved, "of two the better stays"
    assert kept.right == 2 and kept.read_at is not None
    assert Progress.objects.count() == 1


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
