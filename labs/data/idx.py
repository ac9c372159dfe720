"""The IDX files in which MNIST and its kin come (format: the foot of the MNIST page, LeCun 1998).

Two zero bytes, the type (8: unsigned byte), the number of dimensions, each dimension as four
bytes, the greatest first; then the values.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

_MOST = 70_000 * 28 * 28 + 16
"""Bytes that a file may unpack to: more than any dataset of the registry, so no .gz can fill us."""


def read(path: Path, dims: int) -> np.ndarray:
    """`path`, or `path`.gz, as uint8 with `dims` dimensions. Raises ValueError in words."""
    packed = path.with_name(f"{path.name}.gz")
    found = packed if packed.is_file() else path
    if not found.is_file():
        raise ValueError(f"{packed} is not there. The folder must hold the four IDX files.")
    try:
        with gzip.open(found) if found is packed else found.open("rb") as file:
            content = file.read(_MOST + 1)
    except (OSError, EOFError, zlib.error) as fault:
        raise ValueError(f"{found} cannot be read: {fault}") from fault
    if len(content) > _MOST:
        raise ValueError(f"{found} unpacks to more than {_MOST:,} bytes, more than any dataset.")
    return _parse(content, dims, found)


def _parse(content: bytes, dims: int, path: Path) -> np.ndarray:
    start = 4 + 4 * dims
    if len(content) < start or content[:4] != bytes((0, 0, 8, dims)):
        raise ValueError(f"{path} is not an IDX file of bytes with {dims} dimension(s).")
    shape = [int.from_bytes(content[4 + 4 * i : 8 + 4 * i], "big") for i in range(dims)]
    size = int(np.prod(shape, dtype=object))
    if len(content) - start != size:
        raise ValueError(
            f"{path} says {'×'.join(map(str, shape))} = {size:,} values, but holds "
            f"{len(content) - start:,}. It may have been cut off; copy it again."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
