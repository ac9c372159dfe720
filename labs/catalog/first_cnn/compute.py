"""Train the student's network, show what it learns, keep it, and let it answer.

Letters: N pictures, B of them in a batch, K first-layer kernels, H×W a map.
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from labs.catalog.first_cnn import model, show
from labs.catalog.first_cnn.drawn import centred, reading
from labs.catalog.first_cnn.lab import Cell, Drawing, Params
from labs.catalog.first_cnn.preview import SHAPE
from labs.context import Context, LabError
from labs.data.datasets import Dataset
from labs.events import Bars, Event, Fact, Image, Images, Progress, Result
from labs.nets.build import build
from labs.nets.measure import Marks, logits_of, logits_of_all
from labs.nets.scale import Scale
from labs.nets.train import Recipe, Training
from labs.words import short

LOOKED_AT = 500
"""While it trains, the test is measured on so many pictures; in the end, on all."""
COMPARED = 100
CELL_PICTURES = 24


def run(params: Params, ctx: Context) -> Iterator[Event | None]:
    """Train as `params` say; ends with files: model.safetensors, model.json, predictions."""
    data: Dataset = ctx.data(params.dataset)
    torch.manual_seed(ctx.seed)
    net = build(params.blocks, SHAPE, len(data.classes))
    recipe = Recipe(params.epochs, params.batch, params.rate, params.schedule, params.shifts)
    scale = Scale.of(data.train_x)
    training = Training(net, data.train_x, data.train_y, scale, recipe, ctx.seed, ctx.device)
    course = Course(training, data)
    _tell_what_runs(training, ctx)
    if ctx.saved:
        training.restore(ctx.saved["training"])
        course.tested = ctx.saved["tested"]
    else:
        yield from course.begin()
    for step in training.go():
        yield from course.after(step)
        if step % training.per_epoch == 0 or ctx.save_wanted:
            ctx.save({"training": training.state(), "tested": course.tested})
    yield from _finish(params, course, ctx)


def _tell_what_runs(training: Training, ctx: Context) -> None:
    ctx.tell(
        dtype="bfloat16 (autocast)" if training.bfloat16 else "float32",
        memory="channels last",
        optimiser="AdamW, fused",
        threads=torch.get_num_threads(),
    )


@dataclass
class Course:
    """What is shown when: planned by step, so that the same seed shows the same."""

    training: Training
    data: Dataset
    tested: list[list[float]] = field(default_factory=list)
    """Step, and accuracy on the test pictures looked at."""
    final: Marks | None = None

    def __post_init__(self) -> None:
        steps = self.training.steps
        self.looks = show.look_steps(steps)
        self.tests = show.test_steps(steps)
        self.curve_every = max(10, math.ceil(steps / 100))
        self.probes = show.probes_of(self.data)
        self.harder = self._what_makes_training_harder()

    def _what_makes_training_harder(self) -> str:
        """Why the share in training may lie below that in the test: "shifts and dropout"."""
        thinned = any(isinstance(layer, torch.nn.Dropout) for layer in self.training.net.modules())
        found = {"shifts": self.training.recipe.shifts, "dropout": thinned}
        return " and ".join(name for name, there in found.items() if there)

    def begin(self) -> Iterator[Event]:
        yield Progress(done=0, total=self.training.steps)
        yield from self.look(0)

    def after(self, step: int) -> Iterator[Event | None]:
        """The events due after so many steps, then a stopping point."""
        last = step == self.training.steps
        marks = None
        if last:  # all of them, exactly: the curve ends where the result is
            marks = self.final = yield from self.mark(len(self.data.test_y), exact=True)
        elif step in self.tests:
            marks = yield from self.mark(LOOKED_AT, exact=False)
        if marks:
            self.tested.append([step, marks.accuracy])
        if step % self.curve_every == 0 or last:
            yield from self.curves(step)
        if step in self.looks:
            yield from self.look(step)
        if marks and not last:
            yield show.confusion(marks, self.data.classes)
            yield show.errors(marks, self.data.test_x, self.data.classes)
        yield None

    def mark(self, count: int, exact: bool) -> Generator[None, None, Marks]:
        """The network's answers to the first `count` test pictures; `exact` ones in float32."""
        x, y = self.data.test_x[:count], self.data.test_y[:count]
        t = self.training
        fast = t.bfloat16 and not exact
        return Marks.of((yield from logits_of_all(t.net, x, t.scale, t.device, fast)), y)

    def curves(self, step: int) -> Iterator[Event]:
        training = self.training
        losses, hits = training.read()
        if not math.isfinite(losses[-1]):
            raise LabError(
                f"After {step} steps the loss is no longer a number: the steps were so large that "
                f"the weights ran away. Take a learning rate below {short(training.recipe.peak)}."
            )
        yield Progress(done=step, total=training.steps)
        count = min(LOOKED_AT, len(self.data.test_y))
        yield from show.curves(
            losses, hits, self.tested, training.steps, training.per_epoch, count, self.harder
        )

    def look(self, step: int) -> Iterator[Event]:
        """All kernels of the first layer, and what it makes of the four probes."""
        net = self.training.net
        yield show.kernels(net, step)
        names = [self.data.classes[self.data.test_y[n]] for n in self.probes]
        x = self.data.test_x[self.probes]  # (4, 1, 28, 28)
        yield show.maps(net, x, names, self.training.scale, "maps")


