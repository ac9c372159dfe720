"""A picture's way from the editor into the course: decoded by a worker, kept, shown, deleted."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings

from courses.admin import pictures
from courses.markdown import render
from courses.models import Picture
from labs.models import Artifact, Job
from labs.models import Picture as Upload
from tests.courses.desks import Author, text_of
from tests.courses.specimen import lecture
from tests.engine import cast
from tests.faults.uploads import files

pytestmark = pytest.mark.django_db
UPLOAD = "/admin/courses/picture/upload/"


@pytest.fixture(autouse=True)
def own_files(settings: Settings, tmp_path: Path) -> Path:
    settings.FILES_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def ada() -> Author:
    return Author("ada")


@pytest.fixture
def _a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker in this process, which works while the author waits."""
    monkeypatch.setattr(pictures, "sleep", lambda _: cast.work("interactive"))


def upload(who: Author, content: bytes, alt: str = "A cup on a table") -> Any:
    return who.post(UPLOAD, picture=SimpleUploadedFile("cup.png", content), alt=alt)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("_a_worker")
def test_a_picture_is_rebuilt_by_a_worker_and_named_by_what_it_shows(
    ada: Author, own_files: Path
) -> None:
    answer = upload(ada, files.png() + files.SECRET)
    assert answer.status_code == 201
    picture = Picture.objects.get()
    assert answer.json() == {"markdown": f"![A cup on a table](pictures/{picture.name})"}
    assert picture.name == f"a-cup-on-a-table-{picture.sha256[:6]}-64x48.png"
    assert picture.alt == "A cup on a table"
    content = picture.path.read_bytes()
    assert files.SECRET not in content and picture.size == len(content)
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.size) == ("PNG", (64, 48))
    assert files_in(own_files) == [picture.path], "of the upload nothing is left"
    assert not Upload.objects.exists() and not Job.objects.exists()
    assert not Artifact.objects.exists()


@pytest.mark.usefixtures("_a_worker")
def test_what_it_answers_is_a_picture_of_the_lecture(ada: Author) -> None:
    for alt in ("[a] “cup” `x` \\", "é" * 300, "咖啡", "_a_ *b* $c$ {{d}} <e>"):
        markdown = upload(ada, files.png(), alt).json()["markdown"]
        row = lecture(f"Before.\n\n{markdown}\n", slug=f"s{Picture.objects.count()}")
        shown = render(row.published)
        assert shown.problems == () and len(shown.pictures) == 1, alt
        source = f'src="/course/pictures/{shown.pictures[0][1]}"'
        page = Client().get(row.get_absolute_url()).content.decode()
        assert source in page and 'width="64" height="48"' in page


@pytest.mark.usefixtures("_a_worker")
def test_the_same_picture_again_is_kept_once(ada: Author) -> None:
    assert upload(ada, files.png()).json() == upload(ada, files.png()).json()
    assert Picture.objects.count() == 1


@pytest.mark.usefixtures("_a_worker")
def test_a_large_one_is_made_smaller_and_its_name_has_the_size_that_it_has(ada: Author) -> None:
    upload(ada, files.large())
    assert Picture.objects.get().name.endswith("-1024x1024.png")


@pytest.mark.usefixtures("_a_worker")
@pytest.mark.parametrize(
    ("content", "alt", "says"),
    [
        (files.png(), "", "Say in a sentence what the picture shows"),
        (files.png(), " \t\x00\u200b ", "Say in a sentence what the picture shows"),
        (files.png(), "x" * 301, "301 characters, and 300 is the most"),
        (b"", "A cup", "No picture came with the description"),
        (files.HTML, "A cup", "not a picture that we can read"),
        (files.SVG, "A cup", "not a picture that we can read"),
        (b"\x89PNG" + bytes(6_100_000), "A cup", "6.1 MB"),
    ],
    ids=["no alt", "blank alt", "long alt", "empty", "html", "svg", "large"],
)
def test_what_cannot_be_taken_is_refused_in_a_sentence(
    ada: Author, own_files: Path, content: bytes, alt: str, says: str
) -> None:
    answer = upload(ada, content, alt)
    assert answer.status_code == 422 and says in answer.json()["error"]
    assert not Picture.objects.exists() and files_in(own_files) == []


def test_without_a_worker_the_author_is_told_and_nothing_is_left(
    ada: Author, own_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "PATIENCE", 0.2)
    answer = upload(ada, files.png())
    assert answer.status_code == 503 and "No worker has read the picture" in answer.json()["error"]
    assert not Job.objects.exists() and files_in(own_files) == []


def test_a_limit_is_said_in_words(ada: Author, settings: Settings) -> None:
    settings.PICTURES_A_LEARNER = 0
    answer = upload(ada, files.png())
    assert answer.status_code == 429 and "pictures here" in answer.json()["error"]


def test_only_who_may_add_pictures_uploads_one(ada: Author) -> None:
    assert Client().post(UPLOAD, {"alt": "x"}).status_code == 302
    ada.user.groups.clear()
    assert upload(ada, files.png()).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada.user)
    assert strict.post(UPLOAD, {"alt": "x"}).status_code == 403


# --- serving


@pytest.fixture
def cup() -> Picture:
    return Picture.take(files.png(), "A cup")


def test_a_picture_is_served_to_everybody_for_ever_and_cannot_run(cup: Picture) -> None:
    answer: Any = Client().get(f"/course/pictures/{cup.name}")
    assert answer.status_code == 200 and answer.getvalue() == files.png()
    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["..%2f..%2fsecret-key", "a%00b.png", "x.png", "a-1x1.png"])
def test_no_other_file_is(cup: Picture, name: str) -> None:
    assert Client().get(f"/course/pictures/{name}").status_code == 404


def test_a_picture_whose_file_is_gone_is_not_found(cup: Picture) -> None:
    cup.path.unlink()
    assert Client().get(f"/course/pictures/{cup.name}").status_code == 404


# --- the list


def test_the_list_shows_each_picture_and_where_it_is_used(
    ada: Author, cup: Picture, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    lecture(f"{cup.markdown}\n", slug="with-a-cup")
    for n in range(20):
        Picture.take(files.png(), f"Another {n}")
    with django_assert_max_num_queries(12):
        page = ada.get("/admin/courses/picture/")
    said = text_of(page)
    assert f'src="/course/pictures/{cup.name}"' in page.content.decode()
    assert "A cup" in said and "A window" in said and "nothing" in said


def test_a_picture_that_a_lecture_shows_is_not_deleted(ada: Author, cup: Picture) -> None:
    row = lecture(f"{cup.markdown}\n")
    assert row.rewrite(row.source.replace(cup.markdown, "Gone."), row.version)  # students see it
    for answer in (ada.get(delete(cup)), ada.post(delete(cup), post="yes")):
        said = text_of(answer)
        assert "is not deleted, for these lectures show it" in said and "A window" in said
    assert Picture.objects.exists() and cup.path.exists()


def test_one_that_is_used_nowhere_is_deleted_with_its_file(ada: Author, cup: Picture) -> None:
    assert ada.post(delete(cup), post="yes").status_code == 302
    assert not Picture.objects.exists() and not cup.path.exists()


def test_its_alternative_is_edited_and_its_name_is_not(ada: Author, cup: Picture) -> None:
    page = f"/admin/courses/picture/{cup.pk}/change/"
    assert ada.post(page, alt="A white cup", name="other-1x1.png").status_code == 302
    after = Picture.objects.get()
    assert (after.alt, after.name) == ("A white cup", cup.name)


def delete(picture: Picture) -> str:
    return f"/admin/courses/picture/{picture.pk}/delete/"
