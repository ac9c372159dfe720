"""`python bench/lab_page.py CHECKOUT`: processor time, in milliseconds, of a lab's page there.

A guest's first visit, in one process, on a database of its own: the median of many, as JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(sys.argv[1]).resolve()
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.chdir(ROOT)
os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "CONVOLAB_LOG_LEVEL": "WARNING"}
os.environ["CONVOLAB_VAR"] = tempfile.mkdtemp(prefix="convolab-bench-")
os.environ.pop("DATABASE_URL", None)

import django

django.setup()

from django.core.management import call_command
from django.test import Client

VISITS = 100
PACKED = {"Accept-Encoding": "gzip", "Host": "localhost"}


def visit(slug: str) -> float:
    began = time.process_time()
    assert Client().get(f"/labs/{slug}/", headers=PACKED).status_code == 200
    return (time.process_time() - began) * 1000


def main() -> None:
    call_command("migrate", verbosity=0)
    labs = ("kernel-forge", "first-cnn")
    for slug in labs:
        visit(slug)
    print(json.dumps({s: statistics.median(visit(s) for _ in range(VISITS)) for s in labs}))


main()
