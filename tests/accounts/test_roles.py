"""Students, authors, operators: what each may do."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client

from accounts import roles
from accounts.models import User
from tests.accounts.cast import ada, name_in, sign_in

pytestmark = pytest.mark.django_db


def granted() -> set[str]:
    rights = Group.objects.get(name=roles.AUTHOR).permissions
    return {f"{label}.{name}" for label, name in rights.values_list(*PARTS)}


PARTS = ("content_type__app_label", "codename")


def test_an_account_is_a_students_until_it_is_made_more() -> None:
    user = ada()
    assert user.role == "student" and not user.is_staff
    user.make_author()
    assert user.role == "author" and user.is_staff and not user.is_superuser
    user.make_operator()
    assert User.objects.get().role == "operator"


def test_the_list_of_accounts_asks_as_little_for_many_as_for_few(
    django_assert_max_num_queries: Any,
) -> None:
    operator = ada()
    operator.make_operator()
    client = Client()
    client.force_login(operator)
    for n in range(20):
        User.objects.create_user(f"author{n}").make_author()
    with django_assert_max_num_queries(12):
        page = client.get("/admin/accounts/user/").content.decode()
    assert page.count(">author</td>") == 20


def test_who_is_in_the_group_but_no_member_of_staff_is_no_author() -> None:
    user = ada()
    user.make_author()
    user.is_staff = False
    assert user.role == "student"


def test_the_authors_group_is_there_after_a_migrate_with_all_of_its_permissions() -> None:
    here = {f"{label}.{name}" for label, name in Permission.objects.values_list(*PARTS)}
    assert granted() == set(roles.PERMISSIONS) & here
    models = {model.__name__ for model in apps.get_app_config("courses").get_models()}
    if {"Section", "Lecture", "Picture", "HistoricalLecture"} <= models:
        assert granted() == set(roles.PERMISSIONS)


def test_a_migrate_gives_the_group_these_and_takes_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(roles, "PERMISSIONS", ("labs.view_run", "labs.no_such", "nowhere.view_x"))
    group = Group.objects.get(name=roles.AUTHOR)
    group.permissions.set(Permission.objects.filter(codename="delete_user"))
    call_command("migrate", verbosity=0)
    assert granted() == {"labs.view_run"}


def test_an_author_may_nothing_beyond_the_course() -> None:
    user = ada()
    user.make_author()
    user = User.objects.get()
    assert {name.partition(".")[0] for name in user.get_all_permissions()} <= {"courses"}
    for other in ("accounts.change_user", "auth.change_group", "labs.delete_run"):
        assert not user.has_perm(other)


def test_a_flush_leaves_the_group_in_place() -> None:
    """Tests that commit flush; so may an operator."""
    call_command("flush", interactive=False, verbosity=0)
    here = {f"{label}.{name}" for label, name in Permission.objects.values_list(*PARTS)}
    assert granted() == set(roles.PERMISSIONS) & here


def saved_in_the_admin(user: User, **given: object) -> str:
    """What an operator is told who saves this account with these fields changed."""
    operator = Client()
    boss = User.objects.create_user("boss")
    boss.make_operator()
    operator.force_login(boss)
    page = f"/admin/accounts/user/{user.pk}/change/"
    joined = user.date_joined
    form = {
        "username": user.username,
        "email": user.email,
        "is_active": "on",
        "date_joined_0": f"{joined:%Y-%m-%d}",
        "date_joined_1": f"{joined:%H:%M:%S}",
    }
    assert "starts afresh" in operator.get(page).content.decode()
    answer = operator.post(page, form | given, follow=True)
    assert "Please correct" not in answer.content.decode()
    return str(answer.content.decode())


@pytest.mark.parametrize("what", ["is_staff", "is_superuser", "groups", "user_permissions"])
def test_who_is_given_more_in_the_admin_starts_afresh(what: str) -> None:
    user, browser = ada(), Client()
    sign_in(browser)
    some = {"groups": Group, "user_permissions": Permission}
    value = some[what].objects.first().pk if what in some else "on"  # type: ignore[attr-defined]
    said = saved_in_the_admin(user, **{what: value})
    assert "The account ada may do more now. Its sessions and links have ended" in said
    user.refresh_from_db()
    assert (user.has_usable_password(), user.email) == (False, "")
    assert name_in(browser) == "" and sign_in(Client()).status_code == 200


def test_an_address_that_the_operator_types_is_kept() -> None:
    user = ada()
    saved_in_the_admin(user, is_staff="on", email="ada@school.example")
    user.refresh_from_db()
    assert (user.has_usable_password(), user.email) == (False, "ada@school.example")


def test_who_is_given_nothing_more_keeps_password_and_session() -> None:
    user, browser = ada(), Client()
    sign_in(browser)
    assert "may do more now" not in saved_in_the_admin(user, first_name="Ada")
    assert name_in(browser) == "ada" and sign_in(Client()).status_code == 302
