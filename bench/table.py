"""The table that docs/benchmarks.md holds."""

from __future__ import annotations

import datetime
import os
import platform
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
START, END = "<!-- {} start -->", "<!-- {} end -->"


@dataclass(frozen=True)
class Row:
    """One figure. `ratio` is ours over the other's, measured side by side in one run."""

    what: str
    ours: str
    against: str = "–"
    ratio: float | None = None
    goal: str = "–"
    reached: bool | None = None


def table(rows: list[Row]) -> str:
    lines = [
        "| what | ours | against | ratio | goal | reached |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        ratio = "–" if row.ratio is None else f"{row.ratio:.2f}"
        reached = {None: "–", True: "yes", False: "**no**"}[row.reached]
        lines.append(
            f"| {row.what} | {row.ours} | {row.against} | {ratio} | {row.goal} | {reached} |"
        )
    return "\n".join(lines)


def write(name: str, rows: list[Row]) -> None:
    """Put a table between its marks in the page."""
    today = datetime.datetime.now(datetime.UTC).date()
    said = f"{today}, `bench/run {name}`, {os.cpu_count()} cores, {_processor()}."
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(START.format(name))
    after = rest.partition(END.format(name))[2]
    middle = f"\n{said}\n\n{table(rows)}\n"
    PAGE.write_text(
        f"{before}{START.format(name)}{middle}{END.format(name)}{after}", encoding="utf-8"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
