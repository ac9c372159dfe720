"""Every answer of the site carries the strict policy (fault 48, the headers)."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from django.test import Client

from labs.lab import catalog
from tests.engine import cast
from tests.engine.served import serving

pytestmark = pytest.mark.django_db
EVENT_HANDLER = re.compile(r"<[a-z][^>]*\son[a-z]+\s*=", re.I)
INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>|<style|<[a-z][^>]*\sstyle\s*=|javascript:", re.I)

PAGES = ["/", "/labs/", "/runs/", "/sign-in/", "/healthz", "/readyz", "/api/", "/api/labs/"]
PAGES += ["/api/docs/", "/api/schema/", "/no/such/page/", "/labs/no-such-lab/", "/pictures/"]


@pytest.fixture
def alice() -> Client:
    client = Client()
    client.get("/labs/kernel-forge/")
    return client


def policy(answer: Any) -> dict[str, list[str]]:
    parts = (part.split() for part in answer["Content-Security-Policy"].split(";"))
    return {part[0]: part[1:] for part in parts if part}


def assert_strict(answer: Any) -> None:
    found = policy(answer)
    assert found["default-src"] == ["'self'"]
    assert found["object-src"] == found["base-uri"] == found["frame-ancestors"] == ["'none'"]
    assert found["form-action"] == ["'self'"]
    everything = " ".join(word for words in found.values() for word in words)
    assert "unsafe" not in everything and "*" not in everything and "http" not in everything
    assert "data:" not in " ".join(found.get("script-src", []) + found.get("style-src", []))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] in ("same-origin", "no-referrer", "strict-origin")
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    if answer["Content-Type"].startswith("text/html"):
        html = answer.content.decode()
        assert not INLINE.search(html), INLINE.search(html)
        assert not EVENT_HANDLER.search(html), EVENT_HANDLER.search(html)


@pytest.mark.parametrize("path", [*PAGES, *(f"/labs/{slug}/" for slug in catalog())])
def test_every_page_carries_the_strict_policy(alice: Client, path: str) -> None:
    answer = alice.get(path)
    assert answer.status_code < 500
    assert_strict(answer)


@pytest.mark.usefixtures("commits")
def test_the_pages_of_a_run_carry_it_in_every_state(alice: Client) -> None:
    started: Any = alice.post("/labs/steady/run/", {"steps": 2})
    run = started["Location"]
    assert_strict(started)
    for _ in ("queued", "finished"):
        for path in (run, f"{run}panel/", "/runs/"):
            assert_strict(alice.get(path))
        cast.work()
    events = alice.get(f"{run}events/")
    assert_strict(events)
    assert events["Cache-Control"] == "no-cache"


def test_refusals_carry_it_too(alice: Client) -> None:
    wrong = alice.post("/labs/kernel-forge/run/", {"stride": "99"})
    assert wrong.status_code == 422
    forged = Client(enforce_csrf_checks=True).post("/labs/kernel-forge/run/", {})
    assert forged.status_code == 403
    odd = alice.get("/", headers={"host": "another.example"})
    assert odd.status_code == 400
    wrong_way = alice.get("/labs/kernel-forge/run/")
    assert wrong_way.status_code == 405
    for answer in (wrong, forged, wrong_way):
        assert_strict(answer)
    assert (
        policy(odd)["frame-ancestors"] == ["'none'"] and odd["X-Content-Type-Options"] == "nosniff"
    )


@pytest.mark.django_db(transaction=True)
async def test_a_static_file_is_taken_for_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Static files are served beside Django, so they are looked at as uvicorn sends them."""
    async with serving(monkeypatch) as site:
        address = f"http://127.0.0.1:{site.port}"
        async with httpx.AsyncClient(base_url=address, trust_env=False) as http:
            page = (await http.get("/labs/kernel-forge/")).text
            found = set(re.findall(r'(?:src|href)="(/static/[^"]+\.(?:js|css))"', page))
            assert found
            for path in (*found, "/static/no-such-file.js"):
                answer = await http.get(path)
                assert answer.headers["X-Content-Type-Options"] == "nosniff", path
                kind = answer.headers["Content-Type"].split(";")[0]
                assert kind == ("text/css" if path.endswith("css") else "text/javascript") or (
                    answer.status_code == 404 and kind == "text/plain"
                )
