"""The same controls in Gradio: a picture and a kernel in, a PNG out, through its queue.

As on our page the picture is a parameter: the function gets it whole, and makes it small and grey.
Runs in the benchmarks' own venv.
"""

import sys

import gradio
import numpy as np
import torch
from PIL import Image

torch.set_num_threads(1)


def forge(picture: Image.Image, kernel: list[list[float]]) -> Image.Image:
    picture.thumbnail((256, 256))
    grey = torch.tensor(np.array(picture.convert("L"))).float()
    made = torch.nn.functional.conv2d(grey[None, None], torch.tensor(kernel)[None, None])[0, 0]
    low, high = made.min(), made.max()
    levels = ((made - low) / (high - low).clamp_min(1e-9) * 255).byte()
    return Image.fromarray(levels.numpy())


with gradio.Blocks(analytics_enabled=False) as app:
    picture, kernel, shown = gradio.Image(type="pil"), gradio.JSON(), gradio.Image(format="png")
    gradio.Button().click(forge, [picture, kernel], shown, api_name="forge")

app.queue(default_concurrency_limit=2).launch(
    server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True, prevent_thread_lock=False
)
