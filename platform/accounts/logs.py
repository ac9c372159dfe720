"""Addresses that let their reader in must not stand in a log."""

from __future__ import annotations

import logging
import re

SECRET = re.compile(
    r"(/(?:sign-in/once|password/reset)/)[^\s?\"]*-[^\s?\"]*|(/course/previews/)[^\s?\"]+"
)
CUT = r"\1\2…"
LOGGERS = ("uvicorn.access", "django.request", "django.security.csrf")
"""Those that write down the path of a request."""


class HideSecrets(logging.Filter):
    """Cuts the key out of each address of a one-time link, of a new password or of a draft."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = SECRET.sub(CUT, str(record.msg))
        if isinstance(record.args, tuple):
            record.args = tuple(
                SECRET.sub(CUT, arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


def hide_secrets() -> None:
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, HideSecrets) for known in logger.filters):
            logger.addFilter(HideSecrets())
