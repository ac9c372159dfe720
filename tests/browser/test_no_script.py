"""Without JavaScript the site reads, a form starts a run, and its page shows what came out."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Contexts, Ended
from tests.browser.pages import Forge, slot
from tests.browser.test_own_picture import photo
from tests.conftest import Complaints
from tests.servers import wait_for

pytestmark = pytest.mark.browser


@pytest.fixture
def bare(new_context: Contexts) -> Page:
    return new_context(java_script_enabled=False).new_page()


def finish(page: Page) -> None:
    """Reload a run's page until it is over."""

    def over() -> bool:
        page.reload()
        return page.locator("#panel").get_attribute("data-state") in ("succeeded", "replay")

    wait_for("the run's end", over, seconds=60)


def test_a_form_starts_a_run_and_its_page_shows_the_end(bare: Page) -> None:
    bare.goto("/")
    expect(bare.get_by_role("heading", level=1)).to_have_text("How does a network see?")
    bare.get_by_role("link", name="Hidden kernel").click()
    expect(bare.locator(".theme")).to_be_hidden()
    bare.get_by_role("spinbutton", name="Steps").fill("100")
    bare.get_by_role("button", name="Run").click()
    bare.wait_for_url("**/runs/*/")
    finish(bare)
    expect(slot(bare, "loss").locator("svg")).to_be_visible()
    expect(slot(bare, "student").locator("td")).to_have_count(9)
    assert bare.evaluate("() => document.documentElement.className") == "no-js"


def test_kernel_forge_computes_by_its_button(bare: Page) -> None:
    bare.goto("/labs/kernel-forge/")
    kernel = bare.get_by_label("Kernel as JSON, row by row")
    expect(kernel).to_be_visible()
    kernel.fill("[[0, 0, 0], [0, 2, 0], [0, 0, 0]]")
    bare.get_by_role("button", name="Compute").click()
    bare.wait_for_url("**/runs/*/")
    finish(bare)
    expect(slot(bare, "map").locator("img")).to_be_visible()
    expect(slot(bare, "kernel").locator("td").nth(4)).to_have_text("2.00")


def test_a_refused_form_comes_back_with_the_reason_and_what_was_typed(
    bare: Page, complaints: Complaints
) -> None:
    complaints.allow("status of 422")
    bare.goto("/labs/hidden-kernel/")
    bare.get_by_role("spinbutton", name="Steps").fill("7")
    bare.get_by_role("button", name="Run").click()
    expect(bare.locator("[data-error-for=steps]")).to_be_visible()
    expect(bare.get_by_role("spinbutton", name="Steps")).to_have_value("7")


def test_a_live_lab_says_to_press_its_button(bare: Page) -> None:
    bare.goto("/labs/kernel-forge/")
    expect(bare.locator("#status")).to_contain_text("Press Compute")
    expect(bare.get_by_text("Live: the panel follows every change.")).to_be_hidden()
    expect(bare.get_by_text("Appears in a moment.").first).to_be_hidden()
    expect(bare.get_by_text("Appears when you press Compute.").first).to_be_visible()
    picture = bare.get_by_role("group", name="Picture")
    expect(picture.get_by_text("up to 6 MB and 8 megapixels")).to_be_visible()
    expect(picture.get_by_text("A large picture is made smaller here")).to_be_hidden()


def test_questions_that_need_scripts_say_so(new_context: Contexts, ended: Ended) -> None:
    page = new_context(java_script_enabled=False, storage_state=ended.guest).new_page()
    page.goto(ended.trained)
    expect(page.get_by_text("This question needs JavaScript")).to_be_visible()
    expect(page.locator("textarea[name=drawing]")).to_be_hidden()
    expect(page.get_by_text("To see what is behind a number")).to_be_visible()
    expect(page.get_by_text("Choose a cell")).to_be_hidden()


def test_a_picture_is_deleted_by_its_button(new_context: Contexts) -> None:
    context = new_context()
    page = context.new_page()
    forge = Forge(page)
    forge.wait_for_map()
    forge.upload("beach.png", "image/png", photo("PNG"))
    expect(page.locator(".tile", has_text="beach").get_by_role("radio")).to_be_checked()
    guest = context.storage_state()
    bare = new_context(java_script_enabled=False, storage_state=guest).new_page()
    bare.goto("/labs/hidden-kernel/")
    bare.locator(".tile summary").click()
    bare.get_by_role("button", name="Delete beach.png").click()
    bare.wait_for_url("**/labs/hidden-kernel/")
    expect(bare.locator(".tile", has_text="beach")).to_have_count(0)


def test_enter_in_a_field_starts_the_run_and_deletes_no_picture(
    new_context: Contexts,
) -> None:
    context = new_context()
    page = context.new_page()
    forge = Forge(page)
    forge.wait_for_map()
    forge.upload("beach.png", "image/png", photo("PNG"))
    expect(page.locator(".tile", has_text="beach").get_by_role("radio")).to_be_checked()
    bare = new_context(java_script_enabled=False, storage_state=context.storage_state()).new_page()
    bare.goto("/labs/hidden-kernel/")
    bare.get_by_role("spinbutton", name="Steps").press("Enter")
    bare.wait_for_url("**/runs/*/")


def test_a_run_is_cancelled_by_its_button(bare: Page) -> None:
    bare.goto("/labs/steady/")
    bare.get_by_role("spinbutton", name="Steps").fill("900")
    bare.get_by_role("spinbutton", name="Pause").fill("0.3")
    bare.get_by_role("button", name="Train").click()
    bare.get_by_role("button", name="Cancel").click()
    expect(bare.locator("#panel")).to_have_attribute("data-state", "cancelled")
