"""Hostile pictures through the whole path: view, job, the worker's child (faults 30, 31, 33)."""

from __future__ import annotations

import io
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.faults.site import Site
from tests.faults.streams.client import Guest, tell
from tests.faults.uploads import files

pytestmark = pytest.mark.faults
READY = re.compile(r'data-value="own:([0-9a-f-]{36})" data-label="([^"]*)"')


@pytest.fixture
def guest(broken: Site) -> Iterator[Guest]:
    with broken.guest() as made:
        yield made


def send(guest: Guest, name: str, content: bytes) -> httpx.Response:
    answer = guest.post("/pictures/", files={"picture": (name, content, "image/png")})
    assert answer.status_code < 500
    return answer


def settled(guest: Guest, answer: httpx.Response) -> str:
    """What the learner reads when the worker has looked at the file."""
    said, end = answer.text, time.monotonic() + 30
    while found := re.search(r'hx-get="(/pictures/[0-9a-f-]+/)"', said):
        assert time.monotonic() < end, "the picture was never looked at"
        time.sleep(0.05)
        again = guest.http.get(found[1])
        assert again.status_code == 200
        said = again.text
    return said


def folder(broken: Site) -> Path:
    return Path(broken.env["CONVOLAB_FILES"])


def everything_kept(broken: Site) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder(broken).glob("**/*") if path.is_file()}


def test_every_hostile_file_is_refused_in_words_and_the_site_stands(
    broken: Site, guest: Guest
) -> None:
    web, children = broken.processes["web"].pid, set(broken.children("interactive"))
    for name, content in files.hostile():
        began = time.monotonic()
        said = settled(guest, send(guest, name, content))
        tell(f"{name}: {time.monotonic() - began:.2f} s")
        assert "error" in said and "JPEG, PNG and WebP" in said, f"{name}: {said}"
        assert "Traceback" not in said and "/tmp" not in said
    assert broken.processes["web"].poll() is None and broken.processes["web"].pid == web
    assert set(broken.children("interactive")) == children, "no child of the pool died"
    assert not [p for p in everything_kept(broken) if p.name == "upload"]
    good = settled(guest, send(guest, "good.png", files.png()))
    assert READY.search(good)


def test_nothing_that_a_picture_carried_is_kept(broken: Site, guest: Guest) -> None:
    """GPS, comments, XMP, and what was put behind it: no byte of it on the disk (fault 31)."""
    for name, content in files.with_secrets().items():
        assert b"convolab" in content, name
        said = settled(guest, send(guest, name, content))
        found = READY.search(said)
        assert found, f"{name}: {said}"
        shown = guest.http.get(f"/pictures/{found[1]}/image.png")
        with Image.open(io.BytesIO(shown.content)) as image:
            assert image.format == "PNG" and not image.getexif() and set(image.info) <= {"dpi"}
    for path, kept in everything_kept(broken).items():
        assert b"convolab" not in kept and b"51.5007" not in kept, path
        assert b"<script" not in kept


def test_a_name_is_a_label_and_nothing_else(broken: Site, guest: Guest) -> None:
    """CI and the row: traversal, CR/LF, right-to-left, 300 characters, markup (fault 33)."""
    before = outside(broken)
    for name in files.ODD_NAMES:
        answer = raw_upload(guest, name)
        assert answer.status_code in (200, 422, 400), (name, answer.status_code)
        assert "stolen" not in str(answer.headers) and "x-injected" not in answer.headers
        said = settled(guest, answer)
        found = READY.search(said)
        if found is None:
            assert "error" in said, f"{name!r} (its lines broke the form): {said}"
            continue
        label = found[2]
        assert len(label) <= 600 and label.strip()
        assert not re.search(r"[\u202a-\u2069\x00-\x1f]", label)
        image = guest.http.get(f"/pictures/{found[1]}/image.png")
        assert image.status_code == 200 and "etc" not in str(image.headers)
    page = guest.http.get("/labs/kernel-forge/").text
    assert "<img src=x" not in page and 'onmouseover="alert' not in page and "49{%" not in page
    assert outside(broken) == before, "nothing was written outside the files' own folder"
    names = {path.name for path in everything_kept(broken)}
    assert names <= {"picture.png", "numbers.txt", "model.safetensors"} | made_by_us(names)


def made_by_us(names: set[str]) -> set[str]:
    """Checkpoints, which we name by numbers alone."""
    return {name for name in names if re.fullmatch(r"[0-9-]+\.safetensors", name)}


def outside(broken: Site) -> set[str]:
    """The names in the site's folder, but for its files and the database's own."""
    inside = folder(broken)
    return {
        str(path)
        for path in broken.folder.parent.glob("**/*")
        if inside not in (path, *path.parents) and "sqlite3" not in path.name
    }


def raw_upload(guest: Guest, name: str) -> httpx.Response:
    """The name goes as it is, unescaped: no honest client would send it so."""
    text = name.replace('"', "%22") if name.startswith("%") else name
    disposition = f'Content-Disposition: form-data; name="picture"; filename="{text}"'
    parts = [
        b"--b",
        disposition.encode(),
        b"Content-Type: image/png",
        b"",
        files.png(),
        b"--b--",
        b"",
    ]
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    return guest.post("/pictures/", content=b"\r\n".join(parts), headers=kind)


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/../../etc/passwd",
        "/pictures/..%2f..%2fetc%2fpasswd/image.png",
        "/runs/%2e%2e/files/passwd",
        "/runs/00000000-0000-4000-8000-000000000000/files/..%2f..%2fdb.sqlite3",
        "/runs/00000000-0000-4000-8000-000000000000/files/.htaccess",
        "/static/../db.sqlite3",
        "/static/..%2f..%2fdb.sqlite3",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static//etc/passwd",
        "/pictures/x%0d%0aSet-Cookie:%20stolen=1/",
        "/runs/%00/",
    ],
)
def test_no_address_leads_out_of_the_folders(broken: Site, path: str) -> None:
    with socket.create_connection(("127.0.0.1", broken.port), timeout=10) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65_536), b""))
    assert int(answer.split()[1]) in (400, 404)
    assert b"root:" not in answer and b"SQLite format" not in answer
    assert b"stolen" not in answer.partition(b"\r\n\r\n")[0]
