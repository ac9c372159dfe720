"""An uploaded picture's way: view, job, a worker's child that decodes it, a clean copy."""

from __future__ import annotations

import io
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from labs.models import Artifact, Job, Picture, State
from tests.engine import cast
from tests.faults.uploads import files
from workers import sweeps

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("commits")]


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.FILES_ROOT = tmp_path  # a job's id comes again when a test's transaction is undone


@pytest.fixture
def alice() -> Client:
    return guest()


def guest() -> Client:
    client = Client()
    client.get("/labs/kernel-forge/")
    return client


def upload(who: Client, content: bytes, name: str = "me.png") -> HttpResponse:
    answer: Any = who.post("/pictures/", {"picture": SimpleUploadedFile(name, content)})
    return answer  # type: ignore[no-any-return]


def taken(who: Client, content: bytes, name: str = "me.png") -> Picture:
    """Uploaded, and its job carried to its end."""
    assert upload(who, content, name).status_code == 200
    assert cast.work("interactive") is not None
    return Picture.objects.select_related("job").latest("created")


def stored(picture: Picture) -> dict[str, bytes]:
    """Every file that the disk has of a picture."""
    folder = Path(site_settings.FILES_ROOT) / "jobs" / str(picture.job_id)
    return {path.name: path.read_bytes() for path in folder.glob("**/*") if path.is_file()}


def test_a_picture_is_read_by_a_worker_and_shown_as_a_clean_copy(alice: Client) -> None:
    waiting = upload(alice, files.png())
    assert b"is being read" in waiting.content
    picture = Picture.objects.get()
    assert Artifact.objects.get().name == "upload" and picture.rebuilt is None
    assert alice.get(f"/pictures/{picture.pk}/image.png").status_code == 404
    cast.work("interactive")
    ready = alice.get(f"/pictures/{picture.pk}/").content.decode()
    assert f'data-value="own:{picture.pk}"' in ready and 'data-label="me.png"' in ready
    shown: Any = alice.get(f"/pictures/{picture.pk}/image.png")
    with Image.open(io.BytesIO(b"".join(shown.streaming_content))) as image:
        assert (image.format, image.size) == ("PNG", (64, 48))


def test_what_was_sent_is_gone_when_the_copy_is_there(alice: Client) -> None:
    picture = taken(alice, files.png() + files.SECRET)
    assert list(stored(picture)) == ["picture.png"]
    assert [a.name for a in picture.job.artifacts.all()] == ["picture.png"]
    assert files.SECRET not in stored(picture)["picture.png"]


def test_what_was_sent_is_gone_when_it_was_refused(alice: Client) -> None:
    picture = taken(alice, files.HTML)
    assert picture.job.state == State.FAILED and stored(picture) == {}
    assert not Artifact.objects.exists()
    said = alice.get(f"/pictures/{picture.pk}/").content.decode()
    assert "not a picture that we can read" in said and "JPEG, PNG and WebP" in said


def test_what_was_sent_is_gone_when_the_worker_gave_up(alice: Client) -> None:
    """Its process died each time: the reaper deletes what compute could not."""
    upload(alice, files.png())
    for _ in range(3):
        job = cast.take("interactive")
        assert job is not None and job.lapse()
    picture = Picture.objects.select_related("job").get()
    assert picture.job.state == State.FAILED and stored(picture)
    sweeps.sweep_uploads()
    assert stored(picture) == {} and not Artifact.objects.exists()


def test_the_reaper_leaves_what_still_waits(alice: Client) -> None:
    upload(alice, files.png())
    sweeps.sweep_uploads()
    assert list(stored(Picture.objects.get())) == ["upload"]


@pytest.mark.parametrize("empty", [b"", None])
def test_nothing_is_refused_in_words(alice: Client, empty: bytes | None) -> None:
    answer: Any = alice.post("/pictures/", {}) if empty is None else upload(alice, empty)
    assert answer.status_code == 422 and b"No picture came" in answer.content
    assert not Job.objects.exists()


def test_more_than_6_mb_is_refused_in_words_before_it_is_stored(alice: Client) -> None:
    answer = upload(alice, b"\x89PNG" + bytes(6_100_000))
    assert answer.status_code == 422 and b"6.1 MB" in answer.content
    assert not Job.objects.exists()


