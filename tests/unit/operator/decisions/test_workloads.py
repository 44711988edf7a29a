"""Which of the children runs the replicas."""

from __future__ import annotations

from typing import Any

from qwen3_operator.decisions.workloads import workload_of


def deployment(name: str, **labels: str) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"template": {"metadata": {"labels": labels}}},
    }


def test_somebody_elses_deployment_with_our_label_runs_none_of_our_replicas() -> None:
    ours = deployment("m", **{"serving.qwen3.dev/plan-hash": "h"})
    theirs = deployment("m-theirs", app="m")

    children = {("Deployment", "m"): ours, ("Deployment", "m-theirs"): theirs}

    assert workload_of(children) is ours
    assert workload_of({}) is None
