"""Signing up: with a name and a password, and perhaps an address for a new one."""

from __future__ import annotations

from html import unescape

import pytest
from django.db import IntegrityError
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.adapter import NAME, Adapter
from accounts.forms import ACCOUNTS_AN_EMAIL
from accounts.models import Learner, User
from accounts.rules import PASSWORD_HASHERS
from labs.models import Run
from tests.accounts.cast import PASSWORD, ada, name_in, sign_in, sign_up, start, text_of

pytestmark = pytest.mark.django_db


def test_a_guests_runs_are_the_new_accounts() -> None:
    client = Client()
    address = start(client, 3)
    guest = Learner.objects.get()
    assert sign_up(client)["Location"] == "/"
    assert client.get(address).status_code == 200
    assert Learner.objects.get() == guest
    assert Run.objects.get().learner.user == User.objects.get(username="ada")
    assert name_in(client) == "ada"


def test_it_is_said_beforehand_what_moves_along() -> None:
    for path in ("/sign-up/", "/sign-in/"):
        said = text_of(Client().get(path))
        assert "Your runs, answers and pictures as a guest move into the account." in said


def test_no_address_is_needed() -> None:
    sign_up(Client())
    assert User.objects.get().email == ""


def test_somebody_new_is_a_student_whatever_the_form_says() -> None:
    more = {"is_staff": "on", "is_superuser": "on", "role": "operator", "groups": "1"}
    sign_up(Client(), **more)
    user = User.objects.get()
    assert (user.role, user.is_staff, user.is_superuser) == ("student", False, False)


def test_where_it_is_closed_nobody_signs_up(settings: Settings) -> None:
    settings.SIGN_UP = False
    assert "Accounts are made for you here" in text_of(Client().get("/sign-up/"))
    sign_up(Client())
    assert not User.objects.exists()
    page = text_of(Client().get("/sign-in/"))
    assert "Accounts are made by whoever runs this site." in page
    assert "/sign-up/" not in page


def test_where_it_is_open_the_sign_in_page_leads_to_it_and_on() -> None:
    assert 'href="/sign-up/?next=%2Flabs%2F"' in text_of(Client().get("/sign-in/?next=/labs/"))
    assert sign_up(Client(), next="/labs/")["Location"] == "/labs/"


def test_a_name_is_taken_whatever_its_capitals() -> None:
    ada()
    answer = sign_up(Client(), "ADA")
    assert answer.status_code == 200
    assert "That name is taken here. Choose another." in text_of(answer)


@pytest.mark.parametrize(
    "name",
    [
        *("admin", "ADMIN", "Administrator", "root", "operator", "staff", "author", "convolab"),
        *("a.d.m.i.n", "adm1n", "r00t", "0perator2", "admin2026", "1admin", "staff_", "@dmin"),
        *("аdmin", "АDMIN", "ädmin", "ａｄｍｉｎ", "ﬆaff", "rοοt", "ѕtaff"),
        *("admins", "site-admin", "convolab.support", "SystemAdministrator", "admin-admin"),
        *("admin@example.org", "support@convolab.example", "grace", "GRACE", "gr4ce"),
        *("grace@example.org", "grасe@example.org"),
    ],
)
def test_nobody_signs_up_under_a_name_that_looks_like_staffs(name: str) -> None:
    User.objects.create_user("grace", "grace@example.org", is_staff=True)
    answer = sign_up(Client(), name)
    assert answer.status_code == 200
    said = ("taken for the name of somebody who runs this site", "That name is taken here", NAME)
    assert any(sentence in unescape(text_of(answer)) for sentence in said)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "name",
    [
        *("ada", "Radmila", "badminton", "rooted", "staffan", "authority", "operatic", "modesto"),
        *("joan.root", "webb", "2026", "___", "grace2", "ada@example.org", "Анна", "Ελένη"),
    ],
)
def test_names_that_only_hold_such_a_word_are_free(name: str) -> None:
    User.objects.create_user("grace", is_staff=True)
    assert sign_up(Client(), name).status_code == 302


def test_which_names_are_reserved_is_a_setting_and_operators_may_give_any(
    settings: Settings,
) -> None:
    settings.RESERVED_NAMES = ["Dr. Who"]
    assert sign_up(Client(), "dr-wh0").status_code == 200
    assert sign_up(Client(), "admin").status_code == 302
    assert User.objects.create_user("drwho").pk


