"""One training without the platform: `python -m bench.alone digits|mnist|usual EPOCHS SEED`.

`digits` and `mnist` use our loop, `usual` the one that most tutorials show: a DataLoader, batches
of 64, Adam at 1e-3, float32, tested after each epoch, until 98 %. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time

import torch
import torch.nn.functional as F

from labs.catalog.first_cnn.lab import LAB
from labs.catalog.first_cnn.preview import SHAPE
from labs.data.datasets import Dataset, load
from labs.nets.build import build
from labs.nets.measure import logits_of
from labs.nets.scale import Scale
from labs.nets.train import Recipe, Training
from workers.devices import threads

GOAL = 0.98


def ours(data: Dataset, recipe: Recipe, seed: int) -> dict[str, float]:
    torch.manual_seed(seed)
    net = build(LAB.params().blocks, SHAPE, len(data.classes))
    scale = Scale.of(data.train_x)
    began = time.perf_counter()
    training = Training(net, data.train_x, data.train_y, scale, recipe, seed, "cpu")
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


def usual(data: Dataset, seed: int) -> dict[str, float]:
    torch.manual_seed(seed)
    net = build(LAB.params().blocks, SHAPE, len(data.classes))
    pictures = torch.utils.data.TensorDataset(data.train_x, data.train_y)
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
        if accuracy >= GOAL:
            break
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "accuracy": accuracy, "pictures": 0}


def main(way: str, epochs: int, seed: int) -> dict[str, float]:
    if way == "usual":
        return usual(load("mnist"), seed)  # with torch's own choice of threads: all cores
    torch.set_num_threads(threads())
    if way == "mnist":
        return ours(load("mnist"), Recipe(epochs=1, batch=128, peak=5e-3), seed)
    chosen = LAB.params()
    recipe = Recipe(epochs, chosen.batch, chosen.rate, chosen.schedule, chosen.shifts)
    return ours(load("digits"), recipe, seed)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
