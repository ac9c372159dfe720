"""CONVOLAB_PRODUCTION=1: what is served is closed, and who asks is known."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import sqlite3
from collections.abc import Iterator
from http.cookies import Morsel, SimpleCookie
from pathlib import Path

import httpx
import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from labs import bodies
from labs.views.address import address_in, address_of
from tests.conftest import running, stop_all
from tests.servers import wait_for
from tests.stack import Stack
from tests.test_settings import SECRET

HTTPS = {"X-Forwarded-Proto": "https", "Host": "cnn.example.org"}
PEER, CLIENT, PROXY, FORGED = "192.0.2.1", "198.51.100.7", "203.0.113.2", "10.6.6.6"


@pytest.mark.parametrize(
    ("hops", "forwarded", "seen"),
    [
        (0, "", PEER),
        (0, FORGED, PEER),
        (1, CLIENT, CLIENT),
        (1, f"{FORGED}, {CLIENT}", CLIENT),
        (1, f"{FORGED}, {FORGED} , {CLIENT} ", CLIENT),
        (2, f"{CLIENT}, {PROXY}", CLIENT),
        (2, f"{FORGED}, {CLIENT}, {PROXY}", CLIENT),
        (2, FORGED, PEER),
        (1, "", PEER),
        (1, f"{FORGED}, ", PEER),
        (1, f"{CLIENT}:49152", CLIENT),
        (2, f"{CLIENT}:49152, {PROXY}:1", CLIENT),
        (1, f'"{CLIENT}:49152"', CLIENT),
        (1, "2001:DB8:0::7", "2001:db8::7"),
        (1, "[2001:db8::7]", "2001:db8::7"),
        (1, '"[2001:db8::7]:49152"', "2001:db8::7"),
        (1, "fe80::7%eth0", "fe80::7"),
        (1, f"::ffff:{CLIENT}", CLIENT),
        (1, f"[::ffff:{CLIENT}]:49152", CLIENT),
        (1, "unknown", PEER),
        (1, "_hidden", PEER),
        (1, f"for={CLIENT}", PEER),
        (1, f"{CLIENT}:49152:1", PEER),
        (1, "[]:80", PEER),
        (1, "198.51.100.256", PEER),
    ],
)
def test_only_what_our_own_proxies_saw_is_believed_and_one_address_has_one_spelling(
    hops: int, forwarded: str, seen: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = hops
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=PEER)
    assert address_of(request) == seen
    lines = [(b"x-forwarded-for", hop.encode()) for hop in forwarded.split(",") if forwarded]
    assert address_in({"client": (PEER, 1), "headers": lines}) == seen


@pytest.mark.parametrize(
    ("peer", "seen"), [("::ffff:192.0.2.1", PEER), ("::1", "::1"), ("", ""), ("/run/socket", "")]
)
def test_a_peer_is_spelt_the_same_way(peer: str, seen: str) -> None:
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=peer)) == seen


# --- As it is served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The web process behind two proxies of its operator's own."""
    folder = tmp_path_factory.mktemp("production")
    (folder / "secret").write_text(SECRET)
    env = {
        "CONVOLAB_PRODUCTION": "1",
        "CONVOLAB_HOSTS": "cnn.example.org,127.0.0.1",
        "CONVOLAB_SECRET_KEY_FILE": str(folder / "secret"),
        "CONVOLAB_TRUSTED_PROXIES": "2",
        "CONVOLAB_EXEMPT_NETWORKS": "",
    }
    made = Stack(folder, env, "")
    running.append(made)
    try:
        made.manage("collectstatic", "--noinput", "--verbosity", "0")
        made.start("web")
        yield made
    finally:
        stop_all([made])


