"""Rollouts on a cluster that is full, and on one that is not; and those that do not get there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane import annotated_pods
from support.followed import followed
from support.models import SECONDS
from support.wait import until

if TYPE_CHECKING:
    from pathlib import Path

    from support.controlplane import ControlPlane, NodeSpec
    from support.models import Models

pytestmark = pytest.mark.cluster

BROKEN = "example.invalid/broken:v1"


def spec(*, tensor: int, replicas: int, **more: str) -> str:
    """Say a model on the lone node of 8 GPUs; `more` are fields of spec as YAML."""
    fields = {
        "quantization": "bf16",
        "maxModelLen": "8192",
        "nodeSelector": "{test.qwen3.dev/pool: lone}",
        "parallelism": f"{{tensor: {tensor}}}",
        "replicas": str(replicas),
        **more,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def template(models: Models, name: str) -> dict[str, Any]:
    """Return what the pods are made from."""
    deployment = models.room.get("deployment", name)
    return dict(deployment["spec"]["template"])


def test_a_full_cluster_rolls_forward_and_back_with_one_replica_fewer_at_most(
    lone_node: NodeSpec, models: Models, control_plane: ControlPlane, tmp_path: Path
) -> None:
    assert lone_node.gpus == 8
    budget = {"rollout": "{progressDeadlineSeconds: 10}"}
    models.apply("full", spec(tensor=4, replicas=2, **budget))
    models.await_ready("full")
    with followed(models.room, "full", tmp_path) as watched:
        models.apply("full", spec(tensor=4, replicas=2, thinking="{default: false}", **budget))
        models.await_ready("full")
    worked = template(models, "full")
    assert min(watched.ready) == 1
    pdb = models.room.get("poddisruptionbudget", "full")
    assert pdb["spec"]["maxUnavailable"] == 1
    until(
        lambda: models.room.get("pdb", "full")["status"].get("disruptionsAllowed") == 1,
        SECONDS,
        "one replica may be drained",
    )

    failing = {"test.qwen3.dev/fail": "ImagePullBackOff"}
    broken = f"{{image: '{BROKEN}', version: 0.32.0}}"
    with (
        annotated_pods(control_plane, models.room.namespace, failing, image=BROKEN),
        followed(models.room, "full", tmp_path) as watched,
    ):
        models.apply("full", spec(tensor=4, replicas=2, engine=broken, **budget))
        condition = models.await_condition("full", "Progressing", "False", "RolledBack")
        assert "ImagePullError" in condition["message"]
        until(
            lambda: (
                template(models, "full") == worked
                and models.room.get("deployment", "full")["status"].get("readyReplicas") == 2
            ),
            SECONDS,
            lambda: f"what worked should run again: {models.status('full')}",
        )
        assert min(watched.ready) >= 1
        assert models.condition("full", "Ready")["reason"] == "RolledBack"
        assert models.condition("full", "Available")["status"] == "True"
        failed = models.status("full")["rollout"]["failed"]
        models.apply("full", spec(tensor=4, replicas=1, engine=broken, **budget))
        until(
            lambda: models.status("full").get("available") == "1/1", SECONDS, "scaled while undone"
        )
        assert models.status("full")["rollout"]["failed"]["planHash"] == failed["planHash"]
        assert template(models, "full") == worked

    mended = "{image: 'example.invalid/mended:v1', version: 0.32.0}"
    models.apply("full", spec(tensor=4, replicas=2, engine=mended, **budget))
    models.await_ready("full")
    assert "failed" not in models.status("full")["rollout"]
    assert template(models, "full")["spec"]["containers"][0]["image"] == (
        "example.invalid/mended:v1"
    )
    assert ("Warning", "RolledBack") in models.events("full")


def test_with_a_spare_replicas_gpus_nobody_is_turned_away(
    lone_node: NodeSpec, models: Models, tmp_path: Path
) -> None:
    assert lone_node.gpus == 8
    models.apply("roomy", spec(tensor=4, replicas=1))
    models.await_ready("roomy")
    with followed(models.room, "roomy", tmp_path) as watched:
        models.apply("roomy", spec(tensor=4, replicas=1, thinking="{default: false}"))
        models.await_ready("roomy")
    assert min(watched.ready) == 1
    until(
        lambda: (
            models.room.get("deployment", "roomy")["spec"]["strategy"]["rollingUpdate"]
            == {"maxSurge": 0, "maxUnavailable": 1}
        ),
        SECONDS,
        "an old one goes first again",
    )


def test_a_replica_over_two_nodes_goes_back_as_a_whole(
    models: Models, control_plane: ControlPlane
) -> None:
    over_two = (
        "quantization: fp8\nparallelism: {tensor: 8, pipeline: 2}\n"
        "accelerators: [H100-SXM-80GB]\nrollout: {progressDeadlineSeconds: 25}\n"
    )
    # long enough that pods of both nodes have failed by then, on a busy machine too
    failing = {"test.qwen3.dev/fail": "CrashLoopBackOff"}
    models.apply("large", over_two, variant="Qwen3-235B-A22B")
    models.await_ready("large")
    worked = models.room.get("statefulset", "large")["spec"]["template"]
    with annotated_pods(control_plane, models.room.namespace, failing, image=BROKEN):
        broken = f"engine: {{image: '{BROKEN}', version: 0.32.0}}\n"
        models.apply("large", f"{over_two}{broken}", variant="Qwen3-235B-A22B")
        models.await_condition("large", "Progressing", "False", "RolledBack")
        until(
            lambda: models.status("large").get("available") == "1/1",
            SECONDS,
            lambda: f"what worked should run again: {models.status('large')}",
        )
    assert models.room.get("statefulset", "large")["spec"]["template"] == worked
    assert models.status("large")["rollout"]["failed"]["reason"] == "ContainerCrashLoopBackOff"
    of = "serving.qwen3.dev/plan-hash"
    hashes = {pod["metadata"]["labels"][of] for pod in models.pods("large")}
    assert hashes == {models.status("large")["planHash"]}