def test_it_does_not_tell_that_an_address_has_an_account() -> None:
    ada()
    known, unknown = Client(), Client()
    answers = (
        sign_up(known, "bob", "ada@example.org"),
        sign_up(unknown, "charlie", "new@example.org"),
    )
    assert [a.status_code for a in answers] == [302, 302]
    assert [a["Location"] for a in answers] == ["/", "/"]
    assert (name_in(known), name_in(unknown)) == ("bob", "charlie")


def test_an_address_is_kept_for_a_few_accounts_and_not_for_ever_more() -> None:
    for n in range(ACCOUNTS_AN_EMAIL + 2):
        assert sign_up(Client(), f"bob{n}", "ada@example.org").status_code == 302
    assert User.objects.count() == ACCOUNTS_AN_EMAIL + 2
    assert User.objects.filter(email="ada@example.org").count() == ACCOUNTS_AN_EMAIL


def test_the_same_form_sent_twice_at_once_makes_one_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other one has passed the check of the name already, and is saved first."""

    def late(*_: object, **__: object) -> None:
        raise IntegrityError

    monkeypatch.setattr(Adapter, "save_user", late)
    answer = sign_up(Client())
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "This field is required."),
        ("short", "too short"),
        ("ninechars", "too short"),
        ("tencharsxy", ""),
        ("ten chars!", ""),
        ("8264918350", ""),  # digits alone: long and not common is enough
        ("1234567890", "too common"),
        ("0123456789", "too common"),
        ("password123", "too common"),
        ("qwertyuiop", "too common"),
        ("QWERTYUIOP", "too common"),
        ("aaaaaaaaaa", "too common"),
        ("abcdefghij", "too common"),
        ("iloveyou123", "too common"),
        ("welcome123", "too common"),
        ("1q2w3e4r5t", "too common"),
        ("qwerty123456", "too common"),
        ("football123", "too common"),
        ("charlie123", "too common"),
        ("letmein123", "too common"),
        ("administrator", "too common"),
        ("ada.lovelace", "too similar to the username"),
        ("ada.lovelace1", "too similar to the username"),
        ("countess@example.org", "too similar to the email"),
        ("correct horse battery staple", ""),
        ("only small letters", ""),
        ("ΟΔΥΣΣΕΥΣ ΚΑΙ", ""),
        ("пароль из слов", ""),
        ("密码很长的一句话十个字", ""),
        ("🦉🦉🦉🦉🦉🦉🦉🦉🦉🦉", ""),
        ("  spaces around  ", ""),
        ("x" * 400, ""),
    ],
)
def test_a_password_has_ten_characters_and_is_not_common_and_nothing_more_is_asked(
    password: str, said: str
) -> None:
    email = "countess@example.org"
    answer = sign_up(Client(), "ada.lovelace", email, password1=password)
    if said:
        assert answer.status_code == 200
        assert said in unescape(text_of(answer))
        assert not User.objects.exists()
    else:
        assert answer.status_code == 302
        assert sign_in(Client(), "ada.lovelace", password).status_code == 302


def test_an_error_stands_at_its_field_and_is_announced() -> None:
    page = text_of(sign_up(Client(), "a/b", "nonsense", password1="short"))
    for name in ("username", "email", "password1"):
        assert f'<p class="error" id="id_{name}_error" role="alert">' in page
        assert f"id_{name}_error" in page[page.index(f'name="{name}"') :].partition(">")[0]
    assert "A name holds letters, digits and @ . + - _ only." in page
    assert page.count('aria-invalid="true"') == 3
    assert "short" not in page[page.index('name="password1"') :].partition(">")[0]


def test_each_field_has_a_label_and_says_what_belongs_in_it() -> None:
    pages = {
        "/sign-up/": {"username": "username", "email": "email", "password1": "new-password"},
        "/sign-in/": {"username": "username", "password": "current-password"},
        "/password/reset/": {"email": "email"},
    }
    for path, fields in pages.items():
        page = text_of(Client().get(path))
        assert "placeholder" not in page
        for name, autocomplete in fields.items():
            tag = page[page.index(f'name="{name}"') :].partition(">")[0]
            assert f'autocomplete="{autocomplete}"' in tag
            assert f'<label for="id_{name}">' in page


def test_passwords_are_kept_by_argon2_within_the_memory_that_the_web_process_has(
    settings: Settings,
) -> None:
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS
    sign_up(Client())
    assert User.objects.get().password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_older_hash_is_made_anew_at_sign_in(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS[1:]
    assert ada().password.startswith("pbkdf2_sha256$")
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS
    assert sign_in(Client(), "ada", PASSWORD).status_code == 302
    assert User.objects.get().password.startswith("argon2$")
