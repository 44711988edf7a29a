"""Requests are added up as the scheduler adds them up."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_operator.decisions.requests import pod_requests
from qwen3_operator.observed import Resources

GPU = "nvidia.com/gpu"


def container(
    requests: dict[str, str], limits: dict[str, str] | None = None, **more: object
) -> dict[str, Any]:
    return {"resources": {"requests": requests, "limits": limits or {}}, **more}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(
            {"containers": [container({"cpu": "500m", "memory": "1Gi"}, {GPU: "2"})] * 2},
            Resources(((GPU, 4),), 1000, 2 * 2**30, 1),
            id="containers add up and a limit without a request is one",
        ),
        pytest.param(
            {
                "containers": [container({"cpu": "1"})],
                "initContainers": [container({"cpu": "3"}), container({"cpu": "2"})],
            },
            Resources((), 3000, 0, 1),
            id="init containers run alone, the largest counts",
        ),
        pytest.param(
            {
                "containers": [container({"cpu": "1"})],
                "initContainers": [
                    container({"cpu": "1"}, restartPolicy="Always"),
                    container({"cpu": "3"}),
                ],
            },
            Resources((), 4000, 0, 1),
            id="a sidecar runs beside later init containers",
        ),
        pytest.param(
            {
                "containers": [container({"cpu": "1"})],
                "initContainers": [container({"cpu": "2"}, restartPolicy="Always")],
            },
            Resources((), 3000, 0, 1),
            id="a sidecar runs beside the containers",
        ),
        pytest.param(
            {
                "containers": [container({"cpu": "1", "memory": "1Gi"}, {GPU: "1"})],
                "resources": {"requests": {"cpu": "4"}},
            },
            Resources(((GPU, 1),), 4000, 2**30, 1),
            id="requests of the whole pod replace the sum",
        ),
        pytest.param(
            {"containers": [container({"memory": "1Gi"})], "overhead": {"memory": "120Mi"}},
            Resources((), 0, 2**30 + 120 * 2**20, 1),
            id="overhead comes on top",
        ),
        pytest.param({"containers": []}, Resources(pods=1), id="a pod takes a slot"),
    ],
)
def test_requests_are_summed_as_the_scheduler_does(
    spec: dict[str, Any], expected: Resources
) -> None:
    assert pod_requests(spec) == expected
