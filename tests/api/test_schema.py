"""The OpenAPI schema is right, and its page keeps to our content security policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Page

from labs.lab import catalog
from tests.api.caller import Caller


def test_the_schema_has_no_warning(tmp_path: Path) -> None:
    file = str(tmp_path / "schema.yml")
    call_command("spectacular", validate=True, fail_on_warn=True, file=file)


def test_every_call_is_in_the_schema_with_its_errors() -> None:
    schema = Client().get("/api/schema/", headers={"Accept": "application/json"}).json()
    calls = {
        f"{method.upper()} {path}": set(call["responses"])
        for path, methods in schema["paths"].items()
        for method, call in methods.items()
    }
    unsafe = {"400", "403", "413", "415"}
    assert calls == {
        "GET /api/labs/": {"200"},
        "GET /api/labs/{slug}/": {"200", "404"},
        "GET /api/runs/": {"200", "404"},
        "POST /api/runs/": {"201", "429", "503", "507"} | unsafe,
        "GET /api/runs/{id}/": {"200", "404"},
        "POST /api/runs/{id}/cancel/": {"200", "404"} | unsafe,
        "GET /api/runs/{id}/events/": {"200", "400", "404"},
    }


def test_the_schema_says_what_an_unsafe_call_needs() -> None:
    schema = Client().get("/api/schema/", headers={"Accept": "application/json"}).json()
    said = schema["components"]["securitySchemes"]["session"]["description"]
    assert all(word in said for word in ("X-CSRFToken", "csrftoken", "Referer", "Origin"))


def test_labs_come_with_the_json_schema_of_their_params() -> None:
    shown = Caller().get("labs/").json()
    assert [lab["slug"] for lab in shown] == list(catalog())
    forge = next(lab for lab in shown if lab["slug"] == "kernel-forge")
    assert forge == Caller().get("labs/kernel-forge/").json()
    stride = forge["params"]["properties"]["stride"]
    assert (stride["minimum"], stride["maximum"], stride["default"]) == (1, 4, 1)


def test_the_docs_page_has_nothing_inline() -> None:
    page = Client().get("/api/docs/").content.decode()
    assert "<style" not in page and "style=" not in page and not re.search(r"\son\w+=", page)
    sources = re.findall(r"<script([^>]*)>([^<]*)</script>", page)
    assert len(sources) == 3
    assert all("src=" in attributes and not body.strip() for attributes, body in sources)
    assert "://" not in page
    script = Client().get("/api/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")


@pytest.mark.browser
def test_the_docs_page_shows_every_call_and_breaks_no_rule(page: Page) -> None:
    page.goto("/api/docs/")
    page.get_by_text("/api/runs/{id}/cancel/").click()
    page.get_by_text("A run that is over stays as it is.").wait_for()
