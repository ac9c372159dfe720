"""Authors at work in Chromium: preview, problems, pictures, publishing, history, two at once."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Contexts
from tests.browser.test_appearance import check_at_both_widths_and_in_both_colours
from tests.browser.test_own_picture import KEEPS_WHAT_IS_SENT, from_a_telephone
from tests.conftest import Complaints
from tests.courses.specimen import CHOICE, NUMERIC, SHAPE, file
from tests.faults.uploads import files
from tests.stack import Stack

pytestmark = pytest.mark.browser

FIGURE = ':::figure sliding-window {"row": 0}\nA window slides. Move it.\n:::\n'
LAB = ':::lab kernel-forge {"stride": 2}\nLook at the size.\n:::\n'
TEXT = f"## How wide?\n\nA window slides.\n\n{FIGURE}\n{NUMERIC}\n{CHOICE}\n{SHAPE}\n{LAB}"
SECTION = "authoring"
PASTE = """(editor, encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], 'cup.png', { type: 'image/png' }));
    editor.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
    );
}"""

Sign = Callable[..., Page]


@pytest.fixture(scope="session")
def course(site: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The site, with a section of lectures that these tests write in, one each."""
    folder = tmp_path_factory.mktemp("course") / f"42-{SECTION}"
    folder.mkdir()
    (folder / "section.toml").write_text('title = "Authoring"\nsummary = "For the tests."\n')
    names = ["edit", "picture", "publish", "two", "looks", "lost", "plain", "share"]
    for n, name in enumerate(names, 1):
        text = file(TEXT, status="draft", title=f"Rehearsal of {name}", labs="[kernel-forge]")
        (folder / f"{n:02}-{name}.md").write_text(text)
    site.manage("load_course", "--content", str(folder.parent))
    return site


@pytest.fixture
def author(course: Stack, new_context: Contexts) -> Sign:
    """`author("ada")` is a page of ada, signed in by a one-time link."""

    def sign(name: str, role: str = "author", **options: object) -> Page:
        page = new_context(base_url=course.base_url, **options).new_page()
        sign_in(course, page, name, role)
        return page

    return sign


def sign_in(course: Stack, page: Page, name: str, role: str = "author") -> None:
    link = course.manage("sign_in_link", "--name", name, "--role", role)
    page.goto(link.strip().splitlines()[-1])
    page.locator("main form button").first.click()
    expect(page).to_have_url(re.compile("/admin/$"))


