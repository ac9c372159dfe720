from __future__ import annotations

from random import Random
from typing import Any

from labs.params import Params
from labs.questions import Number, Question


def questions(params: Params, figures: dict[str, Any], chance: Random) -> list[Question]:
    return [Number(name="count", ask="How many steps?", answer=2, solution="Two.")]
