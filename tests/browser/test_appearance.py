"""Narrow, dark, calm and on paper: every kind of page, as different readers have it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, ViewportSize, expect

from labs.fields import fields_of
from labs.lab import Lab as Declared
from labs.lab import catalog
from tests.browser.conftest import Contexts, Ended
from tests.browser.pages import Forge, Lab, slot, wait_for_points
from tests.conftest import Complaints

pytestmark = pytest.mark.browser


def parts(lab: Declared) -> set[str]:
    """What its page is made of: the templates of its controls and of its panel."""
    controls = {f"control {field['control']}" for field in fields_of(lab.params).values()}
    return controls | {f"event {slot.kind}" for slot in lab.panel}


def covering(labs: Iterable[Declared]) -> Iterator[Declared]:
    """Labs that have, together, every part that any of them has: those with the most first."""
    seen: set[str] = set()
    for lab in sorted(labs, key=lambda lab: -len(parts(lab))):
        if not parts(lab) <= seen:
            seen |= parts(lab)
            yield lab


PLAIN = {
    "home": "/",
    "section": "/course/convolution/",
    "section to come": "/course/pooling/",
    "lecture": "/course/convolution/what-is-a-convolution/",
    "lecture with formulas and code": "/course/convolution/padding/",
    "lecture to come": "/course/pooling/why-reduce/",
    "labs": "/labs/",
    **{lab.slug: f"/labs/{lab.slug}/" for lab in covering(catalog().values())},
    "my runs": "/runs/",
    "sign-in": "/sign-in/",
    "sign-up": "/sign-up/",
    "password reset": "/password/reset/",
    "no such page": "/labs/no-such-lab/",
}
KINDS = [*PLAIN, "finished run", "failed run", "cancelled run"]
Scheme = Literal["light", "dark"]
SCHEMES: list[Scheme] = ["light", "dark"]
WIDE, NARROW = ViewportSize(width=1280, height=800), ViewportSize(width=360, height=740)
PAPER = "() => getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(253, 252, 249)", "rgb(22, 25, 28)"


def show(page: Page, kind: str, ended: Ended) -> None:
    """Open a page of this kind and wait until nothing more comes."""
    runs = {"finished run": ended.trained, "failed run": ended.failed}
    page.goto(PLAIN.get(kind) or runs.get(kind) or ended.cancelled)
    if kind == "kernel-forge":
        expect(page.locator("#permalink a")).to_be_visible()
    if kind == "first-cnn":
        expect(page.locator("#preview .note")).to_be_visible()


def check_at_both_widths_and_in_both_colours(page: Page, narrow: Scheme = "dark") -> None:
    """axe finds nothing, and nothing scrolls sideways: narrow in these colours, wide in the other.

    What all pages share is seen in all four ways: the kinds take turns.
    """
    wide: Scheme = "light" if narrow == "dark" else "dark"
    for size, scheme in ((WIDE, wide), (NARROW, narrow)):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert not found.violations_count, f"{size} {scheme}: {found.generate_report()}"
        widths = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], f"it scrolls sideways: {widths}"


@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    returning: Page, ended: Ended, complaints: Complaints, kind: str
) -> None:
    complaints.allow("status of 404")
    show(returning, kind, ended)
    check_at_both_widths_and_in_both_colours(returning, SCHEMES[KINDS.index(kind) % 2])


def test_nor_on_a_run_that_is_running(page: Page) -> None:
    lab = Lab(page, "steady")
    lab.set(steps=900, pause=0.5)
    run = lab.start()
    run.expect_running()
    wait_for_points(page, more_than=2, name="count")
    check_at_both_widths_and_in_both_colours(page)
    run.cancel()
    run.expect("cancelled")


def test_nor_with_answers_of_the_trained_network(returning: Page, ended: Ended) -> None:
    page = returning
    page.goto(ended.trained)
    page.get_by_role("button", name="is 3, taken for 3:").click()
    expect(slot(page, "cell").locator("img").first).to_be_visible()
    page.locator("canvas.pad").click()
    expect(slot(page, "reading").locator("tr")).to_have_count(10)
    check_at_both_widths_and_in_both_colours(page)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_long_name_beside_a_bar_is_read_whole(
    returning: Page, ended: Ended, size: ViewportSize
) -> None:
    page = returning
    page.set_viewport_size(size)
    page.goto(ended.trained)
    page.locator("canvas.pad").click()
    rows = slot(page, "reading").locator("tr")
    expect(rows).to_have_count(10)
    short = rows.nth(1).locator("th").bounding_box()
    assert short and short["width"] < 60, "short names take no more room than they need"
    name = rows.first.locator("th")
    name.locator("> *").last.evaluate("name => name.textContent = 'American Staffordshire terrier'")
    clipped = "name => name.scrollWidth > name.clientWidth || name.scrollHeight > name.clientHeight"
    assert not name.evaluate(clipped)
    assert name.evaluate("name => getComputedStyle(name).textOverflow") != "ellipsis"
    bar = rows.first.locator("svg").bounding_box()
    assert bar and bar["width"] >= 60
    place, number = (
        slot(page, "reading").bounding_box(),
        rows.first.locator(".number").bounding_box(),
    )
    assert place and number
    assert number["x"] + number["width"] <= place["x"] + place["width"] + 1


def test_on_a_phone_the_live_map_stays_in_sight_above_the_control_that_is_touched(
    new_context: Contexts,
) -> None:
    page = new_context(viewport=NARROW, reduced_motion="reduce").new_page()
    forge = Forge(page)
    forge.wait_for_map()
    page.locator("#controls input[type=number][name=stride]").fill("2")
    for name in ("stride", "bias", "column"):
        field = page.locator(f"#controls input[type=number][name={name}]")
        page.locator("h1").click()
        field.focus()
        shown, touched = forge.map.bounding_box(), field.bounding_box()
        assert shown and touched
        assert 0 <= shown["y"] < shown["y"] + shown["height"] < NARROW["height"] * 0.6
        assert touched["y"] > shown["y"] + shown["height"], f"{name} lies under the map"


@pytest.mark.parametrize("kind", ["lecture", "lecture with formulas and code"])
def test_on_a_phone_a_figure_is_seen_whole(new_context: Contexts, kind: str) -> None:
    """What a control moves may lie at its right end."""
    page = new_context(viewport=NARROW).new_page()
    page.goto(PLAIN[kind])
    for figure in page.locator(".drawing").all():
        box = figure.locator("svg").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= NARROW["width"]
    assert page.locator(".drawing svg").count() >= 1


def test_on_a_phone_nothing_jumps_when_the_first_map_comes(new_context: Contexts) -> None:
    page = new_context(viewport=NARROW).new_page()
    held: list[Route] = []
    page.route(re.compile(r"/drafts/\w+/$"), lambda route: held.append(route))
    page.goto("/labs/kernel-forge/")
    expect(slot(page, "map").get_by_text("Appears in a moment.")).to_be_visible()
    before = page.locator(".lab-controls").bounding_box()
    held[0].continue_()
    expect(slot(page, "map").locator("img").first).to_be_visible()
    expect(slot(page, "map").locator(".sentence")).to_contain_text("cells")
    after = page.locator(".lab-controls").bounding_box()
    assert before and after and abs(after["y"] - before["y"]) < 24, "a line of text at most"


def test_on_a_phone_a_training_that_starts_is_brought_into_sight(new_context: Contexts) -> None:
    page = new_context(viewport=NARROW, reduced_motion="reduce").new_page()
    lab = Lab(page, "first-cnn")
    lab.set(epochs=1, seed=8)
    lab.start()
    expect(slot(page, "loss")).to_be_in_viewport()


def test_axe_sees_what_is_wrong(page: Page) -> None:
    page.goto("/")
    page.evaluate("() => document.querySelector('main').append(new Image())")
    assert Axe().run(page).violations_count


def test_colours_follow_the_system_until_the_switch_says_otherwise(new_context: Contexts) -> None:
    page = new_context(color_scheme="dark").new_page()
    page.goto("/")
    assert page.evaluate(PAPER) == DARK
    page.get_by_role("radio", name="Light").check(force=True)
    assert page.evaluate(PAPER) == LIGHT
    page.reload()
    assert page.evaluate(PAPER) == LIGHT
    page.goto("/labs/")
    assert page.evaluate(PAPER) == LIGHT
    expect(page.get_by_role("radio", name="Light")).to_be_checked()
    page.get_by_role("radio", name="System").check(force=True)
    page.reload()
    assert page.evaluate(PAPER) == DARK


def test_curves_are_drawn_anew_in_the_other_colours(returning: Page, ended: Ended) -> None:
    page = returning
    page.goto(ended.trained)
    label = slot(page, "loss").locator(".curve-labels span").first
    expect(label).to_have_css("color", "rgb(168, 80, 15)")
    page.get_by_role("radio", name="Dark").check(force=True)
    expect(label).to_have_css("color", "rgb(240, 163, 94)")


def test_with_reduced_motion_nothing_moves(new_context: Contexts) -> None:
    page = new_context(reduced_motion="reduce").new_page()
    Forge(page).wait_for_map()
    moving = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter((element) =>
            ['', '::before', '::after'].some((part) => {
                const style = getComputedStyle(element, part || null);
                return parseFloat(style.transitionDuration) > 0 || style.animationName !== 'none';
            })).map((element) => element.className)"""
    )
    assert moving == []


def test_a_finished_run_prints_in_light_colours_with_its_drawn_curves(
    returning: Page, ended: Ended
) -> None:
    page = returning
    page.emulate_media(color_scheme="dark")
    page.goto(ended.trained)
    curve = slot(page, "loss")
    expect(curve.locator("canvas")).to_be_visible()
    page.emulate_media(color_scheme="dark", media="print")
    expect(curve.locator("svg")).to_be_visible()
    expect(curve.locator("canvas")).to_be_hidden()
    expect(curve.locator("path.line-train")).to_have_css("stroke", "rgb(168, 80, 15)")
    expect(page.locator("header.site")).to_be_hidden()
    expect(page.locator("#controls")).to_be_hidden()
    assert page.pdf(format="A4", print_background=True).startswith(b"%PDF")