def test_a_picture_is_its_learners_alone(alice: Client) -> None:
    """Fault 27: neither the copy nor a trace of it, and no run on it."""
    bob = guest()
    picture = taken(alice, files.png())
    for path in ("", "image.png"):
        assert bob.get(f"/pictures/{picture.pk}/{path}").status_code == 404
    assert bob.post(f"/pictures/{picture.pk}/delete/").status_code == 404
    run: Any = bob.post("/labs/kernel-forge/run/", {"picture": picture.value})
    nobodys: Any = bob.post("/labs/kernel-forge/run/", {"picture": f"own:{uuid.uuid4()}"})
    assert run.status_code == nobodys.status_code == 422
    words = "That picture is not among yours any more"
    assert words in run.content.decode() and words in nobodys.content.decode()
    assert picture.label not in bob.get("/labs/kernel-forge/").content.decode()
    assert Picture.objects.filter(pk=picture.pk).exists()


def test_equal_private_pictures_of_two_learners_are_computed_twice(alice: Client) -> None:
    """Fault 27: a hit would tell that somebody else has this very picture."""
    bob = guest()
    keys, pictures = set(), set()
    for who in (alice, bob):
        picture = taken(who, files.png())
        pictures.add(picture.job_id)
        answer: Any = who.post("/labs/kernel-forge/run/", {"picture": picture.value})
        assert answer.status_code == 302
        job = cast.work("interactive")
        assert job is not None and job.state == State.SUCCEEDED
        keys.add(job.key)
    assert len(pictures) == 2 and len(keys) == 2


def test_the_same_picture_again_is_not_a_replay_for_another(alice: Client) -> None:
    """Not even through one's own picture of the same content, and for alice herself it is."""
    picture = taken(alice, files.png())
    for _ in range(2):
        answer: Any = alice.post("/labs/kernel-forge/run/", {"picture": picture.value})
        cast.work("interactive")
    page = alice.get(answer["Location"]).content.decode()
    assert 'data-state="replay"' in page


def test_a_deleted_picture_is_gone_from_the_disk_and_its_runs_stay(alice: Client) -> None:
    picture = taken(alice, files.png())
    answer: Any = alice.post("/labs/kernel-forge/run/", {"picture": picture.value})
    cast.work("interactive")
    folder = stored(picture)
    assert folder
    alice.post(f"/pictures/{picture.pk}/delete/")
    assert stored(picture) == {} and not Picture.objects.exists()
    assert alice.get(answer["Location"]).status_code == 200
    again: Any = alice.post("/labs/kernel-forge/run/", {"picture": picture.value})
    assert again.status_code == 422


def test_a_label_is_never_empty_and_never_moves_the_words_around_it(alice: Client) -> None:
    assert taken(alice, files.png(), " ").label == "picture"
    assert taken(alice, files.png(), "a\u202egnp.exe").label == "agnp.exe"
    assert len(taken(alice, files.png(), "x" * 300 + ".png").label) == 120


def test_the_most_pictures_of_a_learner_are_said_in_words(alice: Client, settings: Any) -> None:
    settings.PICTURES_A_LEARNER = 2
    for _ in range(2):
        taken(alice, files.png())
    full = upload(alice, files.png())
    assert full.status_code == 429 and b"You have 2 pictures here" in full.content
    assert upload(guest(), files.png()).status_code == 200


def test_a_refused_file_takes_no_place(alice: Client, settings: Any) -> None:
    settings.PICTURES_A_LEARNER = 1
    taken(alice, files.HTML)
    assert upload(alice, files.png()).status_code == 200


def test_storage_is_counted_as_it_lies_on_the_disk(alice: Client, settings: Any) -> None:
    """A small JPEG may become a large PNG: what counts is what is kept (fault 34)."""
    picture = taken(alice, files.large())
    kept = sum(map(len, stored(picture).values()))
    assert kept > len(files.large()) + 3 * len(files.png())
    settings.STORAGE_A_LEARNER = kept + len(files.png())
    assert upload(alice, files.png()).status_code == 200
    full = upload(alice, files.png())
    assert full.status_code == 429 and b"does not fit" in full.content
