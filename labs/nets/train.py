"""The training loop, whole: what every lab trains with. It knows nothing of the page.

What makes it fast: the pictures are tensors in memory, on the device, so that no loader stands
between; channels_last; bfloat16 where the hardware multiplies it natively; one fused optimiser
step; and nothing in a step waits for a number (losses stay on the device until they are read).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labs.nets.scale import Scale

REACH = 2
"""Pixels by which a picture may be shifted, each way."""


@dataclass(frozen=True)
class Recipe:
    """How to train. `peak` is the highest learning rate; `shifts` moves pictures by ±2 pixels."""

    epochs: int
    batch: int
    peak: float
    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    shifts: bool = True
    decay: float = 0.01
    smoothing: float = 0.0

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step: one cycle up and down (Smith & Topin 2018), by cosines.

        From a 25th of the peak up to it over the first three tenths, then down to a 10,000th.
        """
        if self.schedule == "constant":
            return self.peak
        top = max(1.0, 0.3 * steps)
        if step < top:
            return _between(self.peak / 25, self.peak, step / top)
        return _between(self.peak, self.peak / 1e4, (step - top) / max(1.0, steps - 1 - top))


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(1.0, share))) / 2


def native_bfloat16(device: torch.device) -> bool:
    """Whether the hardware itself multiplies bfloat16; emulated, it would be slower."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities()
    return device.type == "cpu" and bool(able.get("amx_bf16") or able.get("avx512_bf16"))


class Training:
    """One training of `net` on pictures x, uint8 (N, 1, H, W), with labels y (N,).

    `seed` fixes the order of the data, the shifts and dropout. `go` takes the steps; between two
    of them `state` is all that is needed to go on exactly from there, and `restore` takes it.
    """

    def __init__(
        self, net: nn.Module, x: Tensor, y: Tensor, scale: Scale, recipe: Recipe, seed: int, at: str
    ) -> None:
        self.device = torch.device(at)
        self.recipe, self.seed, self.scale = recipe, seed, scale
        self.net = net.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.y = y.to(self.device)
        self.views = _views(x.to(self.device), REACH if recipe.shifts else 0)
        self.bfloat16 = native_bfloat16(self.device)
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=recipe.peak, weight_decay=recipe.decay, fused=True
        )
        self.per_epoch = len(y) // recipe.batch  # what does not fill a batch waits for next time
        self.steps = self.per_epoch * recipe.epochs
        self.step = 0
        self.losses = torch.zeros(self.steps, device=self.device)
        self.hits = torch.zeros(self.steps, device=self.device)
        torch.manual_seed(seed)  # dropout's; the data's order has a generator of its own

    def go(self) -> Iterator[int]:
        """Take the steps that are left, one a turn: yields how many are done."""
        while self.step < self.steps:
            epoch, place = divmod(self.step, self.per_epoch)
            order, shifts = self._plan(epoch)  # (N,), (N, 2)
            for at in range(place, self.per_epoch):
                batch = slice(at * self.recipe.batch, (at + 1) * self.recipe.batch)
                self._learn(order[batch], shifts[batch])
                self.step += 1
                yield self.step

    def _plan(self, epoch: int) -> tuple[Tensor, Tensor]:
        """The order and the shifts of an epoch, made from seed and epoch alone."""
        chance = torch.Generator().manual_seed(self.seed * 1_000 + epoch)
        order = torch.randperm(len(self.y), generator=chance)  # (N,)
        places = self.views.shape[2]
        shifts = torch.randint(places, (len(self.y), 2), generator=chance)  # (N, 2)
        return order.to(self.device), shifts.to(self.device)

    def _learn(self, rows: Tensor, shifts: Tensor) -> None:
        """One step on the pictures `rows` (B,)."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate(self.step, self.steps)
        down, across = shifts.unbind(1)  # (B,), (B,)
        x = self.scale.apply(self.views[rows, :, down, across])  # (B, 1, H, W)
        y = self.y[rows]  # (B,)
        self.net.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            logits = self.net(x)  # (B, classes)
        loss = F.cross_entropy(logits.float(), y, label_smoothing=self.recipe.smoothing)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.losses[self.step] = loss.detach()
        self.hits[self.step] = (logits.detach().argmax(1) == y).float().mean()

    def read(self) -> tuple[list[float], list[float]]:
        """Loss and accuracy of each step so far. Waits for the device: read now and then."""
        return self.losses[: self.step].tolist(), self.hits[: self.step].tolist()

    def state(self) -> dict[str, Any]:
        """All that the steps to come depend on, and the curves so far."""
        return {
            "step": self.step,
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "chance": torch.get_rng_state(),
            "chance_cuda": torch.cuda.get_rng_state() if self.device.type == "cuda" else None,
            "losses": self.losses[: self.step],
            "hits": self.hits[: self.step],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave, also in another process."""
        self.step = state["step"]
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.losses[: self.step] = state["losses"].to(self.device)
        self.hits[: self.step] = state["hits"].to(self.device)
        torch.set_rng_state(state["chance"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state["chance_cuda"])


def _views(x: Tensor, reach: int) -> Tensor:
    """Each picture in all its shifted places, without a copy: (N, 1, 2r + 1, 2r + 1, H, W)."""
    height, width = x.shape[2:]
    wide = F.pad(x, (reach,) * 4)  # (N, 1, H + 2r, W + 2r), paper around
    return wide.unfold(2, height, 1).unfold(3, width, 1)
