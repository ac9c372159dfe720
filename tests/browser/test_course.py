"""The course as a student walks it: reading, answering, coming back; and the pages' weight."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Response, expect

from courses.content import sections_in
from courses.markdown import render
from courses.models.progress import question
from tests.browser.conftest import Contexts
from tests.browser.pages import slot
from tests.conftest import Complaints
from tests.faults.streams.client import SwitchedProxy
from tests.stack import Stack

pytestmark = pytest.mark.browser

CONVOLUTION = next(section for section in sections_in() if section.slug == "convolution")
URLS = [f"/course/convolution/{lecture.slug}/" for lecture in CONVOLUTION.lectures]
SOURCES = dict(zip(URLS, (lecture.source for lecture in CONVOLUTION.lectures), strict=True))
MOST = 250_000
"""Bytes of a first visit, compressed."""


def asked(page: Page, name: str) -> Locator:
    return page.locator(f"#question-{name}")


def fill(page: Page, url: str, name: str, right: bool) -> None:
    """Give a right or a wrong answer to a question of the course."""
    found: Any = question(SOURCES[url], name, 0)
    box = asked(page, name)
    if found.kind == "choice":
        n = next(n for n, option in enumerate(found.options) if option.right is right)
        box.locator("input[type=radio]").nth(n).check()
    else:
        answer = "×".join(map(str, found.answer)) if found.kind == "shape" else str(found.answer)
        wrong = "×".join("1" for _ in found.answer) if found.kind == "shape" else "98765"
        box.locator("input[name=given]").fill(answer if right else wrong)
    box.get_by_role("button", name="Check").click()


def test_a_student_reads_section_5_answers_and_goes_on_the_next_day(
    new_context: Contexts,
) -> None:
    context = new_context()
    page = context.new_page()
    page.goto("/")
    page.get_by_role("link", name="Start with 5.1").click()
    for n, url in enumerate(URLS):
        page.wait_for_url(f"**{url}")
        name = next(iter(render(SOURCES[url]).questions))
        if n == 0:
            fill(page, url, name, right=False)
            expect(asked(page, name).locator(".sign-wrong")).to_be_visible()
            asked(page, name).get_by_role("button", name="Hint").click()
            expect(asked(page, name).get_by_text("Hint 1.")).to_be_visible()
        fill(page, url, name, right=True)
        expect(asked(page, name).get_by_text("Right.")).to_be_visible()
        expect(page.locator("#progress")).to_contain_text(re.compile(r"1 of \d questions"))
        page.get_by_role("button", name="I have read this").click()
        expect(page.locator("#progress")).to_contain_text("✓ Read")
        if n == 3:
            break
        page.locator(".beside-after").click()
    tomorrow = new_context(storage_state=context.storage_state()).new_page()
    tomorrow.goto("/")
    tomorrow.get_by_role("link", name="Go on with 5.5").click()
    for url in URLS[4:]:
        tomorrow.wait_for_url(f"**{url}")
        expect(tomorrow.get_by_role("heading", level=1)).to_be_visible()
        tomorrow.get_by_role("button", name="I have read this").click()
        expect(tomorrow.locator("#progress")).to_contain_text("✓ Read")
        if url != URLS[-1]:
            tomorrow.locator(".beside-after").click()
    tomorrow.goto("/")
    expect(tomorrow.locator("#section-convolution").get_by_role("img", name="read")).to_have_count(
        7
    )
    tomorrow.goto(URLS[0])
    first = next(iter(render(SOURCES[URLS[0]]).questions))
    expect(asked(tomorrow, first).get_by_text("Right.")).to_be_visible()


def test_a_lab_comes_into_the_lecture_and_its_address_stays(page: Page) -> None:
    page.goto(URLS[3])
    page.locator(".lab-place").scroll_into_view_if_needed()
    expect(slot(page, "map").locator("img").first).to_be_visible()
    expect(page.locator("#permalink a")).to_be_visible()
    assert page.url.endswith(URLS[3])


def test_a_figure_follows_its_slider_and_says_its_numbers(page: Page) -> None:
    page.goto(URLS[0])
    figure = page.locator("#figure-1")
    says = figure.locator(".drawing-says")
    before = says.inner_text()
    figure.locator("input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(says).not_to_have_text(before)
    assert figure.locator("svg").get_attribute("aria-label")


def test_code_can_be_copied(new_context: Contexts) -> None:
    context = new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(URLS[0])
    block = page.locator(".code").first
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button")).to_have_text("Copied")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == block.locator("code").inner_text()


def test_formulas_are_drawn_without_a_script(new_context: Contexts) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(URLS[0])
    formula = page.locator(".formula math").first
    box = formula.bounding_box()
    assert box and box["height"] > 30
    family = formula.evaluate("math => getComputedStyle(math).fontFamily")
    assert "STIX Two Math" in family


def test_without_javascript_a_lecture_is_read_and_answered(new_context: Contexts) -> None:
    page = new_context(java_script_enabled=False).new_page()
    url = URLS[0]
    page.goto(url)
    expect(page.locator("#figure-1 svg")).to_be_visible()
    expect(page.locator("#figure-1 .drawn-controls")).to_be_hidden()
    name = next(iter(render(SOURCES[url]).questions))
    fill(page, url, name, right=True)
    page.wait_for_url(f"**{url}#question-{name}")
    expect(asked(page, name).get_by_text("Right.")).to_be_visible()
    page.get_by_role("button", name="I have read this").click()
    expect(page.locator("#progress")).to_contain_text("✓ Read")
    page.get_by_role("link", name="Open the lab").click()
    page.wait_for_url("**/labs/kernel-forge/?**")


def test_a_guest_signs_up_and_keeps_answers_and_runs(new_context: Contexts) -> None:
    page = new_context().new_page()
    url = URLS[1]
    page.goto(url)
    name = next(iter(render(SOURCES[url]).questions))
    fill(page, url, name, right=True)
    expect(asked(page, name).get_by_text("Right.")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("Name", exact=False).first.fill("carol-of-the-course")
    for field in page.locator("input[type=password]").all():
        field.fill("a rather long password")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.goto(url)
    expect(asked(page, name).get_by_text("Right.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.goto(url)
    expect(asked(page, name).get_by_text("Right.")).to_be_hidden()


@pytest.mark.parametrize("url", ["/", URLS[0], "/labs/kernel-forge/"])
def test_a_first_visit_weighs_little(new_context: Contexts, url: str) -> None:
    page = new_context().new_page()
    weights: dict[str, int] = {}

    def weigh(response: Response) -> None:
        if response.status == 200 and "event-stream" not in response.headers["content-type"]:
            body = response.body()
            weights[response.url] = min(len(body), len(gzip.compress(body)))

    page.on("response", weigh)
    page.goto(url)
    page.wait_for_load_state("load")
    page.wait_for_timeout(500)  # for what scripts ask for; what comes later still weighs nothing
    assert len(weights) > 4
    total = sum(weights.values())
    assert total <= MOST, sorted(weights.items(), key=lambda item: -item[1])


def test_a_lecture_prints_without_what_only_a_screen_has(page: Page) -> None:
    page.goto(URLS[0])
    page.emulate_media(media="print")
    for hidden in (".contents", ".drawn-controls", "header.site", ".copy"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator("#figure-1 svg")).to_be_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_a_lecture_can_be_walked_with_the_keys_alone(page: Page) -> None:
    page.goto(URLS[0])
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    name = next(iter(render(SOURCES[URLS[0]]).questions))
    field = asked(page, name).locator("input[name=given]")
    for _ in range(60):
        page.keyboard.press("Tab")
        if field.evaluate("field => field === document.activeElement"):
            break
    page.keyboard.type("98765")
    page.keyboard.press("Enter")
    expect(asked(page, name).locator(".sign-wrong")).to_be_visible()
    expect(field).to_have_value("98765")


def test_where_the_site_does_not_answer_what_was_typed_stays(
    site: Stack, new_context: Contexts, complaints: Complaints
) -> None:
    complaints.allow("ERR_CONNECTION|Failed to load|NetworkError|fetch")
    with SwitchedProxy(site.port) as network:
        page = new_context(base_url=f"http://127.0.0.1:{network.port.result()}").new_page()
        page.goto(URLS[0])
        network.go_away()
        name = next(iter(render(SOURCES[URLS[0]]).questions))
        field = asked(page, name).locator("input[name=given]")
        field.fill("98765")
        page.keyboard.press("Enter")
        expect(page.locator("#toast")).to_contain_text("does not answer")
        expect(field).to_have_value("98765")
