#!/usr/bin/env python
"""Django's command line, with platform/ as a source root."""

import io
import os
import sys
from pathlib import Path


def main() -> None:
    sys.path.insert(1, str(Path(__file__).parent / "platform"))
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, io.TextIOWrapper):  # a sign that this terminal has not is a "?"
            out.reconfigure(errors="replace")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as fault:
        sys.exit(f"{fault}")


if __name__ == "__main__":
    main()
