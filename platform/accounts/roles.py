"""What each role may do. Students need no permission; operators have all; authors have these."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.apps import apps as all_apps
from django.db.models import Q
from django.db.models.signals import post_migrate

AUTHOR = "authors"
"""The group that makes a member of staff an author."""

PERMISSIONS = (
    *(
        f"courses.{verb}_{what}"
        for what in ("section", "lecture", "picture")
        for verb in ("add", "change", "delete", "view")
    ),
    "courses.view_historicallecture",
)


def give_permissions(app_config: AppConfig, using: str, apps: Any = all_apps, **_: Any) -> None:
    """The group, with exactly those of PERMISSIONS that exist: after each migrate, and each flush.

    An app's permissions are made after its own migrations, so each app concerned gives them anew.
    """
    concerned = {"accounts", *(name.partition(".")[0] for name in PERMISSIONS)}
    if app_config.label not in concerned:
        return
    try:
        groups = apps.get_model("auth", "Group").objects.using(using)
        known = apps.get_model("auth", "Permission").objects.using(using)
    except LookupError:  # migrated backwards, to before there were any
        return
    wanted = Q(pk=None)
    for label, codename in (name.split(".") for name in PERMISSIONS):
        wanted |= Q(content_type__app_label=label, codename=codename)
    groups.get_or_create(name=AUTHOR)[0].permissions.set(known.filter(wanted))


def connect() -> None:
    post_migrate.connect(give_permissions, dispatch_uid="accounts.roles")
