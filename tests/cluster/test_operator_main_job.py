"""The main job: apply one resource, get GPU-scheduled pods; and what can happen to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.controlplane import Accelerator, CommandError, NodeSpec, annotated_pods
from support.models import SECONDS, SMALL, Models
from support.wait import until

if TYPE_CHECKING:
    from support.controlplane import ControlPlane

pytestmark = pytest.mark.cluster

EXAMPLES = Path(__file__).parents[2] / "examples"
ON_L40S = f"{SMALL}accelerators: [L40S-48GB]\n"


def test_the_example_runs_on_a_node_with_the_planned_gpus(models: Models) -> None:
    room = models.room
    room.kubectl("apply", f"--filename={EXAMPLES / 'qwen3-32b.yaml'}")
    room.kubectl("wait", "--for=condition=Ready", "q3d/qwen3-32b", f"--timeout={SECONDS:.0f}s")
    planned = models.status("qwen3-32b")["plan"]
    (pod,) = models.pods("qwen3-32b")
    assert pod["status"]["phase"] == "Running"
    limits = pod["spec"]["containers"][0]["resources"]["limits"]
    assert int(limits["nvidia.com/gpu"]) == planned["layout"]["gpusPerReplica"]
    assert planned["layout"]["nodesPerReplica"] == 1
    node = room.cluster.kubectl_json("get", "node", pod["spec"]["nodeName"])
    product = node["metadata"]["labels"]["nvidia.com/gpu.product"]
    names = {
        "H100-SXM-80GB": "NVIDIA-H100-80GB-HBM3",
        "A100-SXM-80GB": "NVIDIA-A100-SXM4-80GB",
        "RTX-4090-24GB": "NVIDIA-GeForce-RTX-4090",
        "L40S-48GB": "NVIDIA-L40S",
    }
    assert product == names[planned["placement"]["accelerator"]]


def test_the_table_tells_model_layout_and_readiness(models: Models) -> None:
    models.apply("table", f"{ON_L40S}parallelism: {{tensor: 1}}\n")
    models.await_ready("table")
    header, row = models.room.kubectl("get", "q3d", "table").splitlines()
    assert header.split() == [
        "NAME",
        "MODEL",
        "ENGINE",
        "QUANT",
        "LAYOUT",
        "READY",
        "REASON",
        "REPLICAS",
        "AGE",
    ]
    assert row.split()[:6] == ["table", "Qwen3-0.6B", "vllm", "bf16", "tp1", "True"]
    wide = models.room.kubectl("get", "q3d", "table", "-o", "wide")
    assert f"http://table.{models.room.namespace}.svc:8000/v1" in wide


def test_the_service_leads_to_the_pods(models: Models) -> None:
    models.apply("served", ON_L40S)
    models.await_ready("served")
    (pod,) = models.pods("served")
    until(
        lambda: models.room.ready_addresses() == [pod["status"]["podIP"]],
        SECONDS,
        "the Service should lead to the pod",
    )


def test_kubectl_scale_adds_and_removes_replicas(models: Models) -> None:
    models.apply("scaled", f"{SMALL}accelerators: [A100-SXM-80GB]\n")
    models.await_ready("scaled")
    for replicas in (3, 1):
        models.room.kubectl("scale", "q3d/scaled", f"--replicas={replicas}")
        models.await_ready("scaled")
        until(
            lambda wanted=replicas: (
                len(models.pods("scaled")) == wanted
                and models.status("scaled")["readyReplicas"] == wanted
            ),
            SECONDS,
            lambda: f"pods {len(models.pods('scaled'))}, status {models.status('scaled')}",
        )


def test_scaling_moves_no_running_pod(models: Models) -> None:
    models.apply("steady", f"{SMALL}accelerators: [A100-SXM-80GB]\n")
    models.await_ready("steady")
    (before,) = models.pods("steady")
    models.room.kubectl("scale", "q3d/steady", "--replicas=2")
    until(lambda: len(models.pods("steady")) == 2, SECONDS, "a second pod should come")
    models.await_ready("steady")
    assert before["metadata"]["uid"] in {pod["metadata"]["uid"] for pod in models.pods("steady")}


def test_a_model_that_cannot_fit_says_what_is_missing_and_what_would_help(models: Models) -> None:
    models.room.kubectl("apply", f"--filename={EXAMPLES / 'qwen3-235b-bf16-a100.yaml'}")
    name = "qwen3-235b-bf16-a100"
    condition = models.await_condition(name, "PlanFeasible", "False")
    assert condition["reason"] == "InsufficientGPUMemory"
    assert "GiB" in condition["message"]
    plan = models.status(name)["plan"]
    assert plan["feasible"] is False
    assert plan["nearest"]["change"]
    assert plan["refusals"]
    assert models.condition(name, "Ready")["status"] == "False"
    assert models.children(name) == {}
    assert models.pods(name) == []
    until(
        lambda: ("Warning", "InsufficientGPUMemory") in models.events(name),
        SECONDS,
        lambda: f"events {models.events(name)}",
    )


def test_what_fits_over_two_nodes_alone_runs_there(models: Models) -> None:
    spec = "quantization: bf16\nmaxModelLen: 4096\naccelerators: [RTX-4090-24GB]\n"
    models.apply("two-nodes", spec, variant="Qwen3-32B")
    models.await_ready("two-nodes")
    assert models.status("two-nodes")["plan"]["layout"]["nodesPerReplica"] == 2
    assert models.nodes("two-nodes") == ["rtx4090-0", "rtx4090-1"]


def test_an_unknown_accelerator_is_a_condition_and_mended_by_an_edit(models: Models) -> None:
    models.apply("typo", f"{SMALL}accelerators: [L40S-84GB]\n")
    condition = models.await_condition("typo", "SpecValid", "False", "InvalidSpec")
    assert "L40S-84GB" in condition["message"]
    assert "L40S-48GB" in condition["message"]
    assert models.pods("typo") == []
    models.apply("typo", ON_L40S)
    models.await_ready("typo")


def test_an_illegal_layout_is_refused_at_once(models: Models) -> None:
    with pytest.raises(CommandError, match="64 attention heads"):
        models.apply("odd", "parallelism: {tensor: 3}\n", variant="Qwen3-32B")


def test_a_change_rolls_out_within_the_gpus_that_are_held(models: Models) -> None:
    """Both replicas hold all GPUs of the pool: a surge would wait for ever."""
    spec = (
        "quantization: bf16\naccelerators: [A100-SXM-80GB]\nparallelism: {tensor: 2}\nreplicas: 2\n"
    )
    models.apply("rolling", f"{spec}maxModelLen: 8192\n")
    models.await_ready("rolling")
    old = {pod["metadata"]["uid"] for pod in models.pods("rolling")}
    first_hash = models.status("rolling")["planHash"]
    models.apply("rolling", f"{spec}maxModelLen: 4096\n")
    until(
        lambda: (
            models.status("rolling")["planHash"] != first_hash
            and models.status("rolling")["updatedReplicas"] == 2
            and models.condition("rolling", "Ready")["status"] == "True"
        ),
        SECONDS,
        lambda: f"the change should roll out: {models.status('rolling')}",
    )
    assert not old & {pod["metadata"]["uid"] for pod in models.pods("rolling")}
    arguments = models.pods("rolling")[0]["spec"]["containers"][0]
    assert "4096" in json.dumps(arguments)


def test_suspending_removes_the_pods_and_keeps_the_plan(models: Models) -> None:
    models.apply("paused", ON_L40S)
    models.await_ready("paused")
    models.apply("paused", f"{ON_L40S}suspend: true\n")
    models.await_condition("paused", "Ready", "True", "Suspended")
    models.await_gone("paused")
    assert models.status("paused")["plan"]["feasible"] is True
    models.apply("paused", ON_L40S)
    models.await_ready("paused")


def test_a_paused_resource_is_left_as_it_is_until_it_goes_on(models: Models) -> None:
    models.apply("halted", ON_L40S)
    models.await_ready("halted")
    models.room.kubectl("annotate", "q3d", "halted", "serving.qwen3.dev/paused=true")
    models.await_condition("halted", "Progressing", "Unknown", "Paused")
    assert models.condition("halted", "Ready")["status"] == "True"
    models.room.kubectl("scale", "deployment", "halted", "--replicas=0")
    models.apply("halted", f"{ON_L40S}suspend: true\n")
    models.await_condition("halted", "Ready", "False", "Paused")
    assert models.room.get("deployment", "halted")["spec"]["replicas"] == 0
    models.apply("halted", ON_L40S)
    models.room.kubectl("annotate", "q3d", "halted", "serving.qwen3.dev/paused-")
    models.await_ready("halted")


def test_a_failing_pod_is_told_by_the_resource(models: Models) -> None:
    behaviour = {
        "test.qwen3.dev/fail": "ImagePullBackOff",
        "test.qwen3.dev/fail-message": "no such tag",
    }
    with annotated_pods(models.room.cluster, models.room.namespace, behaviour):
        models.apply("failing", ON_L40S)
        condition = models.await_condition("failing", "Ready", "False", "ImagePullError")
    assert "no such tag" in condition["message"]


def test_a_running_model_stays_when_better_hardware_comes(
    models: Models, control_plane: ControlPlane
) -> None:
    models.apply("settled", f"{SMALL}maxModelLen: 4096\n".replace("maxModelLen: 8192\n", ""))
    models.await_ready("settled")
    before, pods = models.children("settled"), models.pods("settled")
    b200 = Accelerator("NVIDIA-B200", 183_359, (10, 0), "blackwell", mig_capable=True)
    control_plane.add_nodes(NodeSpec("b200-0", b200, gpus=8))
    try:
        models.room.kubectl("annotate", "q3d", "settled", "example.com/look=again")
        models.apply("newcomer", f"{SMALL}accelerators: [B200-SXM-180GB]\n")
        models.await_ready("newcomer")  # by then the operator has seen the node
        assert models.children("settled") == before
        uids = {pod["metadata"]["uid"] for pod in pods}
        assert {pod["metadata"]["uid"] for pod in models.pods("settled")} == uids
        models.delete("newcomer")
        models.await_gone("newcomer")
    finally:
        control_plane.remove_nodes("b200-0")
