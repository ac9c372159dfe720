"""`manage.py sign_in_link`: a link that signs an account in, once and within a day."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import urljoin

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import User
from accounts.once import path_for

ROLES = ("student", "author", "operator")
MUST_BE_RAISED = 3
"""The exit status where the account is there, may do less, and nobody has said to raise it."""


class Command(BaseCommand):
    help = (
        "Print a link that signs an account in, once and within a day. An account that is not "
        "there is made, without a password: an author, where --role says nothing else."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", default="author", help="the account's name")
        parser.add_argument(
            "--role",
            choices=ROLES[1:],
            help="make it at least this; else it stays what it is",
        )
        parser.add_argument(
            "--raise",
            dest="is_raised",
            action="store_true",
            help="also where it is there and may do less: its sessions and links end, and its "
            "password and e-mail address are removed, so that only the new link leads in",
        )
        parser.add_argument("--base", default="", help="the site's address, to stand before it")

    def handle(
        self, *_: Any, name: str, role: str | None, base: str, is_raised: bool, **__: Any
    ) -> None:
        name = User.normalize_username(name)
        user = _called(name)
        if user is not None and not user.is_active:
            raise CommandError(f"The account {user} is disabled: no link signs it in.")
        if user is not None and role and _is_more(role, user) and not is_raised:
            self.ask_whether_to_raise(user, role)
        with transaction.atomic():
            if user is None:
                user = User.objects.create_user(name)
                role = role or "author"
                self.stderr.write(f"There was no account {name}. It is made, as {role}.")
            self.give(user, role)
        self.stdout.write(urljoin(base, path_for(user)))

    def ask_whether_to_raise(self, user: User, role: str) -> None:
        """Raises CommandError where nobody is there to answer, or says no."""
        facts = (
            f"The account {user} is there already, as {user.role}, made on "
            f"{user.date_joined:%Y-%m-%d}. Anybody may have signed up under that name. To make it "
            f"{role} ends its sessions and links, and removes its password and e-mail address, so "
            "that only the new link leads in; its runs stay."
        )
        if not sys.stdin.isatty():
            raise CommandError(
                f"{facts} If that is wanted, say --raise; else choose another --name.",
                returncode=MUST_BE_RAISED,
            )
        self.stderr.write(facts)
        if input(f"Make {user} {role}? [y/N] ").strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was changed.", returncode=MUST_BE_RAISED)

    def give(self, user: User, role: str | None) -> None:
        if role == "author" and user.role == "operator":
            self.stderr.write(f"The account {user} is an operator, and stays one.")
        elif role == "author":
            user.make_author()
        elif role == "operator":
            user.make_operator()


def _called(name: str) -> User | None:
    """The account of this name, whatever its capitals: people sign in so, too."""
    alike = User.objects.filter(username__iexact=name)
    return alike.filter(username=name).first() or alike.first()


def _is_more(role: str, user: User) -> bool:
    return ROLES.index(role) > ROLES.index(user.role)
