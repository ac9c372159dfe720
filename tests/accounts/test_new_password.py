"""A forgotten password: the letter, its link, and what nobody learns from it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.accounts.cast import OTHER, ada, sign_in, text_of

pytestmark = pytest.mark.django_db


def ask(email: str = "ada@example.org", **more: Any) -> Any:
    return Client().post("/password/reset/", {"email": email}, **more)


def link() -> str:
    found = re.search(r"http://testserver(/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def choose(client: Client, address: str, password: str = OTHER) -> Any:
    form = client.get(address, follow=True)
    where = form.request["PATH_INFO"]
    return client.post(where, {"password1": password, "password2": password}, follow=True)


def test_the_letter_goes_out_and_its_link_sets_a_new_password() -> None:
    ada()
    assert ask()["Location"] == "/password/reset/done/"
    (letter,) = mail.outbox
    assert letter.to == ["ada@example.org"]
    assert letter.subject == "A new password for testserver"
    assert "for the account ada on testserver" in letter.body
    client = Client()
    assert "Your new password is set" in text_of(choose(client, link()))
    assert sign_in(Client(), password=OTHER).status_code == 302
    assert sign_in(Client()).status_code == 200, "the old one"


def test_the_link_works_once() -> None:
    ada()
    ask()
    address = link()
    choose(Client(), address)
    page = text_of(Client().get(address, follow=True))
    assert "This link is over" in page and "<form" not in page.partition("<main")[2]


def test_the_link_works_for_a_day(settings: Settings) -> None:
    ada()
    ask()
    assert settings.PASSWORD_RESET_TIMEOUT == 86_400
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "This link is over" in text_of(Client().get(link(), follow=True))


def test_the_key_leaves_the_address_before_a_page_is_shown() -> None:
    ada()
    ask()
    answer = Client().get(link())
    assert answer.status_code == 302
    assert re.fullmatch(r"/password/reset/\w+-set-password/", answer["Location"])


def test_a_new_password_must_keep_the_rules_and_be_typed_twice_the_same() -> None:
    ada()
    ask()
    client = Client()
    where = client.get(link(), follow=True).request["PATH_INFO"]
    short = client.post(where, {"password1": "short", "password2": "short"})
    assert "too short" in text_of(short)
    unlike = client.post(where, {"password1": OTHER, "password2": OTHER + "x"})
    assert 'id="id_password2_error"' in text_of(unlike)


def test_who_asks_does_not_learn_whether_an_account_has_the_address() -> None:
    ada()
    known, unknown = ask(), ask("nobody@example.org")
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert text_of(known) == text_of(unknown)
    assert [letter.to for letter in mail.outbox] == [["ada@example.org"], ["nobody@example.org"]]
    assert "No account there has this address." in mail.outbox[1].body
    assert "/password/reset/" not in mail.outbox[1].body


def test_an_account_that_is_disabled_gets_no_link() -> None:
    ada(is_active=False)
    ask()
    assert "No account there has this address." in mail.outbox[0].body


def test_nobodys_letter_box_is_filled_and_the_answer_stays_the_same() -> None:
    ada()
    for email in ("ada@example.org", "nobody@example.org"):
        mail.outbox.clear()
        statuses = [ask(email, REMOTE_ADDR=f"192.0.2.{n}").status_code for n in range(8)]
        assert statuses == [302] * 5 + [429] * 3
        assert len(mail.outbox) == 5


def test_where_an_address_has_two_accounts_each_letter_names_its_own() -> None:
    ada()
    User.objects.create_user("countess", "ada@example.org", OTHER)
    ask()
    named = sorted(re.findall(r"account (\w+) on", "".join(str(m.body) for m in mail.outbox)))
    assert named == ["ada", "countess"]


def test_another_host_name_gets_into_no_letter(settings: Settings) -> None:
    ada()
    answer = ask(headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert not mail.outbox
