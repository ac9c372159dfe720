"""What is refused is seen where one looks, said in words, and loses nothing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.conftest import Contexts, Ended
from tests.browser.pages import Forge, Lab, slot
from tests.conftest import Complaints

pytestmark = pytest.mark.browser

SPOIL = """([name, value]) => {
    const fields = [...document.getElementById('controls').elements]
        .filter((field) => field.name === name && field.type !== 'hidden');
    const field = fields.find((field) => field.checked) ?? fields[0];
    field.value = value;
}"""


@pytest.mark.parametrize(
    ("slug", "name", "value", "says"),
    [
        ("hidden-kernel", "hidden", "none", "Hidden kernel must be one of these"),
        ("hidden-kernel", "picture", "own:lost", "That picture is not among yours"),
        ("hidden-kernel", "flip", "perhaps", "must be on or off"),
        ("hidden-kernel", "steps", "7", "Steps must be a whole number"),
        ("hidden-kernel", "seed", "12345", "The seed must be a whole number from 0 to 9,999."),
        ("first-cnn", "blocks", "[]", "Network must have from 1 to 19 blocks."),
        ("first-cnn", "dataset", "mnist", "MNIST is not on this site yet."),
    ],
)
def test_the_first_error_is_in_sight_and_has_the_focus(
    page: Page, complaints: Complaints, slug: str, name: str, value: str, says: str
) -> None:
    complaints.allow("status of 422")
    lab = Lab(page, slug)
    if name == "flip":
        lab.page.get_by_label("The teacher flips its kernel", exact=True).check()
    page.evaluate(SPOIL, [name, value])
    page.locator("#controls button[type=submit]").click()
    error = page.locator(f"[data-error-for={name}]")
    expect(error).to_contain_text(says)
    expect(error).to_be_focused()
    expect(error).to_be_in_viewport()


def test_of_several_errors_the_first_has_the_focus_and_the_last_is_kept(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("status of 422")
    lab = Lab(page, "hidden-kernel")
    lab.set(steps=7, lr=99, seed=12345)
    page.locator("#controls button[type=submit]").click()
    expect(page.locator("[data-error-for=lr]")).to_be_focused()
    for name, value in {"steps": "7", "lr": "99", "seed": "12345"}.items():
        expect(page.locator(f"[data-error-for={name}]")).to_be_visible()
        expect(page.locator(f"#controls [type=number][name={name}]")).to_have_value(value)


def test_a_matrix_that_a_run_cannot_take_is_refused_in_sight_on_its_page(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("status of 422")
    forge = Forge(page)
    forge.permalink.click()
    page.wait_for_url("**/runs/*/")
    forge.cell(2, 2).fill("99")
    page.get_by_role("button", name="Run", exact=True).click()
    error = page.locator("[data-error-for=kernel]")
    expect(error).to_have_text("Each cell must lie between −10 and 10.")
    expect(error).to_be_focused()
    expect(error).to_be_in_viewport()


def test_without_scripts_the_first_error_has_the_focus_too(
    new_context: Contexts, complaints: Complaints
) -> None:
    complaints.allow("status of 422")
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/labs/hidden-kernel/")
    page.get_by_role("spinbutton", name="Steps").fill("7")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("[data-error-for=steps]")).to_be_in_viewport()
    expect(page.locator("[data-error-for=steps]")).to_be_focused()


def test_a_dataset_that_is_not_here_says_so_before_it_is_chosen(page: Page) -> None:
    Lab(page, "first-cnn")
    expect(page.get_by_role("radio", name="MNIST (not on this site)").first).to_be_disabled()
    expect(page.get_by_role("radio", name="5,000 digits")).to_be_checked()


# --- a cell of the confusion matrix


@pytest.mark.parametrize(
    ("status", "kind", "body", "says"),
    [
        (429, "application/json", '{"message": "Many ask at once."}', "Many ask at once."),
        (422, "application/json", '{"errors": {"row": "No such row."}}', "No such row."),
        (503, "text/html", "<h1>Busy</h1>", "The site is busy. Try again in a few seconds."),
        (404, "text/html", "<h1>Gone</h1>", "That did not work. Reload the page and try again."),
    ],
)
def test_a_cell_that_is_not_answered_says_why(
    returning: Page,
    ended: Ended,
    complaints: Complaints,
    status: int,
    kind: str,
    body: str,
    says: str,
) -> None:
    complaints.allow(f"status of {status}")
    page = returning
    page.goto(ended.trained)
    held: list[Route] = []
    page.route("**/asks/cell/", lambda route: held.append(route))
    page.get_by_role("button", name=re.compile("^is 3, taken for 3:")).click()
    expect(slot(page, "cell")).to_have_text("Looking…")
    held[0].fulfill(status=status, content_type=kind, body=body)
    expect(slot(page, "cell").get_by_role("alert")).to_have_text(re.compile(re.escape(says)))
    page.unroute("**/asks/cell/")
    page.get_by_role("button", name=re.compile("^is 3, taken for 3:")).click()
    expect(slot(page, "cell").locator("img").first).to_be_visible()


def test_an_answer_that_overtakes_its_own_receipt_is_shown_and_an_older_one_is_not(
    returning: Page, ended: Ended
) -> None:
    page = returning
    page.goto(ended.trained)
    page.get_by_role("button", name=re.compile("^is 7, taken for 7:")).click()
    expect(slot(page, "cell")).to_contain_text("of 7 taken for 7.")
    page.reload()
    page.evaluate(
        """() => {
            [window.seen, window.came] = [[], ''];
            document.addEventListener('htmx:sse:before:message', (event) => {
                window.came += event.detail.message.data;
            });
            const cell = document.getElementById('slot-cell-body');
            new MutationObserver(() => window.seen.push(cell.textContent))
                .observe(cell, { childList: true, subtree: true });
        }"""
    )

    held: list[tuple[Route, APIResponse]] = []
    page.route("**/asks/cell/", lambda route: held.append((route, route.fetch())))
    page.get_by_role("button", name=re.compile("^is 5, taken for 5:")).click()
    page.wait_for_function("() => window.came.includes('of 5 taken for 5.')")
    expect(slot(page, "cell")).to_contain_text("Looking…")
    ((route, receipt),) = held
    route.fulfill(response=receipt)
    expect(slot(page, "cell")).to_contain_text("of 5 taken for 5.")
    assert not [text for text in page.evaluate("window.seen") if "of 7 taken" in text]


def test_a_cell_that_does_not_reach_the_site_says_so(
    returning: Page, ended: Ended, complaints: Complaints
) -> None:
    complaints.allow("Failed to load resource|htmx:error")
    page = returning
    page.goto(ended.trained)
    page.route("**/asks/cell/", lambda route: route.abort())
    page.get_by_role("button", name=re.compile("^is 3, taken for 3:")).click()
    expect(slot(page, "cell")).to_contain_text("The site does not answer.")
