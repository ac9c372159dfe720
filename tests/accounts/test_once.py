"""The one-time sign-in link."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from allauth.account import forms as allauth
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import once
from accounts.logs import HideSecrets
from accounts.models import Learner, User
from accounts.sessions import still_open
from tests.accounts.cast import PASSWORD, ada, name_in, sign_in, start, text_of
from tools import serve

pytestmark = pytest.mark.django_db


def link(*arguments: str) -> str:
    out = StringIO()
    call_command("sign_in_link", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def is_over(address: str) -> bool:
    answers = [getattr(Client(), method)(address) for method in ("get", "post")]
    assert all("This link is over" in text_of(a) for a in answers if a.status_code == 410)
    return [a.status_code for a in answers] == [410, 410]


def test_it_makes_an_author_who_signs_in_with_a_button() -> None:
    address, client = link(), Client()
    user = User.objects.get()
    assert (user.username, user.role, user.has_usable_password()) == ("author", "author", False)
    page = client.get(address)
    assert page.status_code == 200
    assert "Sign in as author</button>" in text_of(page)
    assert "no-store" in page["Cache-Control"]
    answer = client.post(address)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_looking_at_it_changes_nothing() -> None:
    address, client = link(), Client()
    before = User.objects.values().get()
    for _ in range(3):
        client.get(address)
        client.head(address)
    assert User.objects.values().get() == before
    assert client.get("/password/set/").status_code == 302, "nobody is signed in"
    assert client.post(address).status_code == 302


def test_it_signs_in_once() -> None:
    address = link()
    assert Client().post(address).status_code == 302
    assert is_over(address)


def test_another_link_of_the_same_account_ends_with_it() -> None:
    first, second = link(), link()
    Client().post(second)
    assert is_over(first)


def test_a_use_ends_it_even_within_the_second_of_the_last_sign_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada()
    now = datetime(2026, 12, 1, 12, 0, 0, 100, tzinfo=UTC)
    User.objects.update(last_login=now)
    address = link("--name", "ada")
    monkeypatch.setattr(
        "django.contrib.auth.models.timezone.now", lambda: now + timedelta(microseconds=5)
    )
    Client().post(address)
    assert is_over(address)


@pytest.mark.parametrize(("hours", "over"), [(23.9, False), (24.1, True)])
def test_it_is_valid_for_a_day(hours: float, over: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    address = link()
    later = datetime.now() + timedelta(hours=hours)
    monkeypatch.setattr(once.tokens, "_now", lambda: later)
    assert (Client().get(address).status_code == 410) is over
    assert (Client().post(address).status_code == 410) is over


def test_a_forged_one_is_worth_nothing() -> None:
    *_, uid, token = link().strip("/").split("/")
    other = link("--name", "bob").strip("/").split("/")[-1]
    ada()
    forged = [f"{uid}/{other}", f"{uid}/{token[:-1]}", f"{uid}/{token}0", f"{uid}/x"]
    forged += [f"OTk5/{token}", f"!/{token}", f"w7w/{token}", f"{'MTIz' * 40}/{token}"]
    assert [f for f in forged if not is_over(f"/sign-in/once/{f}/")] == []
    assert Client().get(f"/sign-in/once/{uid}/{token}/").status_code == 200


def test_a_key_to_a_new_password_is_none_to_sign_in_with() -> None:
    from allauth.account.forms import default_token_generator

    user = ada()
    uid = once.path_for(user).strip("/").split("/")[-2]
    token = default_token_generator.make_token(user)
    assert is_over(f"/sign-in/once/{uid}/{token}/")


def test_it_ends_with_another_password_and_with_the_account() -> None:
    user = ada()
    address = link("--name", "ada")
    user.set_password(PASSWORD + "!")
    user.save()
    assert is_over(address)
    address = link("--name", "ada")
    User.objects.update(is_active=False)
    assert is_over(address)
    with pytest.raises(CommandError, match="The account ada is disabled"):
        link("--name", "ada")


def test_an_accounts_role_stays_what_it_is_where_none_is_asked_for() -> None:
    ada()
    address, client = link("--name", "ada"), Client()
    assert User.objects.get().role == "student"
    assert client.post(address)["Location"] == "/"
    assert name_in(client) == "ada"


@pytest.mark.parametrize("role", ["author", "operator"])
def test_a_student_who_took_the_name_before_gets_nothing_of_the_role(role: str) -> None:
    """Row 5.1 of the attacks: sign up as somebody who will be made more, and wait for it."""
    mallory = User.objects.create_user("admin", "mallory@example.org", PASSWORD)
    EmailAddress.objects.create(user=mallory, email="mallory@example.org", primary=True)
    browser, old_link = Client(), link("--name", "admin")
    assert sign_in(browser, "admin").status_code == 302
    key = allauth.default_token_generator.make_token(mallory)
    with pytest.raises(CommandError, match="say --raise; else choose another --name") as refusal:
        link("--name", "ADMIN", "--role", role)
    assert refusal.value.returncode == serve.MUST_BE_RAISED
    assert User.objects.get().role == "student" and name_in(browser) == "admin"

    new_link = link("--name", "ADMIN", "--role", role, "--raise")
    user = User.objects.get()
    assert (user.role, user.has_usable_password(), user.email) == (role, False, "")
    assert browser.get("/admin/").status_code == 302 and name_in(browser) == ""
    assert not still_open([browser.cookies["sessionid"].value])
    assert sign_in(Client(), "admin").status_code == 200
    assert sign_in(Client(), "mallory@example.org").status_code == 200
    assert is_over(old_link)
    assert not allauth.default_token_generator.check_token(user, key)
    Client().post("/password/reset/", {"email": "mallory@example.org"})
    assert [letter for letter in mail.outbox if "/password/reset/" in letter.body] == []
    assert Client().post(new_link)["Location"] == "/admin/"


def test_at_a_terminal_it_is_asked_and_only_a_yes_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    ada()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    answers, asked = ["", "no", "y"], []

    def typed(question: str) -> str:
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr("builtins.input", typed)
    for _ in range(2):
        with pytest.raises(CommandError, match="Nothing was changed"):
            link("--name", "ada", "--role", "author")
        assert User.objects.get().has_usable_password()
    assert link("--name", "ada", "--role", "author")
    assert asked == ["Make ada author? [y/N] "] * 3
    assert User.objects.get().role == "author"


def test_who_has_the_role_already_or_more_keeps_sessions_and_password() -> None:
    ada().make_author()
    user = User.objects.get()
    user.set_password(PASSWORD)
    user.save()
    link("--name", "ada", "--role", "author")
    assert User.objects.get().password == user.password
    user.make_operator()
    assert not User.objects.get().has_usable_password(), "an author is raised like a student"


def test_an_operator_is_made_no_author_and_that_is_said() -> None:
    ada().make_operator()
    said = StringIO()
    call_command(
        "sign_in_link", "--name", "ada", "--role", "author", stderr=said, stdout=StringIO()
    )
    assert "The account ada is an operator, and stays one." in said.getvalue()
    user = User.objects.get()
    assert user.role == "operator" and not user.groups.exists()


def test_the_sites_address_is_put_before_it() -> None:
    address = link("--base", "http://127.0.0.1:8000/")
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/sign-in/once/[\w-]+/[\w-]+/", address)


def test_a_guests_runs_come_along() -> None:
    client = Client()
    address = start(client, 2)
    client.post(link())
    assert client.get(address).status_code == 200
    assert Learner.objects.get().user == User.objects.get()


def test_a_post_without_the_csrf_token_is_refused_and_spends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    address = link()
    assert Client(enforce_csrf_checks=True).post(address).status_code == 403
    assert caplog.records and address not in caplog.text
    assert "/sign-in/once/…" in caplog.text
    assert Client().post(address).status_code == 302


def test_no_log_of_the_web_process_holds_the_key() -> None:
    """uvicorn writes each request's path, as the fifth of its arguments."""
    address = link()
    for path in (address, "/password/reset/1-c0ffee-0123/?x=1", f"{address}?next=/"):
        args = ("127.0.0.1:1", "GET", path, "1.1", 200)
        said = '%s - "%s %s HTTP/%s" %d'
        record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, said, args, None)
        assert HideSecrets().filter(record)
        assert "…" in record.getMessage()
        assert address.split("/")[-2] not in record.getMessage() and "c0ffee" not in str(record)
    assert [type(f) for f in logging.getLogger("uvicorn.access").filters] == [HideSecrets]
    for path in ("/password/reset/", "/password/reset/done/", "/runs/1-2/", "/sign-in/"):
        record = logging.LogRecord("django.request", logging.WARNING, "", 0, "%s", (path,), None)
        HideSecrets().filter(record)
        assert record.getMessage() == path
