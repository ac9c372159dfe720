"""`manage.py sign_in_link`: a link that signs an account in, once and within a day."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import User
from accounts.once import path_for


class Command(BaseCommand):
    help = (
        "Print a link that signs an account in, once and within a day. An account that is not "
        "there is made, without a password: an author, where --role says nothing else."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", default="author", help="the account's name")
        parser.add_argument(
            "--role",
            choices=("author", "operator"),
            help="make it at least this; else it stays what it is",
        )
        parser.add_argument("--base", default="", help="the site's address, to stand before it")

    def handle(self, *_: Any, name: str, role: str | None, base: str, **__: Any) -> None:
        with transaction.atomic():
            user = User.objects.filter(username=name).first()
            if user is None:
                user = User.objects.create_user(name)
                role = role or "author"
                self.stderr.write(f"There was no account {name}. It is made, as {role}.")
            if not user.is_active:
                raise CommandError(f"The account {name} is disabled: no link signs it in.")
            if role == "author" and user.role == "operator":
                self.stderr.write(f"The account {name} is an operator, and stays one.")
            elif role == "author":
                user.make_author()
            elif role == "operator":
                user.make_operator()
        self.stdout.write(urljoin(base, path_for(user)))
