from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from labs.context import LabError
from labs.data import datasets, idx, registry
from tests.needs import not_run

MNIST = registry.ROOT.parent / "shared" / "datasets" / "MNIST" / "raw"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONVOLAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def write_idx(path: Path, array: np.ndarray) -> None:
    head = bytes((0, 0, 8, array.ndim)) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes()))


def write_mnist(folder: Path, train: int = 60000, test: int = 10000) -> None:
    """Blank pictures and labels 0–9 in the four files of MNIST."""
    for name, count in (("train", train), ("t10k", test)):
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", np.zeros((count, 28, 28), np.uint8))
        labels = (np.arange(count) % 10).astype(np.uint8)
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", labels)


@pytest.mark.parametrize("name", ["digits", "tiny-digits"])
def test_the_bundled_digits_are_made_on_first_use_as_the_registry_says(name: str) -> None:
    assert not registry.is_here(name)
    assert registry.is_available(name)
    found, about = datasets.load(name), registry.REGISTRY[name]
    assert registry.is_here(name)
    assert found.train_x.shape == (about.train, 1, about.side, about.side)
    assert found.test_x.shape == (about.test, 1, about.side, about.side)
    assert (found.train_x.dtype, found.train_y.dtype) == (torch.uint8, torch.int64)
    assert found.train_x.max() == 255
    assert (found.digest, found.classes) == (registry.digest(name), about.classes)
    assert registry.path_of(name).stat().st_mode & 0o444 == 0o444


def test_each_digit_has_400_pictures_to_learn_from_and_100_for_the_test() -> None:
    found = datasets.load("digits")
    assert found.train_y.bincount().tolist() == [400] * 10
    assert found.test_y.bincount().tolist() == [100] * 10
    assert len(set(found.train_y[:20].tolist())) > 5, "they lie shuffled, not class by class"


def test_no_digit_is_both_in_training_and_test() -> None:
    found = datasets.load("digits")
    train = {row.tobytes() for row in found.train_x.numpy()}
    assert not any(row.tobytes() in train for row in found.test_x.numpy())


def test_a_damaged_file_is_named_with_the_way_out() -> None:
    datasets.prepare("digits")
    path = registry.path_of("digits")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(LabError, match=r"digits is damaged.*datasets prepare"):
        datasets.load("digits")


def test_other_arrays_under_the_right_name_are_refused(folder: Path) -> None:
    datasets.prepare("tiny-digits")
    registry.path_of("tiny-digits").rename(registry.path_of("digits"))
    with pytest.raises(LabError, match="damaged"):
        datasets.load("digits")


def test_a_pickle_in_a_dataset_file_is_not_opened() -> None:
    registry.folder().mkdir()
    values = {part: np.array([object()]) for part in datasets.PARTS}
    np.savez(registry.path_of("digits"), **values, allow_pickle=True)
    with pytest.raises(LabError, match="damaged"):
        datasets.load("digits")


def test_a_dataset_that_is_not_here_says_how_an_operator_brings_it() -> None:
    assert not registry.is_available("mnist")
    with pytest.raises(LabError, match=r"MNIST is not on this site yet.*datasets fetch mnist"):
        datasets.load("mnist")
    with pytest.raises(LookupError, match="datasets fetch mnist"):
        registry.digest("mnist")


def test_an_unknown_dataset_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(LabError, match=r"no dataset named imagenet.*digits"):
        datasets.load("imagenet")


def test_a_folder_of_idx_files_becomes_a_dataset(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    datasets.keep_brought("mnist", datasets.read_folder(tmp_path))
    found = datasets.load("mnist")
    assert found.train_x.shape == (60000, 1, 28, 28)
    assert found.test_y[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert registry.digest("mnist") == found.digest
    assert json.loads(registry.path_of("mnist").with_suffix(".json").read_text())


def test_a_dataset_of_another_size_is_not_taken_for_mnist(tmp_path: Path) -> None:
    write_mnist(tmp_path, train=500)
    with pytest.raises(ValueError, match="60000 train pictures of 28×28; these are 500"):
        datasets.keep_brought("mnist", datasets.read_folder(tmp_path))


def test_the_files_of_another_dataset_of_that_shape_are_named(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    first = registry.REGISTRY["mnist"].first_labels
    labels = np.array([*first, *range(10)] * 3_000, np.uint8)
    write_idx(tmp_path / "train-labels-idx1-ubyte.gz", labels)
    with pytest.raises(ValueError, match="These are the files of MNIST"):
        datasets.keep_brought("fashion-mnist", datasets.read_folder(tmp_path))
    datasets.keep_brought("mnist", datasets.read_folder(tmp_path))


def test_the_real_files_begin_with_the_labels_that_tell_them_apart() -> None:
    if not MNIST.is_dir():
        not_run("datasets", f"the full MNIST is not in {MNIST}")
    labels = datasets.read_folder(MNIST)["train_y"]
    assert tuple(labels[:10].tolist()) == registry.REGISTRY["mnist"].first_labels


def test_labels_that_name_no_class_are_refused(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", np.full(10000, 10, np.uint8))
    with pytest.raises(ValueError, match="test labels go from 10 to 10"):
        datasets.keep_brought("mnist", datasets.read_folder(tmp_path))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"not gzip", "cannot be read"),
        (gzip.compress(b"\0\0\x08\x01")[:-4], "cannot be read"),
        (gzip.compress(b"\0\0\x0d\x01" + b"\0\0\0\1" + b"\0"), "is not an IDX file"),
        (gzip.compress(b"\0\0\x08\x03" + b"\0\0\0\1" * 3 + b"\0"), "is not an IDX file"),
        (gzip.compress(b""), "is not an IDX file"),
        (gzip.compress(b"\0\0\x08\x01" + b"\0\0\0\5" + b"\1\2"), "says 5 = 5 values, but holds 2"),
        (gzip.compress(b"\0\0\x08\x01" + b"\xff" * 4), "4,294,967,295 values, but holds 0"),
        (gzip.compress(bytes(60_000_000)), "more than any dataset"),
    ],
    ids=["text", "cut", "kind", "dims", "empty", "short", "large", "endless"],
)
def test_a_broken_idx_file_is_refused_in_words(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "labels.gz").write_bytes(content)
    with pytest.raises(ValueError, match=says):
        idx.read(tmp_path / "labels", dims=1)


def test_the_missing_one_of_the_four_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte.gz is not there"):
        datasets.read_folder(tmp_path)


def test_the_registry_loads_neither_torch_nor_numpy() -> None:
    import subprocess
    import sys

    code = "import sys, labs.data.registry as r; r.is_here('mnist')\n"
    code += "sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=registry.ROOT)