def ask(served: Stack, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{served.base_url}{path}", headers=HTTPS | headers, trust_env=False)


def start(served: Stack, bias: int, **headers: str) -> httpx.Response:
    """A guest starts a run that nobody has started."""
    token = cookies_of(ask(served, "/api/labs/"))["__Host-csrf"].value
    more = {"Cookie": f"__Host-csrf={token}", "X-CSRFToken": token, **headers}
    body = {"lab": "kernel-forge", "params": {"bias": bias}}
    answer = httpx.post(
        f"{served.base_url}/api/runs/",
        json=body,
        headers=HTTPS | more | {"Referer": "https://cnn.example.org/"},
        trust_env=False,
    )
    assert answer.status_code == 201, answer.text
    return answer


def cookies_of(answer: httpx.Response) -> dict[str, Morsel[str]]:
    found: dict[str, Morsel[str]] = {}
    for line in answer.headers.get_list("set-cookie"):
        found |= SimpleCookie(line)
    return found


def test_its_cookies_are_for_this_host_and_for_https_alone(served: Stack) -> None:
    cookies = cookies_of(ask(served, "/labs/kernel-forge/"))
    assert set(cookies) == {"__Host-csrf"}, "who only looks is nobody"
    cookies |= cookies_of(start(served, 7))
    assert set(cookies) == {"__Host-session", "__Host-csrf"}
    for cookie in cookies.values():
        assert cookie["secure"] and cookie["path"] == "/" and not cookie["domain"]
        assert cookie["samesite"] == "Lax"
    assert cookies["__Host-session"]["httponly"]


def test_browsers_are_told_to_come_by_https_alone_for_a_year(served: Stack) -> None:
    assert ask(served, "/").headers["Strict-Transport-Security"] == "max-age=31536000"


def test_its_static_files_are_kept_by_browsers_for_ever(served: Stack) -> None:
    link = re.search(r'href="(/static/[^"]+\.css)"', ask(served, "/").text)
    assert link
    file = ask(served, link[1])
    assert file.status_code == 200 and "immutable" in file.headers["Cache-Control"]


def test_a_script_finds_the_module_that_it_takes_from_beside_it(served: Stack) -> None:
    """Modules name each other without the digest that collectstatic puts into names."""
    link = re.search(r'src="(/static/js/camera[^"]*)"', ask(served, "/labs/kernel-forge/").text)
    assert link
    (beside,) = re.findall(r'from "\./([^"]+)"', ask(served, link[1]).text)
    module = ask(served, f"/static/js/{beside}")
    assert module.status_code == 200 and "javascript" in module.headers["Content-Type"]


def test_another_host_name_is_refused(served: Stack) -> None:
    for path in ("/", "/api/labs/"):
        answer = ask(served, path, Host="elsewhere.example")
        assert answer.status_code == 400
        assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [
        ("192.0.2.7, 198.51.100.2", "192.0.2.7"),
        ("203.0.113.9, 192.0.2.8, 198.51.100.2", "192.0.2.8"),
        ("203.0.113.9", "127.0.0.1"),  # not by way of the two proxies; uvicorn would believe it
    ],
)
def test_a_forged_address_changes_nothing(served: Stack, forwarded: str, seen: str) -> None:
    start(served, len(forwarded), **{"X-Forwarded-For": forwarded})
    with sqlite3.connect(served.folder / "db.sqlite3") as database:
        newest = "select address from labs_job order by id desc limit 1"
        assert database.execute(newest).fetchone() == (seen,)
    database.close()


# --- What a connection may cost


@contextlib.contextmanager
def wire(served: Stack, *lines: str, path: str = "/labs/") -> Iterator[socket.socket]:
    """A connection that has sent these lines of a request's head, and not yet its end."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as made:
        first = (f"GET {path} HTTP/1.1", "Host: cnn.example.org", "X-Forwarded-Proto: https")
        made.sendall("".join(f"{line}\r\n" for line in (lines or first)).encode())
        yield made


def heard(connection: socket.socket) -> str:
    """All that is answered until the other side closes."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while more := connection.recv(65_536):
            found += more
    return found.decode()


