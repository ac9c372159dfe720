"""Whatever an author saves does nothing in a reader's browser: every payload, on a real page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Request

from tests.browser.conftest import Contexts
from tests.conftest import Complaints
from tests.courses.payloads import PAYLOADS
from tests.courses.specimen import file
from tests.stack import Stack

pytestmark = pytest.mark.browser

PUBLISH = """
from django.db.models import F
from courses.models import Lecture
Lecture.objects.update(published=F("source"))
for row in Lecture.objects.filter(published__contains="\u2400"):
    text = row.published.replace("\u2400", chr(0))
    Lecture.objects.filter(pk=row.pk).update(published=text)
"""
"""Behind the back of `load_course` and of the desk, which refuse some of them, and every NUL."""
COUNT_HITS = "window.hits = 0; window.hit = () => { window.hits += 1; };"
PROVOKE = """() => {
    const names = ['mouseover', 'pointerdown', 'focus', 'toggle', 'animationstart', 'error'];
    for (const element of document.querySelectorAll('.lecture-text *')) {
        for (const name of names) element.dispatchEvent(new Event(name));
        if (element.matches('a, button:not(form *)')) {
            element.addEventListener('click', (event) => event.preventDefault(), { once: true });
            element.click();
        }
    }
    return [window.hits, document.querySelectorAll('.lecture-text').length];
}"""


def write(folder: Path) -> list[str]:
    """A course in which each lecture holds one payload; the lectures' addresses."""
    for n, payload in enumerate(payload.replace("\0", "\u2400") for payload in PAYLOADS):
        section = folder / f"{n // 90 + 1:02}-payloads-{n // 90}"
        section.mkdir(parents=True, exist_ok=True)
        (section / "section.toml").write_text('title = "Payloads"\nsummary = "None works."\n')
        text = file(f"Before.\n\n{payload}\n\nAfter.\n", status="draft", title=f"Payload {n}")
        (section / f"{n % 90 + 1:02}-p{n}.md").write_bytes(text.encode())
    return [f"/course/payloads-{n // 90}/p{n}/" for n in range(len(PAYLOADS))]


def test_no_payload_runs_loads_or_breaks_out(
    stack: Callable[..., Stack], new_context: Contexts, complaints: Complaints, tmp_path: Path
) -> None:
    complaints.allow("404.*pictures/a-1x1.png")
    complaints.allow("422.*/drafts/")  # a lab's setting that is none
    addresses = write(tmp_path / "course")
    assert len(addresses) >= 150
    site = stack("web")
    site.manage("load_course", "--content", str(tmp_path / "course"))
    site.manage("shell", "-c", PUBLISH)
    page = new_context(base_url=site.base_url).new_page()
    page.add_init_script(COUNT_HITS)
    asked: list[str] = []
    dialogs: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("request", note)
    page.on("dialog", refuse)
    for address in addresses:
        page.goto(address, wait_until="domcontentloaded")
        assert page.evaluate(PROVOKE) == [0, 1], PAYLOADS[addresses.index(address)]
    assert dialogs == []
    assert [url for url in asked if "/hit" in url] == []
    assert page.evaluate("() => { hit(); return window.hits; }") == 1, "it would be seen"
