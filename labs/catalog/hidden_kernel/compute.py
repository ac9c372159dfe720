"""One Conv2d looks for a hidden kernel: gradient descent on the smallest network there is.

The loss is a quadratic bowl in the kernel's K² numbers, so it has one lowest point: the hidden
kernel, as torch applies it, without flipping. How steep the bowl is depends on the pictures alone:
its curvature is 2·E[p·pᵀ] over their K×K windows p. Plain gradient descent explodes when the
learning rate is above 2 / (the largest curvature); heavy-ball momentum β moves that limit to
2·(1 + β) / (the largest curvature) (Goh, 2017, "Why momentum really works").
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labs.catalog.hidden_kernel.lab import EVERY, KERNELS, Params
from labs.context import Context, LabError
from labs.data.pictures import shrink
from labs.events import (
    Curves,
    Event,
    Fact,
    Image,
    Images,
    Matrix,
    Note,
    Progress,
    Result,
    Series,
    Tone,
)
from labs.words import fixed, short

PATCH = 14  # pixels
TOO_LARGE = 1e6  # a loss that nothing comes back from
FOUND = 0.999  # a cosine
CLOSE = 0.1  # a distance, as a share of the hidden kernel's length
BETA = 0.9
PRESETS = {
    "sobel": [[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "emboss": [[-2.0, -1, 0], [-1, 1, 1], [0, 1, 2]],
    "laplacian": [[0.0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "blur": [[1 / 16, 2 / 16, 1 / 16], [2 / 16, 4 / 16, 2 / 16], [1 / 16, 2 / 16, 1 / 16]],
}


def run(params: Params, ctx: Context) -> Iterator[Event | None]:
    rng = torch.Generator().manual_seed(ctx.seed)
    picture = learn_from(params, ctx, rng)  # (H, W), mean 0, deviation 1
    truth = hide(params, rng)  # (K, K)
    teacher = truth.flip(0, 1) if params.flip else truth  # as a cross-correlation applies it
    student = nn.Conv2d(1, 1, len(truth), bias=False)
    nn.init.uniform_(student.weight, -1 / len(truth), 1 / len(truth), generator=rng)
    optimiser = make_optimiser(params, student)
    yield truth_event(params, truth)

    every = max(EVERY, params.steps // 40)  # at most 41 looks
    losses: list[tuple[float, float]] = []
    cosines: list[tuple[float, float]] = []
    for step in range(params.steps + 1):
        x = patches(picture, params.batch, rng)  # (B, 1, 14, 14)
        y = F.conv2d(x, teacher[None, None])  # (B, 1, 15 − K, 15 − K)
        y = y + params.noise * y.std() * torch.randn(y.shape, generator=rng)
        loss = F.mse_loss(student(x), y)
        if not loss.item() < TOO_LARGE:  # also true of NaN
            if math.isfinite(loss.item()):
                yield loss_event([*losses, (step, loss.item())])
            yield explosion(params, picture, step, loss.item(), len(truth))
            break
        if step % every == 0 or step == params.steps:
            kernel = student.weight.detach()[0, 0].clone()  # (K, K)
            losses.append((step, max(loss.item(), 1e-12)))
            cosines.append((step, likeness(kernel, truth)))
            yield Progress(done=step, total=params.steps)
            yield student_event(kernel, step, cosines[-1][1])
            yield loss_event(losses)
            yield cosine_event(cosines)
            if step % (4 * every) == 0 or step == params.steps:
                yield maps_event(picture, teacher, kernel, step)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    else:
        yield verdict(params, kernel, truth)
    yield result_event(params, kernel, truth, losses[-1])


# The computation


def learn_from(params: Params, ctx: Context, rng: torch.Generator) -> Tensor:
    """Grey pixels (H, W), at most 128 on a side, moved to mean 0 and deviation 1."""
    if params.source == "noise":
        return torch.randn(96, 128, generator=rng)
    rgb = torch.tensor(shrink(ctx.picture(params.picture), 128)).float()  # (H, W, 3)
    grey = rgb @ torch.tensor([0.299, 0.587, 0.114])  # (H, W)
    if not grey.std(correction=0) >= 1:
        raise LabError(
            "The picture is the same grey throughout, so its maps tell nothing about the kernel. "
            "Choose another picture, or learn from random pixels."
        )
    short = [max(0, PATCH - side) for side in grey.shape]  # a sliver of a picture is repeated
    grey = F.pad(grey[None, None], (0, short[1], 0, short[0]), mode="replicate")[0, 0]
    return (grey - grey.mean()) / grey.std()


def hide(params: Params, rng: torch.Generator) -> Tensor:
    """The kernel that the teacher keeps to itself: (K, K)."""
    if params.hidden in PRESETS:
        return torch.tensor(PRESETS[params.hidden])
    side = int(params.hidden[-1])
    return torch.randn(side, side, generator=rng).mul(10).round().div(10)


def make_optimiser(params: Params, student: nn.Module) -> torch.optim.Optimizer:
    if params.optimiser == "adam":
        return torch.optim.Adam(student.parameters(), params.lr)
    momentum = BETA if params.optimiser == "momentum" else 0
    return torch.optim.SGD(student.parameters(), params.lr, momentum=momentum)


def patches(picture: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """`count` random squares of the picture: (B, 1, 14, 14)."""
    H, W = picture.shape
    tops = torch.randint(0, H - PATCH + 1, (count,), generator=rng).tolist()
    lefts = torch.randint(0, W - PATCH + 1, (count,), generator=rng).tolist()
    corners = zip(tops, lefts, strict=True)
    return torch.stack([picture[i : i + PATCH, j : j + PATCH] for i, j in corners])[:, None]


def likeness(one: Tensor, other: Tensor) -> float:
    """The cosine between two kernels taken as vectors: 1 is equal up to scale, −1 opposite."""
    return F.cosine_similarity(one.flatten(), other.flatten(), dim=0).item()


def apart(one: Tensor, other: Tensor) -> float:
    """How far `one` is from `other`, as a share of `other`'s length: 0 is equal, also in size."""
    return ((one - other).norm() / other.norm().clamp(min=1e-12)).item()


def steepest_curvature(picture: Tensor, side: int) -> float:
    """The largest eigenvalue of the loss's second derivative, 2·E[p·pᵀ] over all windows p."""
    windows = F.unfold(picture[None, None], side)[0]  # (K², N)
    return 2 * torch.linalg.eigvalsh(windows @ windows.T / windows.shape[1])[-1].item()


def limit_of_the_rate(params: Params, picture: Tensor, side: int) -> float:
    """The learning rate above which gradient descent explodes. Adam has no such limit."""
    if params.optimiser == "adam":
        return math.inf
    reach = 1 + BETA if params.optimiser == "momentum" else 1
    return 2 * reach / max(steepest_curvature(picture, side), 1e-12)


# What you see


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
    params: Params, kernel: Tensor, truth: Tensor, last: tuple[float, float]
) -> Result:
    """The last look at the student: of an exploded run, the last one before it."""
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
        figures={"cosine": straight, "cosine_flipped": flipped, "loss": loss, "steps": step},
    )
