"""Guessing at passwords and at who has an account (rows 41 and 42 of the faults)."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.internal.flows.password_reset import finalize_password_reset
from allauth.account.models import EmailAddress
from django.http import HttpRequest
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.rules import PASSWORD_HASHERS
from tests.accounts.cast import OTHER, PASSWORD, ada, sign_in, sign_up, text_of

pytestmark = pytest.mark.django_db
MISMATCH = "do not go together"
TOO_MANY = "Too many wrong passwords within 5 minutes."


def guess(name: str = "ada", address: str = "192.0.2.1", **headers: str) -> str:
    data = {"username": name, "password": "a guess"}
    return text_of(Client().post("/sign-in/", data, REMOTE_ADDR=address, headers=headers))


def test_an_account_takes_five_wrong_passwords_in_five_minutes_from_wherever() -> None:
    ada()
    said = [guess(address=f"192.0.2.{n}") for n in range(20)]
    assert [MISMATCH in page for page in said] == [True] * 5 + [False] * 15
    assert all(TOO_MANY in page for page in said[5:])
    right = Client().post("/sign-in/", {"username": "ada", "password": PASSWORD})
    assert TOO_MANY in text_of(right), "nor the right one, or the answer would tell"


def test_its_name_and_its_address_are_one_account() -> None:
    ada()
    names = ["ada", "ada@example.org", "ADA", "Ada@Example.org"] * 3
    said = [guess(name, f"192.0.2.{n}") for n, name in enumerate(names)]
    assert [MISMATCH in page for page in said] == [True] * 5 + [False] * 7


def test_who_shares_an_address_does_not_get_more_tries_at_its_owner() -> None:
    """A try by e-mail is one at each account that has it, from a browser that one of them knows."""
    ada()
    User.objects.create_user("mallory", "ada@example.org", OTHER)
    said = []
    for n in range(8):
        client = Client()
        sign_in(client, "mallory", OTHER)
        client.post("/sign-out/")
        said.append(text_of(sign_in(client, "ada@example.org", f"a guess {n}")))
    assert [MISMATCH in page for page in said] == [True] * 5 + [False] * 3


def test_a_new_password_gives_the_tries_back() -> None:
    user = ada()
    EmailAddress.objects.create(user=user, email=user.email, primary=True)
    for n in range(6):
        guess(address=f"192.0.2.{n}")
    finalize_password_reset(_post(), user)
    assert sign_in(Client()).status_code == 302


def _post() -> HttpRequest:
    return RequestFactory().post("/password/reset/")


def test_an_account_that_is_not_there_is_answered_the_same() -> None:
    said = [guess("nobody", f"192.0.2.{n}") for n in range(7)]
    assert [MISMATCH in page for page in said] == [True] * 5 + [False] * 2


def test_an_address_takes_ten_wrong_passwords_a_minute_over_all_accounts() -> None:
    said = [guess(f"name{n}") for n in range(15)]
    assert sum(MISMATCH in page for page in said) == 10


@pytest.mark.parametrize(
    "forwarded",
    ["203.0.113.{n}, 192.0.2.7", "192.0.2.7:4915{n}", "[::ffff:192.0.2.7]:4915{n}"],
    ids=["made up before it", "with its port", "in the clothes of IPv6"],
)
def test_what_is_written_around_an_address_changes_nothing(
    forwarded: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = 1
    said = [guess(f"name{n}", **{"X-Forwarded-For": forwarded.format(n=n % 10)}) for n in range(15)]
    assert sum(MISMATCH in page for page in said) == 10


def test_the_address_that_our_own_proxy_saw_is_the_one_that_counts(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    said = [guess(f"name{n}", **{"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(15)]
    assert sum(MISMATCH in page for page in said) == 15


def test_who_is_guessed_at_still_signs_in_from_a_browser_that_has_been_in_before() -> None:
    ada()
    home, elsewhere = Client(), Client()
    sign_in(home)
    home.post("/sign-out/")
    for n in range(6):
        guess(address=f"192.0.2.{n}")
    assert TOO_MANY in text_of(sign_in(elsewhere))
    assert sign_in(home).status_code == 302


def test_a_known_browser_has_five_tries_too_and_none_at_other_accounts() -> None:
    ada()
    User.objects.create_user("bob", password=PASSWORD)
    client = Client()
    sign_in(client)
    client.post("/sign-out/")
    said = [text_of(sign_in(client, "ada", "a guess")) for _ in range(6)]
    assert [MISMATCH in page for page in said] == [True] * 5 + [False]
    for n in range(5):
        guess("bob", f"192.0.2.{n}")
    assert TOO_MANY in text_of(sign_in(client, "bob"))


def test_the_cookie_of_a_known_browser_does_not_name_who_it_was(settings: Settings) -> None:
    ada()
    client = Client()
    cookie = sign_in(client).cookies["known"]
    assert "ada" not in cookie.value
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    settings.SESSION_COOKIE_SECURE = True
    client = Client()
    assert sign_in(client).cookies["__Host-known"]["secure"]


@pytest.mark.parametrize("value", ["", "x", "x.y", ".", "ada.1:sig", "é" * 300])
def test_a_forged_cookie_of_that_kind_is_worth_nothing(value: str) -> None:
    ada()
    for n in range(5):
        guess(address=f"192.0.2.{n}")
    client = Client()
    client.cookies["known"] = value
    assert TOO_MANY in text_of(sign_in(client))


def test_signing_in_too_often_is_answered_429_with_a_page(settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}
    answers = [Client().post("/sign-in/", {}) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert "Nothing is lost: wait, then try again." in text_of(answers[2])
    assert answers[2]["Retry-After"] == "60"


def test_the_admin_has_no_door_of_its_own() -> None:
    """Its sign-in is this site's, so that the limits hold there too."""
    client, door = Client(), "/admin/login/?next=/admin/auth/"
    for answer in (client.get(door), client.post(door, {"username": "x", "password": "y"})):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in/?next=%2Fadmin%2Fauth%2F")
    answer = Client().get("/admin/", follow=True)
    assert answer.request["PATH_INFO"] == "/sign-in/"