class Desk:
    """The page where a lecture is written."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        page.goto(f"/admin/courses/lecture/?q={name}")
        page.locator("#result_list tbody th a, #result_list .field-text a").first.click()
        self.address = page.url.partition("?")[0]
        self.text = page.locator("markdown-editor .cm-content")
        self.proof = page.locator("#desk-proof")
        self.problems = page.locator("#desk-problems")
        self.said = page.locator("#desk-said")
        self.state = page.locator(".desk-state strong")
        expect(self.text).to_be_visible()

    @property
    def source(self) -> str:
        return self.page.locator("#id_source").input_value()

    def write(self, words: str) -> None:
        """At the end of the text, on a line of its own."""
        self.text.click()
        self.page.keyboard.press("Control+End")
        self.page.keyboard.press("Enter")
        self.page.keyboard.type(words)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def save(self) -> None:
        """Save, and wait for the answer to this: what is said may be of the time before."""
        with self.page.expect_response(
            lambda answer: answer.request.method == "POST" and answer.url.endswith("/change/")
        ):
            self.press("Save draft")
        expect(self.said).to_have_text("Saved.")

    def line(self) -> str:
        """The line where the cursor is."""
        return self.page.locator("markdown-editor .cm-activeLineGutter").last.inner_text()


def test_the_preview_follows_the_writing_and_problems_lead_to_their_lines(author: Sign) -> None:
    page = author("ada")
    desk = Desk(page, "Rehearsal of edit")
    expect(desk.proof.locator("svg.drawn-svg")).to_be_visible()
    desk.write("A **new** paragraph with $k^2$.")
    expect(desk.proof.locator("strong", has_text="new")).to_be_visible()
    expect(desk.proof.locator("math")).to_have_count(1)
    expect(desk.problems).to_contain_text("Key points are missing")
    desk.write("A formula $\\frac{1}$ that is none.")
    problem = desk.problems.get_by_role("button", name=re.compile("Formula"))
    expect(problem).to_be_visible()
    expect(page.locator("markdown-editor .cm-lint-marker-error")).to_have_count(1)
    wrong = desk.source.split("\n").index("A formula $\\frac{1}$ that is none.") + 1
    page.keyboard.press("Control+Home")
    problem.click()
    assert desk.line() == str(wrong)
    expect(desk.text).to_be_focused()


def test_a_figure_moves_in_the_preview_and_what_was_unfolded_stays_so(author: Sign) -> None:
    page = author("ada")
    desk = Desk(page, "Rehearsal of edit")
    before = desk.proof.locator(".drawing svg").inner_html()
    desk.proof.locator(".drawn-controls input[type=number]").first.fill("2")
    expect(desk.proof.locator(".drawing svg")).to_be_visible()
    page.wait_for_function(
        "before => document.querySelector('.drawing svg').innerHTML !== before", arg=before
    )
    answers = desk.proof.locator("details").first
    answers.locator("summary").click()
    expect(answers.get_by_text("✓ right")).to_be_visible()
    desk.write("And on.")
    expect(desk.proof.locator("p", has_text="And on.")).to_be_visible()
    expect(desk.proof.locator("details").first.get_by_text("✓ right")).to_be_visible()


def test_saving_keeps_the_page_the_cursor_and_the_focus(author: Sign) -> None:
    page = author("ada")
    desk = Desk(page, "Rehearsal of edit")
    desk.write("Saved by a key.")
    line = desk.line()
    page.keyboard.press("Control+s")
    expect(desk.said).to_have_text("Saved.")
    assert desk.line() == line
    page.keyboard.type(" And more")
    expect(desk.said).to_have_text("Saved.")
    desk.save()
    expect(page.locator("#desk-save")).to_be_focused()
    page.reload()
    expect(desk.text).to_be_visible()
    assert desk.source.endswith("Saved by a key. And more")


def test_a_pasted_picture_asks_for_its_alternative_and_is_shown(author: Sign) -> None:
    page = author("ada")
    desk = Desk(page, "Rehearsal of picture")
    desk.write("")
    desk.text.evaluate(PASTE, base64.b64encode(files.png()).decode())
    dialog = page.get_by_role("dialog", name="Describe the picture")
    expect(dialog.locator("img")).to_have_js_property("naturalWidth", 64)
    dialog.get_by_role("button", name="Insert").click()
    expect(dialog).to_contain_text("Say in a sentence what the picture shows")
    dialog.get_by_label("What does it show?").fill("A cup on a table")
    dialog.get_by_role("button", name="Insert").click()
    expect(dialog).to_be_hidden()
    image = desk.proof.get_by_role("img", name="A cup on a table")
    expect(image).to_have_js_property("naturalWidth", 64)
    assert re.search(r"!\[A cup on a table\]\(pictures/a-cup-[a-z0-9-]+-64x48\.png\)", desk.source)
    page.evaluate(KEEPS_WHAT_IS_SENT)
    photo: Any = {"name": "IMG.jpg", "mimeType": "image/jpeg", "buffer": from_a_telephone()}
    page.locator("[data-picture]").set_input_files(photo)
    dialog.get_by_label("What does it show?").fill("Red above blue")
    dialog.get_by_role("button", name="Insert").click()
    expect(dialog).to_be_hidden()
    assert page.evaluate("() => window.sent.size") < 100_000, "12 megapixels are made 0.8 first"
    assert "768x1024.png" in desk.source
    desk.save()
    page.goto("/admin/courses/picture/")
    expect(page.get_by_role("row", name=re.compile("A cup on a table"))).to_contain_text(
        "Rehearsal of picture"
    )


def test_it_is_published_students_see_it_and_the_history_restores(
    author: Sign, course: Stack, new_context: Contexts, complaints: Complaints
) -> None:
    complaints.allow("status of 422")
    page = author("ada")
    desk = Desk(page, "Rehearsal of publish")
    student = new_context(base_url=course.base_url).new_page()
    place = f"/course/{SECTION}/publish/"
    desk.write("# Not a title")
    desk.press("Publish")
    refused = page.get_by_role("alert")
    expect(refused).to_contain_text("1 thing must be mended first")
    page.keyboard.press("Control+z")
    desk.text.click()
    while "# Not a title" in desk.source:
        page.keyboard.press("Control+z")
    desk.write("For students.")
    desk.press("Publish")
    expect(page.get_by_role("alert")).to_contain_text("Key points are missing")
    desk.press("Publish all the same")
    expect(desk.said).to_have_text("Published. Students see this text now.")
    expect(desk.state).to_have_text("Published")
    assert "status: published" in desk.source, "the line follows the button"
    student.goto(place)
    expect(student.locator(".lecture-text")).to_contain_text("For students.")
    desk.write("Not for students yet.")
    desk.press("Save draft")
    expect(desk.state).to_have_text("Published, with changes")
    student.reload()
    expect(student.locator(".lecture-text")).not_to_contain_text("Not for students yet.")
    page.get_by_role("link", name="History").click()
    rows = page.locator("table.history tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("ada")
    expect(rows.nth(2)).to_contain_text("load_course")
    rows.nth(2).get_by_role("link").click()
    expect(page.locator(".changes del").first).to_be_visible()
    page.get_by_role("button", name="Restore this version").click()
    expect(page.locator(".desk-message")).to_contain_text("Restored.")
    assert "For students." not in desk.source
    desk.press("Withdraw")
    expect(desk.state).to_have_text("Draft")
    expect(page.get_by_role("link", name="View on site")).to_have_count(0)
    student.reload()
    expect(student.locator(".lecture-text")).to_have_count(0)


def test_of_two_at_once_nobody_loses_a_word(author: Sign, complaints: Complaints) -> None:
    complaints.allow("status of 409")
    ada, bob = author("ada"), author("bob")
    mine, theirs = Desk(ada, "Rehearsal of two"), Desk(bob, "Rehearsal of two")
    theirs.write("Bob was here.")
    theirs.save()
    ada.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(ada.get_by_role("alert")).to_contain_text("bob has saved this lecture")
    mine.write("Ada was here.")
    mine.press("Save draft")
    conflict = ada.get_by_role("alert")
    expect(conflict).to_contain_text("bob has saved this lecture while you had it open")
    expect(conflict.locator("ins")).to_contain_text("Ada was here.")
    expect(conflict.locator("del")).to_contain_text("Bob was here.")
    assert "Ada was here." in mine.source
    mine.press("Take theirs")
    expect(mine.said).to_contain_text("Yours is kept in the history.")
    expect(mine.text).to_contain_text("Bob was here.")
    assert "Ada was here." not in mine.source
    theirs.write("Bob again.")
    theirs.save()
    mine.write("Ada again.")
    mine.press("Save draft")
    expect(ada.get_by_role("alert").locator("ins")).to_contain_text("Ada again.")
    mine.press("Save mine over it")
    expect(mine.said).to_contain_text("Saved.")
    ada.get_by_role("link", name="History").click()
    expect(ada.locator("table.history")).to_contain_text("set aside")


def test_a_text_that_could_not_be_saved_is_still_there(
    author: Sign, course: Stack, complaints: Complaints
) -> None:
    for text in ("status of 403", "status of 400", "ERR_FAILED", "Failed to fetch"):
        complaints.allow(text)
    page = author("ada")
    desk = Desk(page, "Rehearsal of lost")
    desk.write("Not lost.")
    page.route("**/change/", lambda route: route.abort())
    desk.press("Save draft")
    expect(desk.said).to_contain_text("the site does not answer")
    page.unroute("**/change/")
    elsewhere = page.context.new_page()
    elsewhere.goto("/admin/")
    elsewhere.get_by_role("button", name="Sign out").click()
    desk.press("Save draft")
    expect(desk.said).to_contain_text("You are not signed in any more.")
    sign_in(course, elsewhere, "ada")
    desk.save()
    desk.text.click()
    page.evaluate("() => document.querySelector('markdown-editor').insert('x'.repeat(1_100_000))")
    desk.press("Save draft")
    expect(desk.said).to_contain_text("1 MB is the most")
    assert len(desk.source) > 1_000_000


def test_the_desk_works_without_scripts(author: Sign) -> None:
    page = author("ada", java_script_enabled=False)
    page.goto("/admin/courses/lecture/?q=Rehearsal+of+plain")
    page.locator("#result_list tbody a").first.click()
    field = page.locator("#id_source")
    field.fill(field.input_value() + "\nBy hand.\n")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator(".desk-message")).to_have_text("Saved.")
    expect(page.locator("#desk-proof")).to_contain_text("By hand.")


def test_the_link_to_a_draft_works_for_anybody(
    author: Sign, course: Stack, new_context: Contexts
) -> None:
    desk = Desk(author("ada"), "Rehearsal of share")
    link = desk.page.get_by_role("textbox", name="Preview link").input_value()
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.press("Copy")
    expect(desk.page.get_by_role("button", name="Copied")).to_be_visible()
    assert desk.page.evaluate("() => navigator.clipboard.readText()") == link
    desk.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    desk.press("Copied")
    expect(desk.page.get_by_role("textbox", name="Preview link")).to_be_focused()
    anybody = new_context(base_url=course.base_url).new_page()
    anybody.goto(link)
    expect(anybody.locator(".desk-banner")).to_contain_text("Only people with this link see it")
    expect(anybody.locator(".lecture-text")).to_contain_text("A window slides.")
    check_at_both_widths_and_in_both_colours(anybody)


def test_axe_finds_nothing_at_the_desk_and_around_it(author: Sign) -> None:
    page = author("ada")
    desk = Desk(page, "Rehearsal of looks")
    desk.write("# Not a title, and a formula $\\frac{1}$")
    expect(desk.problems.locator(".faults li")).to_have_count(2)
    check_at_both_widths_and_in_both_colours(page)
    desk.save()
    page.goto(f"{desk.address.removesuffix('change/')}history/")
    check_at_both_widths_and_in_both_colours(page)
    page.locator("table.history a").first.click()
    check_at_both_widths_and_in_both_colours(page)


PAGES = [
    "",
    "courses/",
    *(f"courses/{kind}/" for kind in ("section", "lecture", "picture")),
    *(f"courses/{kind}/add/" for kind in ("section", "lecture")),
    "auth/group/",
    "auth/group/add/",
    "password_change/",
]


def test_no_page_of_the_admin_breaks_the_content_security_policy(author: Sign) -> None:
    """`complaints` fails where one does; the operator has them all."""
    page = author("olga", role="operator")
    for path in PAGES:
        page.goto(f"/admin/{path}")
        expect(page.locator("#content, #content-main").first).to_be_visible()
    page.goto("/admin/courses/section/")
    page.locator("#result_list tbody a").first.click()
    expect(page.locator(".inline-group")).to_be_visible()
    page.goto("/admin/courses/lecture/?state=draft")
    page.locator("#result_list tbody a").first.click()
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete")).to_be_visible()