@pytest.mark.parametrize("size", [70_000, 400_000], ids="{:,} bytes".format)
@pytest.mark.parametrize("part", ["one header", "many headers", "the address"])
def test_a_head_of_more_than_64_kb_is_refused(served: Stack, part: str, size: int) -> None:
    more = {
        "one header": [f"X-Long: {'x' * size}"],
        "many headers": [f"X-{n}: {'x' * 90}" for n in range(size // 100)],
        "the address": [],
    }[part]
    path = "/labs/?" + "x" * size if part == "the address" else "/labs/"
    with contextlib.suppress(ConnectionError), wire(served, path=path) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall("".join(f"{line}\r\n" for line in [*more, ""]).encode())
        said = heard(connection)
        assert "431 Request Header Fields Too Large" in said or not said
        assert "200 OK" not in said
    assert ask(served, "/healthz").status_code == 200


def test_a_head_of_60_kb_is_read(served: Stack) -> None:
    assert ask(served, "/labs/", **{"X-Long": "x" * 60_000}).status_code == 200


@pytest.mark.parametrize(
    "endless", [b"x" * 1_000, b"X-More: 1\r\n"], ids=["one header", "many headers"]
)
@pytest.mark.parametrize("where", ["in the head", "in the trailers", "beside a chunk's size"])
def test_a_head_without_an_end_is_cut_off(served: Stack, where: str, endless: bytes) -> None:
    lines = ["POST /labs/ HTTP/1.1", "Host: cnn.example.org"]
    if where != "in the head":
        lines += ["Transfer-Encoding: chunked", ""]
        lines += ["5;x=" if "chunk" in where else "0"]
    sent = 0
    with wire(served, *lines) as connection, contextlib.suppress(ConnectionError):
        while sent < 5_000_000:
            connection.sendall(endless)
            sent += len(endless)
    assert sent < 5_000_000, "it was listened to all the while"


def test_a_websocket_is_refused_plainly(served: Stack) -> None:
    upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    before = len(served.log("web"))
    for path in ("/", "/runs/", "/static/js/told.js"):
        with wire(served, path=path) as connection:
            lines = [*upgrade, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""]
            connection.sendall("\r\n".join(lines).encode())
            assert connection.recv(65_536).startswith(b"HTTP/1.1 403")
    said = served.log("web")[before:]
    assert "403" in said and "Traceback" not in said


def send_slowly(served: Stack, address: str, size: int) -> socket.socket:
    """A body of which all but the end has been sent, from behind the proxies."""
    connection = socket.create_connection(("127.0.0.1", served.port), timeout=30)
    lines = ["POST /pictures/ HTTP/1.1", "Host: cnn.example.org", f"Content-Length: {size + 1}"]
    lines += [f"X-Forwarded-For: {address}, 198.51.100.2", "X-Forwarded-Proto: https", "", ""]
    with contextlib.suppress(ConnectionError):
        connection.sendall("\r\n".join(lines).encode() + bytes(size))
    return connection


def temporary_bytes(served: Stack) -> int:
    """In the temporary files that web has open."""
    folder = Path(f"/proc/{served.processes['web'].pid}/fd")
    found = 0
    for link in folder.iterdir():
        with contextlib.suppress(OSError):
            if "(deleted)" in str(link.readlink()):
                found += link.stat().st_size
    return found


def test_slow_bodies_fill_neither_the_disk_nor_anybody_elses_place(served: Stack) -> None:
    size = 6_900_000
    fits = bodies.BYTES_AN_ADDRESS // size
    with contextlib.ExitStack() as stack:
        slow = [
            stack.enter_context(contextlib.closing(send_slowly(served, "192.0.2.9", size)))
            for _ in range(24)
        ]
        wait_for("the refusals", lambda: len(answered(slow)) == 24 - fits)
        said = heard(answered(slow)[0])
        assert "503 Service Unavailable" in said and "retry-after: 5" in said
        assert "from your address" in said
        wait_for("the bodies", lambda: temporary_bytes(served) > (fits - 1) * size)
        assert temporary_bytes(served) <= bodies.BYTES_AN_ADDRESS
        other = stack.enter_context(contextlib.closing(send_slowly(served, "192.0.2.10", 1_000)))
        other.sendall(b"x")
        assert other.recv(65_536).startswith(b"HTTP/1.1 403"), "no token: Django was asked"
    wait_for("the room", lambda: temporary_bytes(served) < size)
    with contextlib.closing(send_slowly(served, "192.0.2.9", size)) as again:
        again.sendall(b"x")
        assert again.recv(65_536).startswith(b"HTTP/1.1 403")


def answered(connections: list[socket.socket]) -> list[socket.socket]:
    """Those on which something has come."""
    return select.select(connections, [], [], 0)[0]
