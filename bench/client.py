"""A guest of the site: a session, a form's token, and a stream read line by line."""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""httpx makes a context a client where none is given, 50 ms each, though plain HTTP needs none."""


class Guest:
    def __init__(self, base_url: str) -> None:
        self.web = httpx.Client(base_url=base_url, timeout=60, verify=PLAIN)
        self.token = ""

    def open(self, slug: str) -> str:
        """Open a lab's page; gives its HTML."""
        page = self.web.get(f"/labs/{slug}/").text
        self.token = re.findall(r'csrfmiddlewaretoken" value="([^"]+)', page)[0]
        return page

    def post(self, url: str, **form: Any) -> httpx.Response:
        data = {"csrfmiddlewaretoken": self.token, **form}
        return self.web.post(url, data=data, headers={"HX-Request": "true"})

    def start(self, slug: str, **form: Any) -> str:
        """Start a run; gives its address."""
        answer = self.post(f"/labs/{slug}/run/", **form)
        assert answer.status_code == 200, answer.text[:500]
        return answer.headers["HX-Push-Url"]

    def cancel(self, url: str) -> None:
        self.post(f"{url}cancel/")


class Stream:
    """Reads an event stream in a thread, and calls `see(id, data)` at each message's end."""

    def __init__(self, guest: Guest, url: str, see: Callable[[str, str], None]) -> None:
        self.guest, self.url, self.see = guest, url, see
        self.open = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        self.open.wait(10)

    def _read(self) -> None:
        with (
            httpx.Client(
                base_url=self.guest.web.base_url,
                cookies=self.guest.web.cookies,
                timeout=None,
                verify=PLAIN,
            ) as web,
            web.stream("GET", self.url) as answer,
        ):
            self.open.set()
            place, data = "", []
            try:
                for line in answer.iter_lines():
                    if line.startswith("id: "):
                        place = line[4:]
                    elif line.startswith("data: "):
                        data.append(line[6:])
                    elif not line and data:
                        self.see(place, "\n".join(data))
                        data = []
            except httpx.HTTPError:
                return  # the site was stopped


def wait_for(event: threading.Event, seconds: float = 30) -> float:
    """Wait for it; gives when it came."""
    if not event.wait(seconds):
        raise TimeoutError(f"nothing within {seconds} s")
    return time.perf_counter()
