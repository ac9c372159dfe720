"""How large a student's network may be, so that no run starves the others. No torch here.

Each answer names the arithmetic and what is allowed, and ends with what to change.
"""

from __future__ import annotations

from dataclasses import dataclass

from labs.nets.shapes import FLOAT, Walk

MOST_PARAMETERS = 5_000_000
MOST_MEMORY = 1_000_000_000
MOST_WORK = 3e12
MOST_WORK_A_BATCH = 2.5e9
WEIGHT_COPIES = 4
"""A weight, its gradient and the optimiser's two means of it."""
PASSING = 10
"""What writing one number costs beside one multiplication, forth and back. Measured, roughly."""


@dataclass(frozen=True)
class Plan:
    """What is to be trained: so many pictures, so many times, so many at once."""

    pictures: int
    epochs: int
    batch: int


def excess(found: Walk, plan: Plan) -> str:
    """Why this is too much, in a sentence; "" where it is not."""
    return _parameters(found) or _memory(found, plan) or _batch(found, plan) or _work(found, plan)


def work_of(found: Walk) -> int:
    """The work of one picture, in units of one multiplication."""
    return found.multiplications + PASSING * found.numbers


def memory_of(found: Walk, batch: int) -> int:
    """Bytes that training holds: weights, and for each picture of a batch values and gradients."""
    return FLOAT * (WEIGHT_COPIES * found.parameters + 2 * batch * found.numbers)


def _parameters(found: Walk) -> str:
    if found.parameters <= MOST_PARAMETERS:
        return ""
    place, row = max(enumerate(found.rows, start=1), key=lambda item: item[1].parameters)
    return (
        f"This network has {found.parameters:,} parameters; at most {MOST_PARAMETERS:,} are "
        f"allowed. Most are in layer {place}, {row.name}: {row.parameters_how} = "
        f"{row.parameters:,}. Give it less to weigh: pool more before it, or take fewer units."
    )


def _memory(found: Walk, plan: Plan) -> str:
    memory = memory_of(found, plan.batch)
    if memory <= MOST_MEMORY:
        return ""
    return (
        f"Training would hold about {memory / 1e6:,.0f} MB: {FLOAT} bytes × ({WEIGHT_COPIES} × "
        f"{found.parameters:,} parameters + 2 × {plan.batch} pictures × {found.numbers:,} numbers);"
        f" at most {MOST_MEMORY / 1e6:,.0f} MB are allowed. Take a smaller batch or fewer filters."
    )


def _batch(found: Walk, plan: Plan) -> str:
    work = work_of(found) * plan.batch
    if work <= MOST_WORK_A_BATCH:
        return ""
    return (
        f"One batch would take about {work / 1e6:,.0f} million units of work: {plan.batch} "
        f"pictures × {_work_how(found)}; at most {MOST_WORK_A_BATCH / 1e6:,.0f} million are "
        "allowed. Take a smaller batch, fewer filters or a larger stride."
    )


def _work(found: Walk, plan: Plan) -> str:
    work = work_of(found) * plan.pictures * plan.epochs
    if work <= MOST_WORK:
        return ""
    return (
        f"This run would take about {work / 1e9:,.0f} billion units of work: {plan.epochs} epochs"
        f" × {plan.pictures:,} pictures × {_work_how(found)}; at most {MOST_WORK / 1e9:,.0f} "
        "billion are allowed. Take fewer epochs, fewer filters or a smaller dataset."
    )


def _work_how(found: Walk) -> str:
    return f"({found.multiplications:,} multiplications + {PASSING} × {found.numbers:,} numbers)"
