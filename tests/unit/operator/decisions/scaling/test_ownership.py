"""Whose the number of replicas is, by what the API server says of the field."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_operator.decisions.scaling.ownership import delegated_to, scale_managers


def entry(manager: str, subresource: str = "scale", field: str = "f:replicas") -> dict[str, Any]:
    found: dict[str, Any] = {
        "manager": manager,
        "operation": "Update",
        "fieldsV1": {"f:spec": {field: {}}},
    }
    return {**found, "subresource": subresource} if subresource else found


def test_only_who_writes_replicas_through_the_scale_subresource_counts() -> None:
    entries = [
        entry("qwen3-operator"),
        entry("kubectl-client-side-apply", subresource=""),  # owns what was defaulted as well
        entry("qwen3-operator", subresource="status"),
        entry("kubectl", field="f:suspend"),
        {"manager": "kubelet", "subresource": "scale"},
        entry("keda"),
    ]
    assert scale_managers(entries) == ("keda", "qwen3-operator")


@pytest.mark.parametrize(
    ("managers", "autoscaler", "owner"),
    [
        pytest.param((), None, None, id="nobody"),
        pytest.param(("qwen3-operator",), None, None, id="we"),
        pytest.param(("kubectl",), None, None, id="a person"),
        pytest.param(("kubectl-scale",), None, None, id="a person with another kubectl"),
        pytest.param((), "web", "HorizontalPodAutoscaler web", id="an HPA that wrote nothing yet"),
        pytest.param(
            ("kube-controller-manager",), "web", "HorizontalPodAutoscaler web", id="an HPA"
        ),
        pytest.param(("kube-controller-manager",), None, None, id="an HPA that is gone"),
        pytest.param(("keda",), None, "field manager keda", id="KEDA, while it pauses"),
        pytest.param(("keda-operator",), None, "field manager keda-operator", id="KEDA's operator"),
        pytest.param(
            ("keda",), "keda-hpa-q", "HorizontalPodAutoscaler keda-hpa-q", id="KEDA and its HPA"
        ),
        pytest.param(("our-scaler",), None, "field manager our-scaler", id="another one"),
    ],
)
def test_another_autoscaler_is_known(
    managers: tuple[str, ...], autoscaler: str | None, owner: str | None
) -> None:
    assert delegated_to(managers, "qwen3-operator", autoscaler) == owner
