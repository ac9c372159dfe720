"""How a loss falls: its curve, a schedule of the rate, and when to stop (lecture 7.4)."""

from __future__ import annotations

from math import cos, log, pi

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from courses.figures.plot import Plot
from courses.figures.small_training import EPOCHS, RUNS, Run
from labs import params
from labs.params import slider, switch
from labs.words import fixed, number, short

CLASSES = 10
MOST = 5.0


class Share(params.Params):
    share: int = slider(10, low=1, high=99, label="Share for the right digit", unit="%")


@figure(Share)
def cross_entropy(given: Share) -> Drawing:
    """The curve −ln p, its point at p, and how steep it is there."""
    p = given.share / 100
    loss, slope = -log(p), -1 / p
    plot = Plot(28, 34, 282, 210, (0, 1), (0, MOST))
    curve = [(x / 200, -log(x / 200)) for x in range(1, 201)]
    unknowing = (1 / CLASSES, log(CLASSES))
    x, y = plot.at(*unknowing)
    alt = (
        f"The cross-entropy of one picture over the share p of its right digit, a curve that "
        f"falls from above 4.6 to 0. At p = {fixed(p)} it is {fixed(loss)}."
    )
    drawn = svg.svg(
        320, 300,
        svg.text(0, 16, "loss of one picture, −ln p", "label", "start"),
        plot.axes((0, 0.25, 0.5, 0.75, 1), range(6)),
        svg.text(plot.left + plot.width / 2, 288, "share p of the right digit", "label"),
        plot.curve([(p, 0), (p, loss), (0, loss)], "--line"),
        plot.curve(curve, "--train"),
        plot.curve(_tangent(p), "--gradient"),
        plot.dot(*unknowing, "--soft"),
        svg.text(x + 12, y - 4, "untrained", "soft", "start") if p != 0.1 else "",
        plot.dot(p, loss, "--train"),
        svg.text(310, 48, f"p = {fixed(p)}", "", "end"),
        svg.text(310, 68, f"−ln p = {fixed(loss)}", "", "end"),
        svg.text(310, 88, f"slope −1/p = {number(slope)}", "", "end"),
        alt=alt,
    )  # fmt: skip
    more = -log(p + 0.01)
    says = (
        f"p = {fixed(p)}: the loss is {fixed(loss)}. One hundredth more, and it is {fixed(more)}: "
        f"{fixed(loss - more)} less."
    )
    return Drawing(drawn, alt, says)


def _tangent(p: float) -> list[tuple[float, float]]:
    """Two points of the line that touches −ln p, neither too far apart nor off the plot."""
    loss, slope = -log(p), -1 / p
    reach = min(0.15, 0.7 / -slope)
    before, after = min(reach, p, (MOST - loss) / -slope), min(reach, 1 - p, loss / -slope)
    return [(p + d, loss + slope * d) for d in (-before, after)]


PICTURES, BATCH = 4_000, 64
UP, LOW, END = 0.3, 1 / 25, 1e-4
"""Of the lab: the part of all steps that climbs; the first and the last rate, of the peak."""


class Cycle(params.Params):
    at: int = slider(15, low=0, high=100, label="How far the training is", unit="%")
    peak: float = slider(
        5, low=0.1, high=100, step=0.1, log=True, label="Peak of the rate", unit="thousandths"
    )
    epochs: int = slider(12, low=1, high=30, label="Epochs")


def rate(step: float, steps: int, peak: float) -> float:
    """The learning rate of a step, counted from 0: up by half a cosine, then down by another."""
    top = UP * steps
    if step < top:
        return _eased(peak * LOW, peak, step / top)
    return _eased(peak, peak * END, (step - top) / (steps - 1 - top))


def _eased(start: float, end: float, u: float) -> float:
    return end + (start - end) * (1 + cos(pi * min(1.0, u))) / 2


