"""The rate where it explodes, what a flip changes, and one step of gradient descent by hand."""

from __future__ import annotations

from random import Random
from typing import Any

from labs.catalog.hidden_kernel.lab import Params
from labs.questions import Choice, Goal, Number, Option, Question, shuffled
from labs.words import number, short


def questions(params: Params, figures: dict[str, Any], chance: Random) -> list[Question]:
    found: list[Question] = [step(chance), flip(params, figures, chance)]
    if "limit" in figures:
        found.append(limit(params, figures["limit"]))
    return [*found, exploded(figures)]


def step(chance: Random) -> Number:
    w, g = chance.randint(-20, 20) / 10, chance.choice((-1, 1)) * chance.randint(5, 60) / 10
    lr = chance.choice((0.5, 0.1, 0.05, 0.01))
    after = w - lr * g
    return Number(
        name="step",
        fresh=True,
        ask=f"A cell of the student's kernel is {number(w)}, the gradient of the loss there is "
        f"{number(g)}, and the learning rate is {number(lr)}. What is the cell after one step of "
        "plain gradient descent?",
        answer=after,
        tolerance=0.0005,
        traps={
            w + lr * g: "That steps up the slope. Gradient descent goes down.",
            w - g: "You have left out the learning rate.",
        },
        hints=("The step goes against the gradient.", "new = old − rate × gradient"),
        solution=f"{number(w)} − {number(lr)} × {_bracketed(g)} = {number(after, 3)}.",
    )


def _bracketed(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


def flip(params: Params, figures: dict[str, Any], chance: Random) -> Choice:
    seen = ""
    if params.flip:
        seen = (
            f" In this run the cosine to the hidden kernel is {number(figures['cosine'], 4)}, and "
            f"to it turned by 180° {number(figures['cosine_flipped'], 4)}."
        )
    options = (
        Option(
            "The hidden kernel turned by 180°.",
            "The student slides without flipping. To make the same maps, its numbers must lie as "
            f"the teacher's lie after the flip.{seen}",
            right=True,
        ),
        Option(
            "The hidden kernel itself.",
            "Applied without a flip, it makes other maps, unless it looks the same turned.",
        ),
        Option(
            "Its mirror image, left and right swapped.",
            "A flip turns both axes. Mirroring one of them is not enough.",
        ),
        Option(
            "Nothing: the loss stays high.",
            "Any kernel that the teacher can apply, the student can learn: a flipped kernel is one "
            "more set of nine numbers.",
        ),
    )
    return Choice(
        name="flip",
        ask="The teacher flips its kernel before it slides; the student never flips. What does the "
        "student find?",
        options=shuffled(options, chance.sample(range(4), 4)),
        hints=("Ask which nine numbers lie on the pixels when the teacher multiplies.",),
    )


def limit(params: Params, most: float) -> Number:
    way = "2 / λ" if params.optimiser == "sgd" else "2 · (1 + 0.9) / λ"
    curvature = (2 if params.optimiser == "sgd" else 3.8) / most
    return Number(
        name="limit",
        ask="Above which learning rate does gradient descent explode on these pictures, with this "
        "optimiser? Find it by trying; within a quarter is right.",
        answer=most,
        tolerance=most / 4,
        hints=(
            "Double the rate until the run explodes, then halve the gap.",
            f"It is {way}, with λ the steepest curvature of the loss. Here λ is about "
            f"{short(curvature, 2)}.",
        ),
        solution=f"{way} = {short(most, 3)}.",
    )


def exploded(figures: dict[str, Any]) -> Goal:
    done = bool(figures.get("exploded"))
    return Goal(
        name="explode",
        ask="Make it explode, once.",
        met=done,
        says="This run exploded." if done else "This run did not. Take a larger rate.",
    )