def _finish(params: Params, course: Course, ctx: Context) -> Iterator[Event | None]:
    """Mark the whole test, keep the files, and see that the kept model answers as this one."""
    data, training = course.data, course.training
    marks = course.final or (yield from course.mark(len(data.test_y), exact=True))
    yield show.confusion(marks, data.classes)
    yield show.errors(marks, data.test_x, data.classes)
    made = model.Model(
        net=training.net,
        blocks=params.blocks,
        shape=SHAPE,
        classes=data.classes,
        scale=training.scale,
        dataset=params.dataset,
    )
    content = model.to_bytes(made)
    _compare(content, made, data.test_x[:COMPARED], ctx)
    parameters = sum(weights.numel() for weights in made.net.parameters())
    figures = {"test_accuracy": round(marks.accuracy, 6), "parameters": float(parameters)}
    ctx.artifacts.write("model.safetensors", content)
    ctx.artifacts.write("model.json", json.dumps(made.described() | figures, indent=1).encode())
    answers = model.arrays_to_bytes(predicted=marks.predicted, true=marks.true)
    ctx.artifacts.write("predictions.safetensors", answers)
    yield _result(marks, figures, training)


def _compare(content: bytes, made: model.Model, x: Tensor, ctx: Context) -> None:
    """The file, loaded afresh, must give the very logits that the trained network gives."""
    device = next(made.net.parameters()).device
    again = model.from_bytes(content).net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    scaled = made.scale.apply(x.to(device))  # (100, 1, 28, 28)
    if not model.same(logits_of(again, scaled), logits_of(made.net, scaled)):
        raise RuntimeError("the saved model answers otherwise than the trained one")
    ctx.tell(reloaded=f"same logits on {len(x)} pictures")


def _result(marks: Marks, figures: dict[str, float], training: Training) -> Result:
    right, count = round(marks.accuracy * len(marks.true)), len(marks.true)
    seen = training.steps * training.recipe.batch
    return Result(
        title="In numbers",
        sentence=f"Your network is right on {right:,} of {count:,} test pictures, "
        f"{marks.accuracy * 100:.1f} %.",
        facts=(
            Fact("test accuracy", round(marks.accuracy * 100, 2), "%"),
            Fact("test pictures wrong", count - right),
            Fact("parameters", int(figures["parameters"])),
            Fact("pictures seen in training", seen),
        ),
        figures=figures,
    )


def draw(params: Drawing, ctx: Context) -> Iterator[Event | None]:
    """What the run's own network reads in a drawing."""
    if not any(params.drawing):
        yield from nothing_drawn()
        return
    kept = model.from_bytes(ctx.artifacts.read("model.safetensors"))
    drawing = torch.tensor(params.drawing, dtype=torch.uint8).view(28, 28)
    x = centred(drawing)[None]  # (1, 1, 28, 28)
    sure = logits_of(kept.net, kept.scale.apply(x)).softmax(1)[0]  # (classes,)
    best = int(sure.argmax())
    said = reading(kept.classes[best], sure[best].item())
    yield Bars(
        name="reading",
        title="What it reads",
        sentence=said,
        bars=tuple(zip(kept.classes, (round(100 * p, 2) for p in sure.tolist()), strict=True)),
        unit="%",
        high=100,
        digits=1,
        highlight=best,
    )
    yield Images(
        name="seen",
        title="What it sees",
        sentence="Your drawing, sized and centred as the training digits were.",
        items=(Image(drawing, "drawn", zoom=4), Image(x[0, 0], "as it is read", zoom=4)),
    )
    yield show.maps(kept.net, x, ["drawing"], kept.scale, "drawn-maps")


def nothing_drawn() -> Iterator[Event]:
    """What was read before is gone with its ink."""
    yield Bars(
        name="reading",
        title="What it reads",
        sentence="There is no ink yet. Draw a digit in the field.",
        bars=(),
        unit="%",
    )
    for name, title in (("seen", "What it sees"), ("drawn-maps", "First-layer maps")):
        yield Images(name=name, title=title, items=(), sentence="Draw, and it appears here.")


def cell(params: Cell, ctx: Context) -> Iterator[Event | None]:
    """The test pictures of one cell: of class `row`, taken for class `column`."""
    kept = model.from_bytes(ctx.artifacts.read("model.safetensors"))
    answers = model.arrays_from_bytes(ctx.artifacts.read("predictions.safetensors"))
    hit = (answers["true"] == params.row) & (answers["predicted"] == params.column)  # (N,)
    found = hit.nonzero().flatten().tolist()
    true, taken = kept.classes[params.row], kept.classes[params.column]
    x = ctx.data(kept.dataset).test_x
    shown = found[:CELL_PICTURES]
    how_many = f"{len(found):,} test picture{'' if len(found) == 1 else 's'}"
    few = f" The first {len(shown)} are shown." if len(found) > len(shown) else ""
    yield Images(
        name="cell",
        title=f"{true} taken for {taken}",
        sentence=f"{how_many} of {true} taken for {taken}.{few}",
        items=tuple(Image(x[n, 0], f"picture {n + 1}", zoom=2) for n in shown),
    )


def warm(device: str) -> None:
    """Load what the first run would wait for: the digits, the kernels of torch."""
    from labs.data.datasets import load

    data = load("digits")
    params = Params(epochs=1)
    net = build(params.blocks, SHAPE, len(data.classes))
    recipe = Recipe(1, params.batch, params.rate)
    x, y = data.train_x[: params.batch], data.train_y[: params.batch]
    for _ in Training(net, x, y, Scale.of(x), recipe, 0, device).go():
        pass