@figure(Cycle)
def one_cycle(given: Cycle) -> Drawing:
    """The lab's learning rate over all steps, and the rate of one step."""
    steps, peak = PICTURES // BATCH * given.epochs, given.peak / 1000
    step = round(given.at / 100 * (steps - 1))
    now = rate(step, steps, peak)
    plot = Plot(64, 50, 236, 180, (0, steps), (0, peak))
    curve = [(s, rate(s, steps, peak)) for s in (n * (steps - 1) / 200 for n in range(201))]
    x, _ = plot.at(UP * steps, 0)
    up = step < UP * steps
    u = step / (UP * steps) if up else (step - UP * steps) / (steps - 1 - UP * steps)
    alt = (
        f"The learning rate over {steps:,} steps: it climbs to {short(peak)} in the first "
        f"three tenths and falls to almost nothing after. At step {step:,} it is {short(now)}."
    )
    drawn = svg.svg(
        320, 292,
        svg.text(0, 16, "learning rate", "label", "start"),
        plot.axes((0, steps), (0, peak / 2, peak)),
        svg.text(x, 248, number(UP * steps, 0)),
        plot.upright(UP * steps),
        svg.text(plot.left + plot.width / 2, 276, "step", "label"),
        svg.text((plot.left + x) / 2, 220, "climb", "soft"),
        svg.text((x + plot.left + plot.width) / 2, 220, "fall", "soft"),
        plot.curve(curve, "--train"), plot.dot(step, now, "--train"),
        svg.text(300, 36, f"step {step:,}: {short(now)}", "", "end"),
        alt=alt,
    )  # fmt: skip
    says = (
        f"{PICTURES // BATCH} steps an epoch, {steps:,} in all. Step {step:,} is "
        f"{number(100 * min(1.0, u), 0)} % of the {'climb' if up else 'fall'}: the rate is "
        f"{short(now)}, {_percent(now / peak)} of the peak."
    )
    return Drawing(drawn, alt, says)


def _percent(share: float) -> str:
    return f"{number(100 * share, 1 if share < 0.1 else 0)} %" if share >= 0.0005 else "0.01 %"


class Moment(params.Params):
    epoch: int = slider(7, low=1, high=EPOCHS, label="Stop after epoch")
    shifts: bool = switch(False, label="Shift the training pictures by up to 2 pixels")


@figure(Moment)
def training_curves(given: Moment) -> Drawing:
    """Loss and accuracy of the lecture's own network, on training and on validation pictures."""
    run, epoch = RUNS[given.shifts], given.epoch
    loss = Plot(40, 34, 186, 150, (0, EPOCHS), (0, 0.9))
    right = Plot(40, 246, 186, 150, (0, EPOCHS), (0.75, 1))
    alt = (
        f"Loss and accuracy over {EPOCHS} epochs, in training and in validation. The validation "
        f"loss is lowest after epoch {run.kept}."
    )
    drawn = svg.svg(
        320, 440,
        svg.text(0, 16, "loss", "label", "start"),
        *_panel(loss, (0, 0.3, 0.6, 0.9), run.training_loss, run.validation_loss, given),
        svg.text(0, 228, "share that is right", "label", "start"),
        *_panel(right, (0.75, 0.8, 0.9, 1), run.training_right, run.validation_right, given),
        svg.text(right.left + right.width / 2, 434, "epoch", "label"),
        alt=alt,
    )  # fmt: skip
    return Drawing(drawn, alt, _read(run, epoch))


def _panel(
    plot: Plot, up: tuple[float, ...], train: tuple[float, ...], valid: tuple[float, ...], m: Moment
) -> tuple[str, ...]:
    """Both curves from epoch 1, named at their ends, and their points at the chosen epoch."""
    epochs = range(1, EPOCHS + 1)
    ends = [plot.at(EPOCHS, values[-1])[1] for values in (train, valid)]
    return (
        plot.axes((0, 5, 10, 15, 20), up),
        plot.upright(RUNS[m.shifts].kept),
        svg.line(*plot.at(m.epoch, plot.up[0]), *plot.at(m.epoch, plot.up[1]), "window"),
        plot.curve([(e, train[e]) for e in epochs], "--train"),
        plot.curve([(e, valid[e]) for e in epochs], "--validation", dashed=True),
        plot.dot(m.epoch, train[m.epoch], "--train"),
        plot.dot(m.epoch, valid[m.epoch], "--validation"),
        svg.text(plot.left + plot.width + 8, ends[0] + 4, "training", "", "start"),
        svg.text(plot.left + plot.width + 8, ends[1] + 4, "validation", "", "start"),
    )


def _read(run: Run, epoch: int) -> str:
    best = " That is the lowest validation loss of all epochs." if epoch == run.kept else ""
    return (
        f"After epoch {epoch}: loss {number(run.training_loss[epoch], 4)} in training and "
        f"{fixed(run.validation_loss[epoch], 3)} in validation; right on "
        f"{fixed(100 * run.training_right[epoch], 1)} % of the training pictures and "
        f"{fixed(100 * run.validation_right[epoch], 1)} % of the validation pictures.{best}"
    )
