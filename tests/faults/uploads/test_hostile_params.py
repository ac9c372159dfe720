"""Networks and settings that nobody should ask for (fault 36), by form and by API."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs.catalog.first_cnn.lab import Params
from labs.catalog.first_cnn.preview import SHAPE
from labs.models import Job
from labs.nets import limits
from labs.nets.blocks import MOST_BLOCKS
from labs.nets.build import build
from tests.api.caller import Caller
from tests.faults.streams.client import size

pytestmark = [pytest.mark.django_db, pytest.mark.faults]
CASES = size(300, 5_000)
KINDS = ["convolution", "activation", "pooling", "flatten", "dense", "dropout", "norm"]

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
number = st.integers(-1, 300) | st.sampled_from([1, 2, 3, 5, 7, 64, 256, 1_024, 4_096]) | odd
block = st.fixed_dictionaries(
    {"kind": st.sampled_from(KINDS) | odd},
    optional={
        "filters": number,
        "size": number,
        "stride": number,
        "units": number,
        "padding": st.sampled_from(["none", "same"]) | odd,
        "function": st.sampled_from(["relu", "tanh"]) | odd,
        "takes": st.sampled_from(["max", "average"]) | odd,
        "rate": st.floats(0, 1) | odd,
    },
)
conv = st.fixed_dictionaries(
    {
        "kind": st.just("convolution"),
        "filters": st.sampled_from([1, 8, 64, 256]),
        "size": st.sampled_from([1, 3, 5, 7]),
        "stride": st.integers(1, 4),
    }
)
dense = st.fixed_dictionaries({"kind": st.just("dense"), "units": st.sampled_from([1, 64, 1_024])})
plausible = st.builds(
    lambda convs, pools, units: [*convs, *pools, {"kind": "flatten"}, *units],
    st.lists(conv, max_size=4),
    st.lists(st.just({"kind": "pooling", "size": 2}), max_size=2),
    st.lists(dense, max_size=3),
)
networks = st.lists(block, max_size=25) | plausible | odd
extras = st.fixed_dictionaries(
    {},
    optional={
        "epochs": st.integers(-1, 60) | odd,
        "batch": st.integers(0, 600) | odd,
        "rate": st.floats() | odd,
        "dataset": st.sampled_from(["digits", "mnist", "../../etc/passwd"]) | odd,
        "state": odd,
        "learner": odd,
    },
)


def examples(test: Any) -> Any:
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=CASES, suppress_health_check=quiet)(test)


@pytest.fixture
def caller(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Caller:
    settings.WAITING_A_LEARNER = settings.WAITING_AN_ADDRESS = 100_000
    monkeypatch.setattr("labs.stream.ring", lambda lane: None)  # nobody listens here
    return Caller()


def assert_within_limits(job: Job) -> None:
    """What was let in is small enough, as torch counts it, not as our own arithmetic does."""
    params = Params.model_validate(job.params)
    assert 1 <= len(params.blocks) <= MOST_BLOCKS and 1 <= params.epochs <= 50
    assert 1 <= params.batch <= 512 and 0 < params.rate <= 1
    with torch.device("meta"):
        net = build(params.blocks, SHAPE, 10)
        held = 0

        def count(_: object, __: object, out: torch.Tensor) -> None:
            nonlocal held
            held += out.numel()

        for layer in net:
            layer.register_forward_hook(count)
        answer = net.eval()(torch.zeros(1, *SHAPE))
    assert answer.shape == (1, 10)
    parameters = sum(p.numel() for p in net.parameters())
    assert parameters <= limits.MOST_PARAMETERS
    assert 4 * (4 * parameters + 2 * params.batch * held) <= 1.1 * limits.MOST_MEMORY


@examples
@given(blocks=networks, more=extras)
def test_no_form_of_a_network_breaks_the_site_or_its_limits(
    caller: Caller, blocks: Any, more: dict[str, Any]
) -> None:
    """CI: 300 cases. The row: 5,000."""
    before = Job.objects.count()
    post = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in more.items()
    }
    if "csrftoken" not in caller.client.cookies:
        caller.get("labs/")
    token = {"X-CSRFToken": caller.client.cookies["csrftoken"].value}
    answer = caller.client.post(
        "/labs/first-cnn/run/", {**post, "blocks": json.dumps(blocks)}, headers=token
    )
    assert answer.status_code in (302, 422), answer.status_code
    if answer.status_code == 302:
        assert_within_limits(Job.objects.latest("pk"))
    else:
        assert Job.objects.count() == before
        assert b'class="error"' in answer.content


@examples
@given(blocks=networks, more=extras)
def test_no_network_by_the_api_breaks_the_site_or_its_limits(
    caller: Caller, blocks: Any, more: dict[str, Any]
) -> None:
    """CI: 300 cases. The row: 5,000."""
    before = Job.objects.count()
    answer = caller.start("first-cnn", blocks=blocks, **more)
    assert answer.status_code in (201, 400, 422), answer.content
    if answer.status_code == 201:
        assert_within_limits(Job.objects.latest("pk"))
    else:
        assert Job.objects.count() == before and answer.json()["error"]["message"]


def test_some_of_these_networks_are_let_in(caller: Caller) -> None:
    """Else the tests above would hold for a site that refuses everything."""
    small = [{"kind": "convolution", "filters": 8, "size": 3, "stride": 2}, {"kind": "flatten"}]
    assert caller.start("first-cnn", blocks=small, epochs=1).status_code == 201
    assert_within_limits(Job.objects.get())
    too_wide = [{"kind": "flatten"}, *[{"kind": "dense", "units": 1_024}] * 6]
    refused = caller.start("first-cnn", blocks=too_wide)
    assert "parameters" in refused.json()["error"]["fields"]["params.blocks"]
