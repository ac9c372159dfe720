"""Is it right, what is left without a patch, and how often the network was asked."""

from __future__ import annotations

from random import Random
from typing import Any

from labs.catalog.ask_a_cnn.lab import Params
from labs.questions import Choice, Number, Option, Question
from labs.words import fixed


def questions(params: Params, figures: dict[str, Any], chance: Random) -> list[Question]:  # noqa: ARG001
    return [is_it_right(), left(figures), passes(chance)]


def is_it_right() -> Choice:
    """A view, not a mark: only who took the picture knows what is on it."""
    return Choice(
        name="right",
        ask="Look at the picture. Is the network's first answer right?",
        options=(
            Option(
                "Yes.",
                "Then look for one that it gets wrong: a thing from an odd side, two things at "
                "once, a drawing, or something that is none of its 1,000.",
                right=None,
            ),
            Option(
                "Nearly: a relative of what is there.",
                "It has 1,000 answers, and must give one. Where the true one is missing or rare, "
                "a neighbour wins. See which of the five likeliest would do as well.",
                right=None,
            ),
            Option(
                "No.",
                "You have found one. See what the answer rests on. Bright patches on the thing: it "
                "takes it for a look-alike. Beside it: it answers from the surroundings. "
                "Everywhere: it is guessing.",
                right=None,
            ),
        ),
    )


def left(figures: dict[str, Any]) -> Number:
    sure, lost = 100 * figures["probability"], 100 * figures["largest_drop"]
    return Number(
        name="left",
        ask=f"The first answer has {fixed(sure, 1)} %. Covering the costliest patch takes "
        f"{fixed(lost, 1)} points of that. What is left?",
        answer=sure - lost,
        tolerance=0.11,
        unit="%",
        traps={sure * (1 - lost / 100): "Points are taken away, not a share of what there was."},
        hints=("Points are percent of the whole, so they are subtracted.",),
        solution=f"{fixed(sure, 1)} − {fixed(lost, 1)} = {fixed(sure - lost, 1)} %.",
    )


def passes(chance: Random) -> Number:
    n = chance.randint(7, 14)
    return Number(
        name="passes",
        fresh=True,
        ask=f"An occlusion grid has {n} patches a side. How many pictures go through the network, "
        "the uncovered one included?",
        answer=n * n + 1,
        traps={n * n: "The uncovered picture is asked as well."},
        hints=("Each patch is covered once, in a picture of its own.",),
        solution=f"{n} × {n} + 1 = {n * n + 1}.",
    )
