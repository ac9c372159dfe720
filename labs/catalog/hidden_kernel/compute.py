"""One Conv2d looks for a hidden kernel: gradient descent on the smallest network there is.

The loss is a quadratic bowl in the kernel's K² numbers, so it has one lowest point: the hidden
kernel, as torch applies it, without flipping. How steep the bowl is, bowl.py tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labs.catalog.hidden_kernel import show
from labs.catalog.hidden_kernel.bowl import BETA, likeness
from labs.catalog.hidden_kernel.lab import EVERY, Params
from labs.context import Context, LabError
from labs.data.pictures import shrink
from labs.events import Event, Progress

PATCH = 14  # pixels
TOO_LARGE = 1e6  # a loss that nothing comes back from
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
    yield show.truth_event(params, truth)

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
                yield show.loss_event([*losses, (step, loss.item())])
            yield show.explosion(params, picture, step, loss.item(), len(truth))
            break
        if step % every == 0 or step == params.steps:
            kernel = student.weight.detach()[0, 0].clone()  # (K, K)
            losses.append((step, max(loss.item(), 1e-12)))
            cosines.append((step, likeness(kernel, truth)))
            yield Progress(done=step, total=params.steps)
            yield show.student_event(kernel, step, cosines[-1][1])
            yield show.loss_event(losses)
            yield show.cosine_event(cosines)
            if step % (4 * every) == 0 or step == params.steps:
                yield show.maps_event(picture, teacher, kernel, step)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    else:
        yield show.verdict(params, kernel, truth)
    yield show.result_event(params, kernel, truth, losses[-1], picture)


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
