"""One training without the platform: `python -m bench.alone digits|lab|mnist|usual EPOCHS SEED`.

`digits` and `mnist` use our loop, `usual` the one that most tutorials show: a DataLoader, batches
of 64, Adam at 1e-3, float32, tested after each epoch, until 98 %. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace

import torch
import torch.nn.functional as F

from labs.catalog.first_cnn.compute import run
from labs.catalog.first_cnn.lab import LAB, Params
from labs.catalog.first_cnn.preview import SHAPE
from labs.data.datasets import Dataset, load
from labs.nets.build import build
from labs.nets.measure import logits_of
from labs.nets.scale import Scale
from labs.nets.train import Recipe, Training
from labs.testing import PlainContext
from workers.devices import threads

GOAL = 0.98
PICTURES = 24_000
QUICK = Recipe(epochs=1, batch=64, peak=5e-3, shifts=False)
"""One cycle over 24,000 of the 60,000: enough for 98 % with this network."""


def ours(data: Dataset, recipe: Recipe, seed: int, most: int = 60_000) -> dict[str, float]:
    x, y = data.train_x[:most], data.train_y[:most]
    torch.manual_seed(seed)
    net = build(LAB.params().blocks, SHAPE, len(data.classes))
    scale = Scale.of(data.train_x)
    began = time.perf_counter()
    training = Training(net, x, y, scale, recipe, seed, "cpu")
    for _ in training.go():
        pass
    chunks = data.test_x.split(1_000)
    right = torch.cat([logits_of(net, scale.apply(x)).argmax(1) for x in chunks]) == data.test_y
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "accuracy": right.float().mean().item(),
        "pictures": training.steps * recipe.batch,
    }


def usual(data: Dataset, seed: int, most: int = 60_000) -> dict[str, float]:
    torch.manual_seed(seed)
    net = build(LAB.params().blocks, SHAPE, len(data.classes))
    pictures = torch.utils.data.TensorDataset(data.train_x[:most], data.train_y[:most])
    loader = torch.utils.data.DataLoader(pictures, batch_size=64, shuffle=True)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    scale = Scale.of(data.train_x)
    began = time.perf_counter()
    for _ in range(10):
        net.train()
        for x, y in loader:
            loss = F.cross_entropy(net(scale.apply(x)), y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        net.eval()
        with torch.no_grad():
            right = torch.cat([net(scale.apply(x)).argmax(1) for x in data.test_x.split(1_000)])
        accuracy = (right == data.test_y).float().mean().item()
        if accuracy >= GOAL or most < 60_000:
            break
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "accuracy": accuracy, "pictures": 0}


def whole_lab(epochs: int, seed: int) -> dict[str, float]:
    """The lab's own run, its events made and thrown away."""
    for _ in run(Params(epochs=1), PlainContext(seed)):
        pass
    began = time.perf_counter()
    for _ in run(Params(epochs=epochs), PlainContext(seed)):
        pass
    seconds = time.perf_counter() - began
    pictures = len(load("digits").train_y) // LAB.params().batch * LAB.params().batch * epochs
    return {"seconds": seconds, "accuracy": 0.0, "pictures": pictures}


def main(way: str, epochs: int, seed: int) -> dict[str, float]:
    if way == "usual":
        usual(load("mnist"), seed, 640)  # warm, as ours is
        return usual(load("mnist"), seed)
    if way == "mnist":
        ours(load("mnist"), QUICK, seed, 640)
        return ours(load("mnist"), QUICK, seed, PICTURES)
    torch.set_num_threads(threads())  # as the worker has it; both ways to MNIST take all cores
    chosen = LAB.params()
    if way == "lab":
        return whole_lab(epochs, seed)
    recipe = Recipe(epochs, chosen.batch, chosen.rate, chosen.schedule, chosen.shifts)
    ours(load("digits"), replace(recipe, epochs=1), seed)  # warm, as a worker's child is
    return ours(load("digits"), recipe, seed)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
