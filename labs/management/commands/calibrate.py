"""`manage.py calibrate`: measure what the labs claim, over many seeds, and keep the values."""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import torch
from django.core.management.base import BaseCommand, CommandError

from labs.calibration import Measured, can_measure, measure, measured, store
from labs.lab import Claim, Lab, catalog
from workers.devices import threads


class Command(BaseCommand):
    help = "Measure the labs' claims over seeds 0, 1, 2 … and keep them in calibrated.json."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("labs", nargs="*", metavar="LAB", help="all that claim, by default")
        parser.add_argument("--seeds", type=int, default=20)
        parser.add_argument("--claim", default="", help="only the claim of this name")

    def handle(self, *_: Any, **options: Any) -> None:
        if not 2 <= options["seeds"] <= 1000:
            raise CommandError("--seeds must be a number from 2 to 1000.")
        torch.set_num_threads(threads())  # sums of floats depend on it: as a worker has it
        chosen = self._claims(options["labs"], options["claim"])
        rows = [self._row(lab, claim, options["seeds"]) for lab, claim in chosen]
        self.stdout.write("")
        for cells in (("lab", "claim", "held in", "least", "median", "most"), *rows):
            self.stdout.write("{:<16} {:<16} {:>10} {:>9} {:>9} {:>9}".format(*cells))

    def _claims(self, slugs: list[str], name: str) -> list[tuple[Lab, Claim]]:
        labs = catalog()
        unknown = [slug for slug in slugs if slug not in labs]
        if unknown:
            raise CommandError(f"No lab is named {unknown[0]}. There are: {', '.join(labs)}.")
        found = [
            (lab, claim)
            for slug, lab in labs.items()
            for claim in lab.claims
            if slug in (slugs or labs) and name in ("", claim.name)
        ]
        if not found:
            raise CommandError("None of these labs makes such a claim.")
        return found

    def _row(self, lab: Lab, claim: Claim, seeds: int) -> tuple[str, ...]:
        if not can_measure(claim):
            self.stdout.write(f"{lab.slug} {claim.name}: skipped, {claim.dataset} is not here")
            return lab.slug, claim.name, "not here", "", "", ""
        found = self._measure(lab, claim, seeds)
        store(lab, claim, found)
        held = f"{round(found.share * seeds)} of {seeds}"
        values = (min(found.values), statistics.median(found.values), max(found.values))
        return lab.slug, claim.name, held, *(f"{value:.4f}" for value in values)

    def _measure(self, lab: Lab, claim: Claim, seeds: int) -> Measured:
        values: list[float] = []
        ran, began = "", time.monotonic()
        for value, told in measure(lab, claim, range(seeds)):
            values.append(value)
            ran = told
            seconds = (time.monotonic() - began) / len(values)
            self.stdout.write(
                f"{lab.slug} {claim.name}: seed {len(values) - 1}, {claim.figure} {value:.4f}, "
                f"{seconds:.1f} s a run, {seeds - len(values)} to go"
            )
            self.stdout.flush()
        return measured(lab, claim, values, ran)
