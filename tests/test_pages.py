"""What the pages say around a run: its seed, its link, its queue; and what needs no script."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from accounts.models import Learner
from labs import stream
from labs.data import registry
from labs.models import Job, Run, State
from labs.models.run import TWICE
from labs.panel import status_of
from labs.views.sheets import lab_sheet
from tests.access.people import own_picture
from tests.engine import cast
from tests.engine.served import note
from tests.test_templates import Page

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def alice() -> Client:
    client = Client()
    client.post("/labs/kernel-forge/run/", {"size": "64"})
    return client


def start(who: Client, lab: str = "steady", **form: str) -> str:
    """Start a run; the address of its page."""
    answer: Any = who.post(f"/labs/{lab}/run/", form)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def page(who: Client, address: str) -> str:
    return who.get(address).content.decode()


# --- the seed


@pytest.mark.parametrize("seed", ["12345", "-1", "1.5", "", "٣", "seven"])
def test_a_seed_that_is_none_is_refused_at_its_field(alice: Client, seed: str) -> None:
    answer: Any = alice.post("/labs/steady/run/", {"seed": seed}, headers=HTMX)
    shown = Page(answer.content.decode())
    assert answer.status_code == 422
    line = next(p for p in shown.all("p") if p.get("data-error-for") == "seed")
    assert "hidden" not in line
    assert "The seed must be a whole number from 0 to 9,999." in shown.text
    field = next(i for i in shown.all("input") if i.get("name") == "seed")
    assert (field["value"], field["aria-invalid"]) == (seed, "true")
    assert not Job.objects.filter(lab="steady").exists()


def test_the_seed_says_its_range_and_a_good_one_is_kept(alice: Client) -> None:
    assert "0 to 9,999" in Page(page(alice, "/labs/steady/")).text
    address = start(alice, seed="9999")
    assert Run.objects.get(pk=address.split("/")[2]).job.seed == 9999


@pytest.mark.usefixtures("commits")
def test_a_lab_without_a_seed_shows_none(alice: Client) -> None:
    cast.work("interactive")
    run = Run.objects.get()
    assert run.state == State.SUCCEEDED
    assert "seed" not in page(alice, f"/runs/{run.pk}/").lower()
    start(alice, "kernel-forge", size="64", seed="12345")
    assert Job.objects.filter(lab="kernel-forge").count() == 1, "it has no seed to differ by"


@pytest.mark.usefixtures("commits")
def test_a_lab_with_a_seed_shows_it(alice: Client) -> None:
    address = start(alice, seed="7")
    cast.work()
    assert page(alice, address).count("seed") >= 2


# --- the link


def test_a_live_labs_run_says_where_its_settings_are_and_who_may_open_it(alice: Client) -> None:
    form = {"size": "64", "stride": "2"}
    answer: Any = alice.post("/labs/kernel-forge/run/", form, headers={**HTMX, "X-Live": "1"})
    run = Run.objects.latest("started_at")
    assert answer["HX-Replace-Url"] == f"/labs/kernel-forge/?from={run.pk}"
    assert "Only you can open it." in answer.content.decode()
    assert 'name="stride"' in page(alice, answer["HX-Replace-Url"])
    stride = next(
        i
        for i in Page(page(alice, answer["HX-Replace-Url"])).all("input")
        if i.get("name") == "stride"
    )
    assert stride["value"] == "2"


# --- the queue


def waited(run_address: str, seconds: int) -> dict[str, Any]:
    job = Run.objects.get(pk=run_address.split("/")[2]).job
    Job.objects.filter(pk=job.pk).update(queued_at=Now() - timedelta(seconds=seconds))
    job.refresh_from_db()
    return status_of(job)


def test_a_run_that_no_worker_takes_says_so_and_not_that_it_starts_now(alice: Client) -> None:
    address = start(alice)
    assert waited(address, 3)["text"] == "Queued, place 1, starts now"
    assert waited(address, 30)["text"] == "Queued, place 1. No worker has taken it yet."


def test_behind_a_run_that_is_computed_it_is_told_how_long(alice: Client) -> None:
    cast.start(cast.learner(), steps=9)
    assert cast.take() is not None
    assert "No worker" not in waited(start(alice), 30)["text"]


def test_the_page_of_a_run_that_has_only_now_been_started_says_its_place(alice: Client) -> None:
    assert "Queued, place 1, starts now" in page(alice, start(alice))


def test_a_start_is_answered_with_an_empty_panel_whose_stream_brings_all(alice: Client) -> None:
    """Fifty who press Start at once have one state: rendered once, by the feed."""
    cast.start(cast.learner(), steps=9)
    job = cast.take()
    assert job is not None
    stream.append(job, 1, note("drawn before"))
    answer: Any = alice.post("/labs/steady/run/", {"steps": "9"}, headers=HTMX)
    shown = Page(answer.content.decode())
    run = Run.objects.get(job=job, learner=Run.objects.earliest("started_at").learner)
    assert "drawn before" not in shown.text and "Running" in shown.text
    live = next(attrs for _, attrs in shown.tags if attrs.get("id") == "live")
    assert live["hx-sse:connect"] == f"/runs/{run.pk}/events/"
    assert "drawn before" in page(alice, f"/runs/{run.pk}/")


def test_a_start_that_is_refused_leaves_no_learner(settings: Any) -> None:
    settings.WAITING_A_LEARNER = 0
    nobody = Client()
    assert nobody.post("/labs/steady/run/", {}, headers=HTMX).status_code == 429
    assert not Learner.objects.exists()


# --- one's own pictures


def test_a_picture_can_be_deleted_from_its_tile_and_one_comes_back_to_the_lab(
    alice: Client,
) -> None:
    picture = own_picture(Run.objects.get().learner)
    shown = Page(page(alice, "/labs/kernel-forge/"))
    delete = f"/pictures/{picture.pk}/delete/"
    button = next(b for b in shown.all("button") if b.get("hx-post") == delete)
    assert button["formaction"] == delete and picture.label in button["aria-label"]
    forms = {form.get("id"): form for form in shown.all("form")}
    assert button["form"] != "controls" and button["form"] in forms, "Enter must not press it"
    lab = "http://testserver/labs/kernel-forge/"
    answer: Any = alice.post(delete, headers={"Referer": lab})
    assert answer["Location"] == lab
    assert delete not in page(alice, "/labs/kernel-forge/")


def test_after_a_deletion_nobody_is_sent_to_another_site(alice: Client) -> None:
    picture = own_picture(Run.objects.get().learner)
    elsewhere = {"Referer": "http://elsewhere.invalid/labs/"}
    answer: Any = alice.post(f"/pictures/{picture.pk}/delete/", headers=elsewhere)
    assert answer["Location"] == "/"


# --- datasets


def test_a_dataset_that_is_not_here_cannot_be_chosen_and_says_why(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "is_here", lambda name: False)
    shown = Page(page(alice, "/labs/first-cnn/"))
    options = {i["value"]: i for i in shown.all("input") if i.get("name") == "dataset"}
    assert "disabled" not in options["digits"]
    assert "disabled" in options["mnist"] and "disabled" in options["fashion-mnist"]
    assert "MNIST (not on this site)" in shown.text
    refused: Any = alice.post("/labs/first-cnn/run/", {"dataset": "mnist"}, headers=HTMX)
    again = next(
        i for i in Page(refused.content.decode()).all("input") if i.get("value") == "mnist"
    )
    assert refused.status_code == 422
    assert "checked" in again and "disabled" not in again, "else the form would send the default"


def test_a_dataset_that_is_here_can_be_chosen(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "is_here", lambda name: True)
    shown = page(alice, "/labs/first-cnn/")
    assert "not on this site" not in shown
    assert not [i for i in Page(shown).all("input") if "disabled" in i]


# --- without scripts, and on a run's page


@pytest.mark.usefixtures("commits")
def test_the_page_of_a_run_that_goes_on_says_to_reload_it(alice: Client) -> None:
    address = start(alice)
    assert "reload it to see how far the run is" in page(alice, address)
    cast.work()
    assert "reload it" not in page(alice, address)


def test_the_network_of_a_run_is_previewed_while_it_is_edited(alice: Client) -> None:
    tiny = '[{"kind": "pooling", "size": 4}, {"kind": "flatten"}]'
    shown = Page(page(alice, start(alice, "first-cnn", epochs="1", blocks=tiny)))
    preview = next(attrs for _, attrs in shown.tags if attrs.get("id") == "preview")
    assert preview["hx-post"] == "/labs/first-cnn/preview/"
    assert preview["hx-include"] == "#controls"
    assert "blocks-changed from:#controls" in preview["hx-trigger"]


def test_a_lab_without_a_preview_has_none_on_its_runs_either(alice: Client) -> None:
    assert 'id="preview"' not in page(alice, start(alice))


# --- pressed twice


def test_a_second_press_within_seconds_is_the_same_run(alice: Client) -> None:
    first = start(alice, seed="7")
    assert start(alice, seed="7") == first
    assert start(alice, seed="8") != first, "other settings"
    Run.objects.update(started_at=Now() - TWICE - timedelta(seconds=1))
    assert start(alice, seed="7") != first, "later"


@pytest.mark.usefixtures("commits")
def test_what_is_pressed_again_after_the_end_is_a_replay_and_one_for_two_presses(
    alice: Client,
) -> None:
    first = start(alice, seed="7")
    while cast.work() is not None:
        pass
    again = start(alice, seed="7")
    assert again != first and Run.objects.get(pk=again.split("/")[2]).replay
    assert start(alice, seed="7") == again


def test_a_run_that_was_cancelled_can_be_started_again_at_once(alice: Client) -> None:
    first = start(alice, seed="7")
    alice.post(f"{first}cancel/")
    assert start(alice, seed="7") != first


def test_another_learners_press_is_a_run_of_their_own(alice: Client) -> None:
    assert start(alice, seed="7") != start(Client(), seed="7")
    assert Job.objects.filter(lab="steady").count() == 1


# --- My runs


def addresses(shown: str) -> list[str]:
    rows = Page(shown).all("a")
    return [a["href"] for a in rows if re.fullmatch(r"/runs/[0-9a-f-]{36}/", a.get("href", ""))]


def test_every_run_can_be_reached_each_once_also_where_many_began_at_one_moment(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labs.views.runs.RUNS_A_PAGE", 4)
    run = Run.objects.get()
    Run.objects.bulk_create(
        Run(learner=run.learner, job=run.job, lab=run.lab, started_at=run.started_at)
        for _ in range(9)
    )
    seen, where = [], "/runs/"
    while where:
        shown = page(alice, where)
        seen.append(addresses(shown))
        if len(seen) == 2:  # the run that the next page counts from goes meanwhile
            alice.post(f"{seen[-1][-1]}delete/")
        links = {a["href"] for a in Page(shown).all("a") if a.get("rel") == "next"}
        where = f"/runs/{links.pop()}" if links else ""
    assert [len(one) for one in seen] == [4, 4, 2]
    assert len({address for one in seen for address in one}) == 10


@pytest.mark.parametrize("place", ["x", "2026-11-30", "0001-01-01T00:00:00+14:00/x", "/", "9" * 99])
def test_a_page_of_runs_that_is_none_is_not_found(alice: Client, place: str) -> None:
    assert alice.get("/runs/", {"before": place}).status_code == 404


def test_a_start_says_its_moment_in_utc(alice: Client) -> None:
    Run.objects.update(started_at=datetime(2026, 11, 30, 17, 25, 9, tzinfo=UTC))
    shown = page(alice, "/runs/")
    assert '<time datetime="2026-11-30T17:25:09+00:00">30 November 2026, 17:25 UTC</time>' in shown


# --- drawn once for all


NONCE = re.compile(r"/drafts/([0-9a-f]{32})/")
TOKEN = re.compile(r"[A-Za-z0-9]{64}")


@pytest.mark.parametrize("address", ["", "embed/", "?stride=2", "embed/?stride=2&show=stride"])
def test_a_labs_page_is_drawn_once_and_each_has_a_token_and_drafts_of_their_own(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab_sheet.store.clear()
    drawn, draw = [], lab_sheet.function

    def drawing(*args: Any) -> Any:
        drawn.append(args)
        return draw(*args)

    monkeypatch.setattr(lab_sheet, "function", drawing)
    shown = [page(Client(), f"/labs/kernel-forge/{address}") for _ in range(3)]
    assert len(drawn) == 1
    assert len({NONCE.findall(one)[0] for one in shown}) == 3
    assert all(len(set(NONCE.findall(one))) == 1 for one in shown)
    assert len({TOKEN.findall(one)[0] for one in shown}) == 3
    assert len({TOKEN.sub("", NONCE.sub("", one)) for one in shown}) == 1
    assert not [one for one in shown if "\x00" in one]


def test_what_a_lab_page_shows_of_ones_own_nobody_else_sees(alice: Client) -> None:
    picture = own_picture(Run.objects.get().learner)
    assert picture.value in page(alice, "/labs/kernel-forge/")
    assert picture.value not in page(Client(), "/labs/kernel-forge/")
    chosen = page(alice, f"/labs/kernel-forge/?picture={picture.value}")
    assert f'value="{picture.value}" checked' in chosen
    assert chosen.count(f'value="{picture.value}"') == 1


def test_no_address_opens_a_hole_of_the_page() -> None:
    shown = page(Client(), "/labs/hidden-kernel/?steps=%00account%00&lr=%00own%00")
    assert Page(shown).text.count("Sign in") == 1


def test_a_dataset_that_comes_is_on_the_page_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_here in (False, True):
        monkeypatch.setattr(registry, "is_here", lambda name, is_here=is_here: is_here)
        assert ("not on this site" in page(Client(), "/labs/first-cnn/")) != is_here
