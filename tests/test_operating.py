"""docs/operating.md: its commands do what the page says, on a scratch site of `make run`."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import early
from tools.processes import ROOT
from tools.serve import OTHERS_NAME, author_link

OURS = ("CONVOLAB_", "DATABASE_", "REDIS_", "DJANGO_", "PYTEST")
BLOCKS = re.findall(r"^```sh\n(.*?)```", (ROOT / "docs" / "operating.md").read_text(), re.S | re.M)
PHRASE = "a long pass-phrase"


class Site:
    """A folder as `make run` leaves it: var/ with a database and a run's file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.var = folder, folder / "var"
        (folder / "manage.py").symlink_to(ROOT / "manage.py")
        (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
        (self.var / "files").mkdir(parents=True)
        self.run(".venv/bin/python manage.py migrate --noinput --verbosity 0")

    def run(self, commands: str, said: str = "") -> str:
        bare = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        more = {
            "CONVOLAB_VAR": str(self.var),
            "CONVOLAB_CATALOGUES": "labs.catalog,tests.faulty",
            "PYTHONPATH": str(ROOT),
            "REDIS_URL": f"redis://127.0.0.1:{early.REDIS_PORT}/0",
        }
        done = subprocess.run(
            ["bash", "-euc", commands],
            cwd=self.folder,
            env=bare | more,
            input=said,
            capture_output=True,
            text=True,
            start_new_session=True,  # no terminal: a password is read from `said`
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, code: str) -> object:
        """What an expression is, after these lines have run."""
        *lines, last = code.strip().splitlines()
        script = "\n".join(["import json", *lines, f"print(json.dumps({last}))"])
        (self.folder / "script.py").write_text(script)
        command = ".venv/bin/python manage.py shell --no-imports <script.py"
        return json.loads(self.run(command).splitlines()[-1])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def block(words: str) -> str:
    (found,) = [block for block in BLOCKS if words in block]
    return str(found)


def test_every_block_of_commands_is_tried_here() -> None:
    assert len(BLOCKS) == 6


def test_the_lectures_are_brought_in(site: Site) -> None:
    site.run(block("load_course"))
    rows = "Lecture.objects"
    look = f"from courses.models import Lecture\n[{rows}.count(), {rows}.published().count()]"
    assert site.ask(look) == [100, 12]


def test_an_account_is_made_and_can_sign_in(site: Site) -> None:
    site.run(block("changepassword"), said=f"{PHRASE}\n" * 2)
    look = "from accounts.models import User\nUser.objects.get(username='ada').check_password('{}')"
    assert site.ask(look.format(PHRASE)) is True


RUNS = """
from datetime import timedelta
from django.utils import timezone
from accounts.models import Learner, User
from labs.lab import every_lab
from labs.models import Artifact, Job, Picture, Run
ada, bob = (Learner.objects.create(user=User.objects.create_user(n)) for n in ('ada', 'bob'))
lab = every_lab()['steady']
old, *_ = (Run.start(who, lab, lab.params(steps=n)) for who, n in ((ada, 1), (ada, 2), (bob, 1)))
Run.objects.filter(pk=old.pk).update(started_at=timezone.now() - timedelta(days=366))
done = {'lane': 'interactive', 'params': {}, 'code_version': '1', 'state': 'succeeded'}
job = Job.objects.create(lab='picture', **done)
Picture.objects.create(learner=ada, job=job, label='me', size=3)
Job.objects.count()
"""
LEFT = """
from accounts.models import User
from labs.models import Job, Picture, Run
users = sorted(user.username for user in User.objects.all())
[users, *(kind.objects.count() for kind in (Run, Job, Picture))]
"""


def test_an_account_is_deleted_with_its_runs_and_pictures_and_nobody_elses(site: Site) -> None:
    assert site.ask(RUNS) == 3
    site.run(block("User.objects.get(username='ada').delete()"))
    assert site.ask(LEFT) == [["bob"], 1, 1, 0]


def test_old_runs_are_deleted_and_what_others_share_is_kept(site: Site) -> None:
    assert site.ask(RUNS) == 3
    site.run(block("timedelta(days=365)"))
    assert site.ask(LEFT) == [["ada", "bob"], 2, 3, 1]


def test_what_was_backed_up_comes_back(site: Site) -> None:
    (site.var / "files" / "model").write_text("as it was")
    (site.var / "secret-key").write_text("of then")
    assert site.ask(RUNS) == 3
    site.run(block("mkdir -p backup"))
    site.run(block("User.objects.get(username='ada').delete()"))
    (site.var / "files" / "model").write_text("as it is now")
    (site.var / "files" / "newer").write_text("made since")
    (site.var / "secret-key").write_text("of now")
    site.run(block("rm -rf var/db"))
    assert site.ask(LEFT) == [["ada", "bob"], 3, 3, 1]
    assert {p.name: p.read_text() for p in (site.var / "files").iterdir()} == {"model": "as it was"}
    assert (site.var / "secret-key").read_text() == "of then"


def test_make_run_hands_nobody_the_account_that_a_student_has_as_author(site: Site) -> None:
    """It says so instead, and how an author comes in."""
    site.ask("from accounts.models import User\nUser.objects.create_user('Author').pk")
    env = {**os.environ, "CONVOLAB_VAR": str(site.var)}
    env.pop("DATABASE_URL", None)
    said = asyncio.run(author_link(env, "http://127.0.0.1:8000/"))
    assert said == OTHERS_NAME and "sign_in_link --name NAME" in said
    look = (
        "from accounts.models import User\nlist(User.objects.values_list('username', 'is_staff'))"
    )
    assert site.ask(look) == [["Author", False]]
