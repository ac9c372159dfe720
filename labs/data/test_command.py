from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from labs.data import datasets, registry


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONVOLAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def said(*arguments: Any) -> str:
    out = io.StringIO()
    call_command("datasets", *arguments, stdout=out)
    return out.getvalue()


def state_of(name: str) -> str:
    return next(line for line in said("list").splitlines() if line.startswith(f"{name} "))


def test_the_list_says_what_is_here_and_where_the_rest_comes_from() -> None:
    assert "made on first use" in state_of("digits")
    assert "fetch or import it" in state_of("mnist")
    assert "CC BY-SA 3.0" in said("list")


def test_prepare_makes_the_bundled_datasets_and_says_each() -> None:
    found = said("prepare")
    assert "digits: converting 5,000 digits of MNIST … done" in found
    assert "here" in state_of("digits") and "here" in state_of("tiny-digits")


def test_import_brings_a_dataset_from_a_folder(tmp_path: Path) -> None:
    for name, count in (("train", 60000), ("t10k", 10000)):
        for what, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,))):
            head = bytes((0, 0, 8, len(shape))) + b"".join(n.to_bytes(4, "big") for n in shape)
            content = head + np.zeros(shape, np.uint8).tobytes()
            path = tmp_path / f"{name}-{what}-ubyte.gz"
            path.write_bytes(gzip.compress(content, compresslevel=1))
    assert "60,000 + 10,000 pictures" in said("import", "fashion-mnist", str(tmp_path))
    assert "here" in state_of("fashion-mnist")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import", "mnist", "/nowhere"), "/nowhere is not a folder"),
        (("import", "mnist", "."), "train-images-idx3-ubyte.gz is not there"),
        (("import", "digits", "."), "invalid choice: 'digits'"),
        (("fetch", "imagenet"), "invalid choice: 'imagenet'"),
        (("fetch",), "required"),
        ((), "required"),
    ],
)
def test_bad_input_is_answered_in_words(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        said(*arguments)


def test_a_download_that_fails_says_how_to_do_without(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    def no_way_out(name: str, scratch: Path) -> None:
        (scratch / "half").write_bytes(b"half a file")
        raise RuntimeError("Error downloading")

    monkeypatch.setattr(datasets, "fetch", no_way_out)
    with pytest.raises(CommandError, match="datasets import mnist FOLDER"):
        said("fetch", "mnist")
    assert not registry.is_here("mnist")
    assert list(folder.iterdir()) == [], "nothing is left lying about"
