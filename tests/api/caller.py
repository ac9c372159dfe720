"""A program that uses the API: it keeps its cookies and sends the CSRF token with what it posts."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client


class Caller:
    """`token=False` leaves the CSRF token out, as a page of another site would."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/{path}", query)

    def post(self, path: str, body: Any = None, *, token: bool = True, **more: Any) -> Any:
        if token and "csrftoken" not in self.client.cookies:
            self.get("labs/")
        headers = {"X-CSRFToken": self.client.cookies["csrftoken"].value} if token else {}
        raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        more = {"content_type": "application/json", "headers": headers, **more}
        return self.client.post(f"/api/{path}", raw, **more)

    def start(self, lab: str = "steady", seed: int = 0, **params: Any) -> Any:
        return self.post("runs/", {"lab": lab, "params": params, "seed": seed})


def error_of(response: Any, status: int) -> dict[str, Any]:
    """The error of a response, which has this status and the one shape of all errors."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) == {"error"} and set(body["error"]) == {"code", "message", "fields"}
    assert "Traceback" not in response.content.decode()
    found: dict[str, Any] = body["error"]
    return found
