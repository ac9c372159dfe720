"""The same kernel on the same picture in Gradio's queue. Runs in the benchmarks' own venv."""

import sys
from pathlib import Path

import gradio
import numpy as np
import torch
from PIL import Image

PICTURE = Path(__file__).parents[1] / "labs" / "data" / "photos" / "coffee.jpg"
torch.set_num_threads(1)
GREY = torch.tensor(np.array(Image.open(PICTURE).convert("L").resize((256, 256)))).float()


def forge(kernel: list[list[float]]) -> Image.Image:
    made = torch.nn.functional.conv2d(GREY[None, None], torch.tensor(kernel)[None, None])[0, 0]
    low, high = made.min(), made.max()
    levels = ((made - low) / (high - low).clamp_min(1e-9) * 255).byte()
    return Image.fromarray(levels.numpy())


with gradio.Blocks(analytics_enabled=False) as app:
    kernel, picture = gradio.JSON(), gradio.Image(format="png")
    gradio.Button().click(forge, kernel, picture, api_name="forge")

app.queue(default_concurrency_limit=2).launch(
    server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True, prevent_thread_lock=False
)
