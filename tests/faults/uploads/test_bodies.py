"""Bodies that are too large, too slow, or not what they say (fault 29), at the real web process."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.site import Site
from tests.faults.streams.client import Guest, memory, size, tell
from tests.faults.uploads import files

pytestmark = pytest.mark.faults
BLOCK = b"x" * 65_536
LARGEST_GROWTH = 20e6
PATIENCE = 10.0


def head(guest: Guest, *lines: str) -> bytes:
    first = ["POST /pictures/ HTTP/1.1", "Host: 127.0.0.1", f"Cookie: {guest.cookie}"]
    first += [f"X-CSRFToken: {guest.token}", "Content-Type: multipart/form-data; boundary=b"]
    return "\r\n".join([*first, *lines, "", ""]).encode()


def form(content: bytes) -> bytes:
    name = b'Content-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'
    return b"--b\r\n" + name + content + b"\r\n--b--\r\n"


class Wire:
    """One raw connection; `answer` is the status that came, 0 where the connection was closed."""

    def __init__(self, site: Site) -> None:
        self.socket = socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE)
        self.began = time.monotonic()

    def send(self, *parts: bytes) -> bool:
        """False: the other side hears no more."""
        try:
            for part in parts:
                self.socket.sendall(part)
        except OSError:
            return False
        return True

    def answer(self) -> int:
        with contextlib.suppress(OSError):
            found = re.match(rb"HTTP/1.1 (\d+)", self.socket.recv(65_536))
            return int(found[1]) if found else 0
        return 0

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def guest(broken: Site) -> Iterator[Guest]:
    with broken.guest() as made:
        yield made


@pytest.fixture
def wire(broken: Site) -> Iterator[Wire]:
    made = Wire(broken)
    yield made
    made.close()


class Peak:
    """How far web's memory grows within the block."""

    def __init__(self, site: Site) -> None:
        self.pid = site.processes["web"].pid
        self.before = self.most = memory(self.pid)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self) -> None:
        while not self.over.wait(0.02):
            self.most = max(self.most, memory(self.pid))

    def __enter__(self) -> Peak:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    @property
    def growth(self) -> float:
        return self.most - self.before


def warm(guest: Guest) -> None:
    """Once, so that what a first upload loads is not taken for growth."""
    answer = guest.post("/pictures/", files={"picture": ("a.png", files.large(), "image/png")})
    assert answer.status_code == 200


def test_a_body_that_says_it_has_8_mb_is_refused_before_it_is_sent(
    guest: Guest, wire: Wire
) -> None:
    wire.send(head(guest, "Content-Length: 8000000"))
    assert wire.answer() == 413
    tell(f"413 after {time.monotonic() - wire.began:.3f} s")


def test_a_body_of_8_mb_in_a_form_is_refused_in_words(guest: Guest) -> None:
    body = form(bytes(8_000_000))
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    with contextlib.suppress(OSError):
        answer = guest.post("/pictures/", content=body, headers=kind)
        assert answer.status_code == 413 and "6 MB" in answer.text


def test_an_endless_body_without_a_length_is_cut_off_and_costs_no_memory(
    broken: Site, guest: Guest, wire: Wire
) -> None:
    """CI: 50 MB are offered in chunks. The row: 1 GB."""
    warm(guest)
    offered, blocks = 0, size(50_000_000, 1_000_000_000) // len(BLOCK)
    with Peak(broken) as peak:
        wire.send(head(guest, "Transfer-Encoding: chunked"))
        for _ in range(blocks):
            if not wire.send(b"%x\r\n" % len(BLOCK), BLOCK, b"\r\n"):
                break
            offered += len(BLOCK)
        status = wire.answer()
    tell(f"{status} after {offered / 1e6:.0f} MB; web grew by {peak.growth / 1e6:.1f} MB")
    assert status in (413, 0), "refused, or cut off while it was still talking"
    assert offered < 40_000_000, "it is not listened to until its end"
    assert peak.growth <= LARGEST_GROWTH


def test_the_largest_picture_that_is_allowed_costs_little_memory(
    broken: Site, guest: Guest
) -> None:
    warm(guest)
    noise = b"\x89PNG" + bytes(5_900_000)
    with Peak(broken) as peak:
        for _ in range(3):
            answer = guest.post("/pictures/", files={"picture": ("a.png", noise, "image/png")})
            assert answer.status_code == 200
    tell(f"web grew by {peak.growth / 1e6:.1f} MB")
    assert peak.growth <= LARGEST_GROWTH


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (("Content-Length: 10",), form(bytes(100_000))),
        (("Content-Length: 0",), form(bytes(100_000))),
        (("Content-Length: -1",), b""),
        (("Content-Length: ten",), b""),
        (("Content-Length: 1e3",), form(b"")),
        (("Content-Length: " + "9" * 30,), b""),
        (("Content-Length: 5", "Content-Length: 6"), b"12345"),
        (("Content-Length: 5", "Transfer-Encoding: chunked"), b"5\r\nabcde\r\n0\r\n\r\n"),
        (("Transfer-Encoding: chunked",), b"ffffffffffffffff\r\nabc"),
        (("Transfer-Encoding: chunked",), b"no number\r\nabc\r\n"),
        (("Transfer-Encoding: gzip",), b"abc"),
    ],
)
def test_a_length_that_lies_is_never_a_fault_of_ours(
    broken: Site, guest: Guest, wire: Wire, lines: tuple[str, ...], body: bytes
) -> None:
    wire.socket.settimeout(2)
    wire.send(head(guest, *lines), body)
    status = wire.answer()
    assert status < 500, "0 is a connection that was closed or waits for the rest"
    assert guest.http.get("/healthz").status_code == 200


def test_a_body_that_stops_half_way_leaves_nothing(broken: Site, guest: Guest) -> None:
    jobs = len(broken.ledger.live_jobs())
    for _ in range(10):
        wire = Wire(broken)
        wire.send(head(guest, "Content-Length: 500000"), form(bytes(100_000))[:-10])
        wire.close()
    assert guest.http.get("/labs/").status_code == 200
    assert len(broken.ledger.live_jobs()) == jobs


def test_slow_bodies_hold_nobody_up(broken: Site, guest: Guest) -> None:
    """CI: 40 at a time, more than views may work at once. The row asks for slow ones; so 200."""
    wires = [Wire(broken) for _ in range(size(40, 200))]
    for wire in wires:
        wire.send(head(guest, "Content-Length: 100000"), b"--b\r\n")
    took = []
    for _ in range(5):
        began = time.monotonic()
        assert guest.http.get("/labs/").status_code == 200
        took.append(time.monotonic() - began)
        for wire in wires:
            assert wire.send(b"x")
    tell(f"/labs/ beside {len(wires)} slow bodies: at most {max(took) * 1e3:.0f} ms")
    assert max(took) < 5
    for wire in wires:
        wire.close()
