"""What the site refuses leaves the page as it is, and says so; a second press is dropped."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Contexts, Ended
from tests.browser.pages import Forge, Lab, settings, slot
from tests.conftest import Complaints

pytestmark = pytest.mark.browser

ANOTHER = '<!doctype html><html><body><header class="site">Another site</header></body></html>'
ASK_ALL = """async () => {
    const tell = (element) => {
        const trigger = element.getAttribute('hx-trigger') ?? '';
        if (trigger.includes('from:#controls')) htmx.trigger('#controls', 'change');
        else if (trigger) htmx.trigger(element, trigger.split(/[ ,]/)[0]);
        else htmx.trigger(element, element.matches('form') ? 'submit' : 'click');
    };
    const asked = [];
    for (const element of document.querySelectorAll('[hx-post], [hx-get]')) {
        const answered = new Promise((done) => {
            element.addEventListener('htmx:finally:request', () => done(true));
            setTimeout(done, 10_000, false);
        });
        tell(element);
        const is_answered = await answered;
        asked.push([element.outerHTML.slice(0, 120), is_answered && element.isConnected]);
        if (!asked.at(-1)[1]) break;
    }
    return asked;
}"""
"""Has each element that asks by htmx ask, until one is not answered, or is not there any more."""


def refuse(page: Page, status: int) -> None:
    """From now on the site answers whatever htmx asks with a page of this status."""

    def answer(route: Route) -> None:
        if route.request.headers.get("hx-request"):
            route.fulfill(status=status, content_type="text/html", body=ANOTHER)
        else:
            route.continue_()

    page.route("**/*", answer)


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize(
    ("where", "least"),
    [
        ("/labs/first-cnn/", 2),
        ("trained", 20),
        ("/runs/", 3),
        ("/course/convolution/what-is-a-convolution/", 5),
    ],
)
def test_whatever_a_page_asks_and_is_refused_is_swapped_in_nowhere(
    returning: Page, ended: Ended, complaints: Complaints, where: str, least: int, status: int
) -> None:
    complaints.allow(f"status of {status}")
    page = returning
    page.goto(ended.trained if where == "trained" else where)
    page.wait_for_load_state("networkidle")
    refuse(page, status)
    asked = page.evaluate(ASK_ALL)
    assert [text for text, answered in asked if not answered] == []
    assert len(asked) >= least
    expect(page.locator("header.site")).to_have_count(1)
    expect(page.locator("#toast")).not_to_be_empty()


def test_a_cancel_that_is_refused_says_so_and_the_next_one_counts(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("status of 403")
    lab = Lab(page, "steady")
    lab.set(steps=900, pause=0.1)
    run = lab.start()
    run.expect_running()
    refuse(page, 403)
    run.cancel()
    toast = page.locator("#toast")
    expect(toast).to_have_text(re.compile("refused that, so nothing was changed. Reload the page"))
    expect(toast).to_have_attribute("role", "status")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    page.unroute("**/*")
    run.cancel()
    run.expect("cancelled")
    expect(toast).to_be_empty()


def test_where_one_is_signed_out_no_page_to_sign_in_on_is_swapped_in(page: Page) -> None:
    lab = Lab(page, "hidden-kernel")
    page.route(
        "**/hidden-kernel/run/",
        lambda route: route.fulfill(status=302, headers={"Location": "/sign-in/?next=/"}),
    )
    page.locator("#controls button[type=submit]").click()
    expect(page.locator("#toast")).to_contain_text("You are not signed in any more")
    expect(page.locator("header.site")).to_have_count(1)
    expect(lab.run.panel).to_have_attribute("data-state", "empty")


LIMIT = """<div class="status status-failed"><p class="status-text">Not started</p>
<p class="reason">200 guests are new here within an hour.
<a href="/sign-in/">Sign in</a></p></div>"""


@pytest.mark.parametrize("status", [403, 429, 507])
def test_a_limit_says_itself_what_it_is(page: Page, complaints: Complaints, status: int) -> None:
    complaints.allow(f"status of {status}")
    headers = {"HX-Retarget": "#status", "HX-Reswap": "innerHTML", "Content-Type": "text/html"}
    for what in ("**/questions/*/", "**/pictures/"):
        page.route(what, lambda route: route.fulfill(status=status, headers=headers, body=LIMIT))
    page.goto("/course/convolution/what-is-a-convolution/")
    page.get_by_role("button", name="Hint").first.click()
    expect(page.locator("#toast")).to_contain_text("200 guests are new here")
    forge = Forge(page)
    forge.upload("a.png", "image/png", b"\x89PNG")
    expect(page.locator(".upload-answer")).to_contain_text("200 guests are new here")


# --- the token


def test_a_token_that_went_stale_is_renewed_and_the_press_counts_once(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("status of 403")
    lab = Lab(page, "hidden-kernel")
    lab.set(steps=20, seed=77)
    page.context.clear_cookies(name="csrftoken")
    refused = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status == 403 else None)
    lab.start().expect("succeeded")
    assert len(refused) == 1
    expect(page.locator("#toast")).to_be_empty()
    page.locator("#controls button[type=submit]").click()
    lab.run.expect("replay")
    assert len(refused) == 1, "the page kept the new token"
    page.goto("/runs/")
    expect(page.locator("tbody tr")).to_have_count(2)


def test_a_live_lab_goes_on_with_a_renewed_token(page: Page, complaints: Complaints) -> None:
    complaints.allow("status of 403")
    forge = Forge(page)
    before = forge.wait_for_map()
    expect(forge.permalink).to_be_visible()
    page.context.clear_cookies(name="csrftoken")
    forge.cell(2, 2).fill("5")
    forge.expect_another_map(before)
    expect(slot(page, "kernel")).to_contain_text("5.00")


# --- pressed twice, and Back


def test_a_double_click_makes_one_run(page: Page) -> None:
    lab = Lab(page, "hidden-kernel")
    lab.set(steps=20, seed=78)
    page.locator("#controls button[type=submit]").dblclick()
    lab.run.expect("succeeded")
    page.goto("/runs/")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_without_scripts_a_double_click_makes_one_run_too(new_context: Contexts) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/labs/steady/")
    page.locator("#controls input[type=number][name=steps]").fill("60")
    page.locator("#controls input[type=number][name=pause]").fill("0.1")
    page.locator("#controls button[type=submit]").dblclick()
    page.wait_for_url("**/runs/*/")
    page.goto("/runs/")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_back_from_a_run_finds_the_settings_it_was_started_with(page: Page) -> None:
    lab = Lab(page, "hidden-kernel")
    lab.set(steps=40, seed=79)
    lab.choose("optimiser", "adam")
    lab.start().expect("succeeded")
    page.go_back()
    page.wait_for_url("**/labs/hidden-kernel/?from=*")
    expect(lab.run.panel).to_have_attribute("data-state", "empty")
    sent = settings(page)
    assert (sent["steps"], sent["seed"], sent["optimiser"]) == ("40", "79", "adam")