def test_a_student_is_refused_at_the_admins_door() -> None:
    client = Client()
    client.force_login(ada())
    assert client.get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/labs/", "/labs/"),
        ("/runs/?page=2", "/runs/?page=2"),
        ("//evil.example/", "/"),
        ("https:evil.example", "/"),
        ("http:///evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_sign_in_leads_on_within_the_site_alone(asked: str, led: str) -> None:
    ada()
    assert sign_in(Client(), next=asked)["Location"] == led


def test_sign_in_goes_by_name_or_by_address() -> None:
    ada()
    for name in ("ada", "ADA", " ada ", "ada@example.org", "Ada@Example.org"):
        assert sign_in(Client(), name).status_code == 302, name


def test_a_post_without_the_csrf_token_is_refused() -> None:
    ada()
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client).status_code == 403
    assert sign_up(client, "bob").status_code == 403
    assert User.objects.count() == 1


def test_known_and_unknown_cost_the_same_work(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash each, whether the name, the address or neither is known."""
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS
    ada()
    hashed: list[str] = []
    from accounts.hashers import Argon2

    encode: Any = Argon2.encode
    verify: Any = Argon2.verify

    def count_encode(self: Argon2, password: str, salt: str) -> str:
        hashed.append("encode")
        return str(encode(self, password, salt))

    def count_verify(self: Argon2, password: str, encoded: str) -> bool:
        hashed.append("verify")
        return bool(verify(self, password, encoded))

    monkeypatch.setattr(Argon2, "encode", count_encode)
    monkeypatch.setattr(Argon2, "verify", count_verify)
    counts = {}
    for name in ("ada", "ada@example.org", "nobody", "nobody@example.org"):
        hashed.clear()
        assert MISMATCH in guess(name)
        counts[name] = len(hashed)
    assert set(counts.values()) == {1}, counts
