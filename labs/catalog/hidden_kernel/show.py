"""What the page shows of a search: kernels, curves, maps, and what came out."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor

from labs.catalog.hidden_kernel.bowl import apart, likeness, limit_of_the_rate
from labs.catalog.hidden_kernel.lab import KERNELS, Params
from labs.events import Curves, Fact, Image, Images, Matrix, Note, Result, Series, Tone
from labs.words import fixed, short

FOUND = 0.999  # a cosine
CLOSE = 0.1  # a distance, as a share of the hidden kernel's length


def truth_event(params: Params, truth: Tensor) -> Matrix:
    how = "flipped, as a convolution does" if params.flip else "as it is, without flipping"
    return Matrix(
        name="truth",
        title="The hidden kernel",
        sentence=f"The teacher hides “{KERNELS[params.hidden]}” and applies it {how}.",
        values=rows(truth),
    )


def student_event(kernel: Tensor, step: int, cosine: float) -> Matrix:
    return Matrix(
        name="student",
        title=f"The student's kernel after {step} steps",
        sentence=f"After {step} steps the cosine to the hidden kernel is {fixed(cosine, 4)}.",
        values=rows(kernel),
    )


def rows(kernel: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in kernel.tolist())


def loss_event(losses: list[tuple[float, float]]) -> Curves:
    return Curves(
        name="loss",
        title="Loss",
        sentence=f"Mean squared error {short(losses[-1][1])} after {losses[-1][0]:.0f} steps.",
        x_label="step",
        y_label="mean squared error",
        series=(Series("loss", tuple(losses)),),
        log_y=True,
    )


def cosine_event(cosines: list[tuple[float, float]]) -> Curves:
    return Curves(
        name="cosine",
        title="Likeness to the hidden kernel",
        sentence=f"Cosine {fixed(cosines[-1][1], 4)} after {cosines[-1][0]:.0f} steps. "
        "1 is the same direction, whatever the size.",
        x_label="step",
        y_label="cosine",
        series=(Series("cosine", tuple(cosines), role="other"),),
        y_range=(-1.0, 1.0),
    )


def maps_event(picture: Tensor, teacher: Tensor, kernel: Tensor, step: int) -> Images:
    """The whole picture through both, on one scale: what the student still gets wrong is seen."""
    wanted, found = (F.conv2d(picture[None, None], k[None, None])[0, 0] for k in (teacher, kernel))
    high = wanted.abs().max().item() or 1.0
    h, w = wanted.shape
    apart = (wanted - found).abs().mean().item()
    maps = ((wanted, "teacher's map"), (found, "student's map"))
    return Images(
        name="maps",
        title="The picture and its maps",
        sentence=f"After {step} steps the two maps differ by {short(apart)} on average.",
        items=(
            Image(picture, label=f"picture, 1×{picture.shape[0]}×{picture.shape[1]}", zoom=2),
            *(
                Image(m, f"{name}, 1×{h}×{w}", "kernel", low=-high, high=high, zoom=2)
                for m, name in maps
            ),
        ),
    )


def explosion(params: Params, picture: Tensor, step: int, loss: float, side: int) -> Note:
    found = short(loss) if math.isfinite(loss) else "no longer a number"
    limit = limit_of_the_rate(params, picture, side)
    allowed = f"a rate of about {short(limit, 2)} with this optimiser"
    why = (
        f"The curvature of these pictures allows {allowed}."
        if params.lr > limit
        else "Each step was longer than the way to the lowest point."
    )
    return Note(
        name="verdict",
        title="It exploded",
        text=f"At step {step} the loss was {found}, and we stopped. At a learning rate of "
        f"{short(params.lr)} each step jumps over the lowest point and lands further away. {why} "
        "Take a smaller rate.",
        tone="warning",
    )


def verdict(params: Params, kernel: Tensor, truth: Tensor) -> Note:
    """What came out, told from the numbers alone."""
    straight, flipped = likeness(kernel, truth), likeness(kernel, truth.flip(0, 1))
    like = truth if straight >= FOUND else truth.flip(0, 1)
    size = kernel.norm().item() / max(truth.norm().item(), 1e-12)
    best = fixed(max(straight, flipped), 4)
    tone: Tone = "right"
    if max(straight, flipped) < FOUND:
        text, tone = f"Not there yet: cosine {best}. Try more steps or another rate.", "plain"
    elif apart(kernel, like) > CLOSE:
        text, tone = (
            f"The direction is found, the size is not yet: cosine {best}, but the "
            f"student's numbers are {fixed(size)} times as large as they should be. Try more "
            "steps or a larger rate.",
            "plain",
        )
    elif straight >= FOUND:
        same = " It looks the same flipped, so the teacher's flip is not seen." * (
            params.flip and flipped >= FOUND
        )
        text = f"The student found the hidden kernel: cosine {best}.{same}"
    else:
        text = (
            f"The student found the hidden kernel turned by 180°: cosine {best} to the "
            f"flipped kernel, {fixed(straight)} to the kernel itself. The teacher flips, the "
            "student does not, so it learns the flipped numbers and makes the same maps."
        )
    return Note(name="verdict", title="What came out", text=text, tone=tone)


def result_event(
    params: Params, kernel: Tensor, truth: Tensor, last: tuple[float, float], picture: Tensor
) -> Result:
    """The last look at the student: of an exploded run, the last one before it."""
    limit = limit_of_the_rate(params, picture, len(truth))
    step, loss = last
    straight, flipped = likeness(kernel, truth), likeness(kernel, truth.flip(0, 1))
    whole = step == params.steps
    best = fixed(max(straight, flipped), 4)
    what = "the flipped kernel" if flipped > straight + 1e-4 else "the hidden kernel"
    return Result(
        title="In numbers",
        sentence=f"After {step:.0f} steps the student is at cosine {best} to {what}."
        + ("" if whole else " Then it exploded."),
        facts=(
            Fact("cosine to the hidden kernel", round(straight, 4)),
            Fact("cosine to it flipped", round(flipped, 4)),
            Fact("loss", float(f"{loss:.3g}")),
            Fact("steps", int(step)),
        ),
        figures={
            "cosine": straight,
            "cosine_flipped": flipped,
            "loss": loss,
            "steps": step,
            "exploded": float(not whole),
            **({"limit": limit} if math.isfinite(limit) else {}),
        },
    )
