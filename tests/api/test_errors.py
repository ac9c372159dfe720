"""What is refused, and how: one shape, plain words, no traceback."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accounts.models import Learner, User
from labs.api.calls import LARGEST
from labs.models import Job, Run
from tests.api.caller import Caller, error_of

pytestmark = pytest.mark.django_db
BROKEN = [
    b"",
    b"{",
    b"[1, 2",
    b'{"lab": NaN}',
    b'{"lab": "\\u0000"}',
    b'{"lab": "\\ud800"}',
    b'{"lab": "steady", "\\udfff": 1}',
    b"\xff\xfe{}",
    b'{"lab": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"lab": "steady", "params": ' + b'{"a":' * 20 + b"1" + b"}" * 21,
    b'{"lab": "steady", "seed": ' + b"9" * 5_000 + b"}",
    b'{"lab": "steady", "seed": ' + b"9" * 4_000 + b"}",
    b'{"lab": "steady", "seed": 1e400}',
    b'{"lab": "steady", "params": {"steps": ' + b"9" * 4_000 + b"}}",
    b"null",
    b'"steady"',
    b"[]",
    b"7",
]


@pytest.fixture
def alice() -> Caller:
    return Caller()


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: repr(body[:30]))
def test_it_refuses_what_is_no_start(alice: Caller, body: bytes) -> None:
    error = error_of(alice.post("runs/", body), 400)
    assert error["message"].endswith(".")
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "lab"),
        ({"lab": "no-such-lab"}, "lab"),
        ({"lab": "picture"}, "lab"),
        ({"lab": 7, "params": []}, "params"),
        ({"lab": "steady", "seed": -1}, "seed"),
        ({"lab": "steady", "seed": 10_000}, "seed"),
        ({"lab": "steady", "seed": "x"}, "seed"),
        ({"lab": "steady", "seed": True}, "seed"),
        ({"lab": "steady", "params": {"steps": 0}}, "params.steps"),
        ({"lab": "steady", "params": {"steps": "many"}}, "params.steps"),
        ({"lab": "steady", "params": {"nonsense": 1}}, "params.nonsense"),
        ({"lab": "steady", "params": {"own": f"own:{uuid.UUID(int=1)}"}}, "params.own"),
        ({"lab": "steady", "params": {"own": "own:x"}}, "params.own"),
        ({"lab": "kernel-forge", "params": {"kernel": [[1, 2], [3]]}}, "params.kernel"),
    ],
    ids=str,
)
def test_it_names_the_field_at_fault(alice: Caller, body: dict[str, Any], field: str) -> None:
    error = error_of(alice.post("runs/", body), 400)
    assert error["code"] == "not_valid"
    assert list(error["fields"]) == [field] and error["fields"][field].endswith(".")


@pytest.mark.parametrize("extra", ["is_staff", "owner", "learner", "state", "job", "key", "id"])
def test_it_refuses_fields_that_it_does_not_know(alice: Caller, extra: str) -> None:
    pk = alice.start().json()["id"]
    for path, body in (("runs/", {"lab": "steady"}), (f"runs/{pk}/cancel/", {})):
        error = error_of(alice.post(path, {**body, extra: "x"}), 400)
        assert list(error["fields"]) == [extra]
    assert Run.objects.get().state == "queued"


def test_it_refuses_a_large_body(alice: Caller) -> None:
    body = {"lab": "steady", "params": {"own": "x" * LARGEST}}
    assert error_of(alice.post("runs/", body), 413)["code"] == "too_large"


def test_it_takes_json_only(alice: Caller) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
        error_of(alice.post("runs/", b"lab=steady", content_type=kind), 415)
    alice.get("labs/")
    error_of(alice.client.get("/api/labs/", headers={"Accept": "text/csv"}), 406)


def test_what_is_not_there_is_404_in_the_same_shape(alice: Caller) -> None:
    nobody = uuid.uuid4()
    for path in ("", "nothing/", "labs", "labs/none/", "runs/x/", "x" * 3_000, "runs/%00/"):
        error_of(alice.get(path), 404)
    for path in (f"runs/{nobody}/", f"runs/{nobody}/events/"):
        error_of(alice.get(path), 404)
    error_of(alice.post(f"runs/{nobody}/cancel/"), 404)
    error_of(alice.post("nothing/"), 404)


def test_another_method_is_405_in_the_same_shape(alice: Caller) -> None:
    alice.get("labs/")
    headers = {"X-CSRFToken": alice.client.cookies["csrftoken"].value}
    for method in ("put", "patch", "delete"):
        error_of(getattr(alice.client, method)("/api/runs/", headers=headers), 405)
    error_of(alice.post("labs/"), 405)
    error_of(alice.client.options("/api/runs/"), 405)


def test_a_fault_of_ours_tells_nothing(
    alice: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the machine: /etc/passwd")

    monkeypatch.setattr("labs.api.views.catalog", broken)
    error = error_of(alice.get("labs/"), 500)
    assert "secret" not in json.dumps(error) and "our side" in error["message"]
    assert "a secret of the machine" in caplog.text


def test_every_unsafe_call_needs_the_csrf_token_of_guests_too(alice: Caller) -> None:
    pk = alice.start().json()["id"]
    for path in ("runs/", f"runs/{pk}/cancel/", "labs/", "nothing/"):
        for caller in (alice, Caller()):
            error = error_of(caller.post(path, {"lab": "steady"}, token=False), 403)
            assert error["code"] == "no_csrf_token"
    assert Run.objects.get().state == "queued" and Learner.objects.count() == 1


SITE = "https://testserver/"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Referer": SITE}, 201),
        ({"Origin": SITE.rstrip("/")}, 201),
        ({"Referer": "https://elsewhere.example/"}, 403),
        ({"Referer": SITE.replace("s:", ":")}, 403),
        ({"Referer": SITE, "Origin": "https://elsewhere.example"}, 403),
    ],
    ids=str,
)
def test_over_https_an_unsafe_call_needs_a_referer_or_origin_of_the_site_too(
    alice: Caller, headers: dict[str, str], status: int
) -> None:
    alice.get("labs/")
    token = {"X-CSRFToken": alice.client.cookies["csrftoken"].value}
    answer = alice.post("runs/", {"lab": "steady"}, headers=token | headers, secure=True)
    assert answer.status_code == status, answer.content
    if status == 403:
        assert "over HTTPS, the site's own address" in error_of(answer, 403)["message"]


def test_an_account_needs_the_csrf_token_too(alice: Caller) -> None:
    alice.client.force_login(User.objects.create_user("alice"))
    error_of(alice.post("runs/", {"lab": "steady"}, token=False), 403)
    assert alice.start().status_code == 201


def test_guests_are_asked_to_sign_in_where_the_operator_wants_it(
    alice: Caller, settings: Settings
) -> None:
    needed = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, needed]
    assert error_of(alice.get("labs/"), 401)["code"] == "not_authenticated"
    alice.client.force_login(User.objects.create_user("alice"))
    assert alice.get("labs/").status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PARAMS = st.dictionaries(
    st.sampled_from(["picture", "kernel", "stride", "flip", "row", "padding", "size", "bias", "x"]),
    JSON,
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(params=PARAMS)
def test_no_params_break_it(alice: Caller, params: dict[str, Any]) -> None:
    Run.objects.all().delete(), Job.objects.all().delete()
    answer = alice.post("runs/", {"lab": "kernel-forge", "params": params})
    assert answer.status_code in (201, 400), answer.content
