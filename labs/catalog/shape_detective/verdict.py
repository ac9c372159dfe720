"""What is said to the student: PyTorch's error, the layer suspected, and the change made."""

from __future__ import annotations

import math

from labs.catalog.shape_detective.arithmetic import worked
from labs.catalog.shape_detective.cases import Case
from labs.catalog.shape_detective.changes import Change, as_written, described
from labs.catalog.shape_detective.faults import Examined
from labs.catalog.shape_detective.layers import written
from labs.catalog.shape_detective.trial import RATE, Trial
from labs.events import Note, Tone
from labs.words import fixed

Told = tuple[str, tuple[str, ...], Tone]
"""Text, lines and tone of a note."""


def error_event(broken: Examined) -> Note:
    """The error word for word; where there is none, what is wrong all the same."""
    title = "What PyTorch says to the model as it was"
    if error := broken.trial.error:
        text = f"{broken.ends} Word for word:"
        return Note(name="error", title=title, text=text, lines=(error,), tone="wrong")
    return Note(
        name="error",
        title=title,
        text=f"Nothing. {broken.ends} Every shape fits, and yet something is wrong. "
        f"{' '.join(fault.symptom for fault in broken.faults)}",
        tone="warning",
    )


# The layer


def suspect_event(case: Case, layer: int, broken: Trial) -> Note:
    """Is this the layer at fault? Told of the model as it was, whatever has been changed."""
    if not layer:
        text = "You have named no layer yet. Read the model, and name the one that you suspect."
        return Note(name="suspect", title="Is it this layer?", text=text)
    text, tone = _suspect(case, layer, broken)
    lines = _lines(case, layer, broken)
    return Note(name="suspect", title=f"Is it layer {layer}?", text=text, lines=lines, tone=tone)


def _suspect(case: Case, layer: int, broken: Trial) -> tuple[str, Tone]:
    placed, reached = as_written(case)[layer - 1], len(broken.outputs)
    if layer == case.culprit:
        return f"Yes, it is {placed.told}. {case.why}", "right"
    if layer in case.also:
        return case.also[layer], "plain"
    if layer > reached:
        stop = as_written(case)[reached].told
        return f"PyTorch never gets to {placed.told}: it stops before, at {stop}.", "wrong"
    came, made = written(broken.came(layer - 1)), written(broken.made(layer - 1))
    sound = f"It is not {placed.told}: {came} comes, {made} leaves, as its settings say."
    if made == placed.believed:
        return f"{sound} The author believed so too.", "wrong"
    if layer == first_wrong_belief(case, broken):
        return (
            f"Close: it is not {placed.told}, but here the author's count goes wrong. {made} "
            f"leaves, as its settings say, and the author believed {placed.believed}. Which layer "
            "was given a number from that count?",
            "plain",
        )
    return (
        f"{sound} The author's {placed.believed} comes of a count that was wrong before.",
        "wrong",
    )


def first_wrong_belief(case: Case, broken: Trial) -> int:
    """The first layer of which the author believes another shape than it makes; 0 for none."""
    shapes = (written(broken.made(place)) for place in range(len(broken.outputs)))
    pairs = zip(shapes, case.beliefs, strict=False)
    return next((n for n, (made, belief) in enumerate(pairs, start=1) if made != belief), 0)


def _lines(case: Case, layer: int, broken: Trial) -> tuple[str, ...]:
    if layer > len(broken.outputs) + 1:
        return ()
    placed, came = as_written(case)[layer - 1], broken.came(layer - 1)
    lines = (f"comes {written(came)}", *worked(placed.layer, came))
    lines = (*lines, f"the author believed it makes {placed.believed}")
    return (*lines, *case.lines) if layer == case.culprit else lines


# The change


def mend_event(case: Case, change: Change, broken: Examined, now: Examined) -> Note:
    text, lines, tone = _mend(case, change, broken, now)
    title = "Does your change mend it?"
    return Note(name="mend", title=title, text=text, lines=lines, tone=tone)


def _mend(case: Case, change: Change, broken: Examined, now: Examined) -> Told:
    if change.what == "nothing":
        text = "You have changed nothing yet. Name a layer, choose what you change in it, and run."
        return text, (), "plain"
    did = described(case, change)
    if error := now.trial.error:
        says = "It says the same as before:" if error == broken.trial.error else "Now it says:"
        return f"Not mended. {did} {now.ends} {says}", (error,), "wrong"
    lines = passed(now.trial)
    if now.faults:
        measured = [line for fault in now.faults for line in fault.lines]
        return f"Not mended. {did} {_still(case, change, now)}", (*lines, *measured), "wrong"
    if change == Change(*case.mend):
        return f"Mended. {did} Forward, loss, backward and a step: all run.", lines, "right"
    as_believed = all(
        written(now.trial.made(place)) == placed.believed for place, placed in enumerate(now.model)
    )
    believed = " Now every shape is the one that the author believed." if as_believed else ""
    meant = described(case, Change(*case.mend))
    return f"Mended, in another way. {did}{believed} The case's own way: {meant}", lines, "right"


def _still(case: Case, change: Change, now: Examined) -> str:
    """What is wrong though it runs; the case's own fault is not named before its layer is."""
    own = [fault for fault in now.faults if fault.kind == case.silent]
    new = [fault.cause for fault in now.faults if fault.kind != case.silent]
    named = change.layer == case.culprit
    old = [fault.cause if named else fault.symptom for fault in own]
    before = "It runs, as before, and is wrong as before." if own else "It runs, and is wrong."
    return " ".join([before, *old, *new])


def passed(trial: Trial) -> tuple[str, ...]:
    """Forward, loss, backward and a step, with their numbers."""
    pictures, outputs = trial.made(-1)
    return (
        f"forward:  {pictures} pictures, {outputs} numbers for each",
        f"loss:     {fixed(trial.loss, 3)} (by chance alone: ln {outputs} = "
        f"{fixed(math.log(outputs), 3)})",
        f"backward: a gradient for each of {trial.parameters:,} parameters",
        f"step:     with rate {RATE} the loss of these ten goes to {fixed(trial.after, 3)}",
    )
