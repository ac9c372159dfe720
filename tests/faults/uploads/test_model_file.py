"""The model that is downloaded is the model that was trained (fault 37)."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from safetensors.torch import load

from labs.lab import every_lab
from tests.engine import cast

pytestmark = pytest.mark.django_db(transaction=True)

PREDICT = """
import json, sys
from labs.catalog.first_cnn import model
from labs.data.datasets import load
from labs.nets.measure import logits_of
kept = model.from_bytes(open(sys.argv[1], "rb").read())
x = load(kept.dataset).test_x[:100]
print(json.dumps(logits_of(kept.net, kept.scale.apply(x)).argmax(1).tolist()))
"""


def form_of(values: dict[str, Any]) -> dict[str, str]:
    return {name: v if isinstance(v, str) else json.dumps(v) for name, v in values.items()}


def test_the_downloaded_model_predicts_the_same_in_a_fresh_process(
    settings: Any, tmp_path: Path
) -> None:
    settings.FILES_ROOT = tmp_path / "files"
    alice = Client()
    alice.get("/labs/first-cnn/")
    tiny = form_of(dict(every_lab()["first-cnn"].tiny))
    started: Any = alice.post("/labs/first-cnn/run/", tiny)
    assert started.status_code == 302, started.content
    run = started["Location"]
    job = cast.work("training")
    assert job is not None and job.state == "succeeded", job and job.reason

    files, panel = {}, alice.get(f"{run}panel/").content.decode()
    for name in ("model.safetensors", "predictions.safetensors", "model.json"):
        answer: Any = alice.get(f"{run}files/{name}")
        files[name] = b"".join(answer.streaming_content)
        shown = re.search(rf">{name}</a>.*?<code[^>]*>([0-9a-f]{{64}})</code>", panel, re.S)
        assert shown and shown[1] == hashlib.sha256(files[name]).hexdigest()
        assert answer["Content-Disposition"].startswith("attachment")

    downloaded = tmp_path / "downloaded.safetensors"
    downloaded.write_bytes(files["model.safetensors"])
    fresh = [sys.executable, "-c", PREDICT, str(downloaded)]
    done = subprocess.run(fresh, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = load(files["predictions.safetensors"])["predicted"][:100].tolist()
    assert json.loads(done.stdout) == expected and len(expected) == 100
    assert json.loads(files["model.json"])["dataset"] == "digits"
