"""Claims that are measured, not promised: a lab's figures over many seeds, kept beside the lab."""

from __future__ import annotations

import datetime
import json
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labs.data import registry
from labs.events import Result
from labs.lab import Claim, Lab
from labs.testing import PlainContext


@dataclass(frozen=True)
class Measured:
    """One claim over seeds 0, 1, 2 …: `values` in the order of the seeds."""

    figure: str
    at_least: float
    values: tuple[float, ...]
    date: str
    code_version: str
    ran: str

    @property
    def share(self) -> float:
        """In how many of the seeds the claim holds, 0 to 1."""
        return sum(value >= self.at_least for value in self.values) / len(self.values)

    @property
    def lowest_to_expect(self) -> float:
        """What a few other seeds should not fall below: the worst, less twice the spread.

        Where all seeds lie close together and far above the bound, half way to the bound.
        """
        worst = min(self.values)
        spread = statistics.stdev(self.values) if len(self.values) > 1 else 0.0
        return min(worst - 2 * spread, (worst + self.at_least) / 2)


def path_of(lab: Lab) -> Path:
    return lab.path / "calibrated.json"


def stored(lab: Lab) -> dict[str, Measured]:
    """What was measured, by the claim's name; empty where nothing was."""
    if not path_of(lab).is_file():
        return {}
    claims = json.loads(path_of(lab).read_text(encoding="utf-8"))["claims"]
    return {
        name: Measured(**{**_known(kept), "values": tuple(kept["values"])})
        for name, kept in claims.items()
    }


def store(lab: Lab, claim: Claim, found: Measured) -> None:
    """Keep a measurement with those of the lab's other claims; claims that are gone, go."""
    kept = stored(lab) | {claim.name: found}
    names = [declared.name for declared in lab.claims]
    claims = {name: _written(kept[name]) for name in names if name in kept}
    path_of(lab).write_text(json.dumps({"claims": claims}, indent=1) + "\n", encoding="utf-8")


def _written(found: Measured) -> dict[str, Any]:
    return {**asdict(found), "seeds": len(found.values), "share": round(found.share, 4)}


def _known(kept: dict[str, Any]) -> dict[str, Any]:
    return {name: kept[name] for name in Measured.__dataclass_fields__}


def can_measure(claim: Claim) -> bool:
    """Whether the claim's dataset is here."""
    return not claim.dataset or registry.is_available(claim.dataset)


def measure(lab: Lab, claim: Claim, seeds: Iterable[int]) -> Iterator[tuple[float, str]]:
    """The claim's figure for each seed, and what ran, on the processor."""
    params = lab.params.model_validate(dict(claim.params))
    compute = lab.compute()
    for seed in seeds:
        context = PlainContext(seed)
        last = None
        for event in compute.run(params, context):
            last = event if isinstance(event, Result) else last
        if last is None:
            raise ValueError(f"{lab.slug} ended without a result")
        yield last.figures[claim.figure], str(context.told.get("dtype", "float32"))


def measured(lab: Lab, claim: Claim, values: list[float], ran: str) -> Measured:
    from labs.version import code_version

    return Measured(
        figure=claim.figure,
        at_least=claim.at_least,
        values=tuple(values),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        code_version=code_version(lab),
        ran=ran,
    )
