"""Nothing that somebody uploaded or computed runs on our origin (fault 32)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from playwright.sync_api import BrowserContext, Error, FilePayload, Page

from labs.models import Picture
from tests.conftest import Complaints
from tests.engine import cast
from tests.faults.uploads import files
from tests.stack import Stack


def guest() -> Client:
    client = Client()
    client.get("/labs/kernel-forge/")
    return client


def assert_inert(answer: Any) -> None:
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Cache-Control"].startswith("private")
    b"".join(answer.streaming_content) if answer.streaming else answer.content
    answer.close()


@pytest.mark.django_db
@pytest.mark.usefixtures("commits")
def test_an_uploaded_picture_is_served_inert(settings: Any, tmp_path: Path) -> None:
    settings.FILES_ROOT = tmp_path
    alice = guest()
    alice.post("/pictures/", {"picture": SimpleUploadedFile("a.png", files.png() + files.HTML)})
    cast.work("interactive")
    answer: Any = alice.get(f"/pictures/{Picture.objects.get().pk}/image.png")
    assert answer["Content-Type"] == "image/png"
    assert_inert(answer)


@pytest.mark.django_db
@pytest.mark.usefixtures("commits")
def test_a_runs_pictures_are_inert_and_its_files_come_as_attachments(
    settings: Any, tmp_path: Path
) -> None:
    settings.FILES_ROOT = tmp_path
    alice = guest()
    started: Any = alice.post("/labs/steady/run/", {"steps": 2, "with_picture": "true"})
    run = started["Location"]
    cast.work()
    panel = alice.get(f"{run}panel/").content.decode()
    picture: Any = alice.get(re.search(rf'src="({run}pictures/[^"]+)"', panel)[1])  # type: ignore[index]
    assert picture["Content-Type"] == "image/png"
    assert_inert(picture)
    file: Any = alice.get(f"{run}files/numbers.txt")
    assert file["Content-Disposition"] == 'attachment; filename="steady-numbers.txt"'
    assert_inert(file)
    other: Any = guest()
    assert other.get(f"{run}files/numbers.txt").status_code == 404


# --- in Chromium


def sent(page: Page, name: str, content: bytes) -> str:
    """Upload as the page does, and wait for the worker. Gives what the page is told."""
    given = FilePayload(name=name, mimeType="image/png", buffer=content)
    token = next(c["value"] for c in page.context.cookies() if "csrf" in c["name"])
    answer = page.request.post(
        "/pictures/", headers={"X-CSRFToken": token}, multipart={"picture": given}
    )
    said = answer.text()
    while found := re.search(r'hx-get="([^"]+)"', said):
        page.wait_for_timeout(100)
        said = page.request.get(found[1]).text()
    return said


@pytest.mark.browser
def test_no_script_of_an_upload_or_a_file_runs_in_chromium(
    site: Stack, new_context: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    complaints.allow("Failed to load resource")
    complaints.allow("Applying inline style")  # Chromium's own page around a picture
    context = new_context()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto("/labs/kernel-forge/")
    page.wait_for_selector("#slot-map-body img")  # the session comes with the page's first change
    for name, content in (("page.png", files.HTML), ("page.html", files.SVG)):
        assert "error" in sent(page, name, content)
    ready = sent(page, "polyglot.png", files.png() + files.HTML)
    own = re.search(r'data-value="own:([^"]+)"', ready)
    assert own
    page.goto(f"/pictures/{own[1]}/image.png")
    assert page.title() != "it ran" and "image.png" in page.url
    assert page.evaluate("document.contentType") == "image/png"
    assert not [url for url in asked if "it-ran" in url]

    page.goto("/labs/steady/")
    token = next(c["value"] for c in context.cookies() if "csrf" in c["name"])
    started = page.request.post(
        "/labs/steady/run/", headers={"X-CSRFToken": token}, form={"steps": "2", "seed": "4242"}
    )
    while 'data-state="succeeded"' not in (shown := page.request.get(started.url).text()):
        assert 'data-state="replay"' not in shown
        page.wait_for_timeout(100)
    with page.expect_download() as download, pytest.raises(Error, match="Download is starting"):
        page.goto(f"{started.url}files/numbers.txt")
    assert download.value.suggested_filename == "steady-numbers.txt"
