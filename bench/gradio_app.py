"""The same controls in Gradio: a picture and a kernel in, a PNG out, through its queue.

As on our page the picture is a parameter: the function gets it whole, and makes it small and grey.
Beside it, as a function of the same app, our training: the same network, digits and loop.
Runs in the benchmarks' own venv.
"""

import sys
import time

import gradio
import numpy as np
import torch
from PIL import Image

from labs.catalog.first_cnn.lab import LAB
from labs.catalog.first_cnn.preview import SHAPE
from labs.data.datasets import load
from labs.nets.build import build
from labs.nets.scale import Scale
from labs.nets.train import Recipe, Training

torch.set_num_threads(1)


def forge(picture: Image.Image, kernel: list[list[float]]) -> Image.Image:
    picture.thumbnail((256, 256))
    grey = torch.tensor(np.array(picture.convert("L"))).float()
    made = torch.nn.functional.conv2d(grey[None, None], torch.tensor(kernel)[None, None])[0, 0]
    low, high = made.min(), made.max()
    levels = ((made - low) / (high - low).clamp_min(1e-9) * 255).byte()
    return Image.fromarray(levels.numpy())


def train(seconds: float) -> str:
    data, until = load("digits"), time.monotonic() + seconds
    net = build(LAB.params().blocks, SHAPE, len(data.classes))
    recipe = Recipe(epochs=200, batch=64, peak=5e-3)
    scale = Scale.of(data.train_x)
    for step in Training(net, data.train_x, data.train_y, scale, recipe, 0, "cpu").go():
        if time.monotonic() > until:
            return f"{step} steps"
    return "all steps"


with gradio.Blocks(analytics_enabled=False) as app:
    picture, kernel, shown = gradio.Image(type="pil"), gradio.JSON(), gradio.Image(format="png")
    gradio.Button().click(forge, [picture, kernel], shown, api_name="forge")
    seconds, said = gradio.Number(), gradio.Textbox()
    gradio.Button().click(train, seconds, said, api_name="train")

app.queue(default_concurrency_limit=2).launch(
    server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True, prevent_thread_lock=False
)
