"""What lectures import: loaded once, in the process that those of their code are forked from.

One thread, said before there is any tensor: PyTorch's threads do not survive a fork.
"""

from __future__ import annotations

import os
from contextlib import suppress

os.environ.setdefault("KERAS_BACKEND", "torch")
with suppress(ImportError):
    import torch

    torch.set_num_threads(1)
with suppress(ImportError):
    import keras  # noqa: F401
