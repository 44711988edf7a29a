"""Which hardware a model goes to: pools by objective, spill-over, slices, other vendors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane import GPU_TAINT, H100_SXM_80GB, NodeSpec, Taint
from support.models import SMALL
from support.wait import until

if TYPE_CHECKING:
    from support.controlplane import ControlPlane
    from support.models import Models

pytestmark = pytest.mark.cluster

PRICE = "serving.qwen3.dev/usd-per-hour"
"""Label of nodes."""

ONE_L40S = f"{SMALL}accelerators: [L40S-48GB]\n"
"""The cluster has exactly one of these GPUs."""

SECONDS = 30.0


def planned(models: Models, name: str) -> dict[str, Any]:
    plan: dict[str, Any] = models.status(name)["plan"]
    return plan


def event(models: Models, name: str, reason: str) -> str:
    """Wait for an Event about a resource and return its note."""

    def found() -> str:
        events = models.room.get("events.events.k8s.io")["items"]
        notes = [
            one["note"]
            for one in events
            if one["regarding"]["name"] == name and one["reason"] == reason
        ]
        return notes[0] if notes else ""

    return until(found, SECONDS, f"{name} should have an Event {reason}")


def limits(pod: dict[str, Any]) -> dict[str, str]:
    amounts: dict[str, str] = pod["spec"]["containers"][0]["resources"]["limits"]
    return amounts


def test_in_a_mixed_fleet_the_objective_chooses_the_pool(models: Models) -> None:
    fleet = "quantization: bf16\nmaxModelLen: 8192\nworkload: {inputTokens: 1024, outputTokens: 64}"
    models.apply("cheap", f"{fleet}\nobjective: cost\n", variant="Qwen3-4B")
    models.apply("fast", f"{fleet}\nobjective: latency\n", variant="Qwen3-4B")

    models.await_ready("cheap")
    models.await_ready("fast")

    assert planned(models, "cheap")["placement"]["accelerator"] == "RTX-4090-24GB"
    assert planned(models, "fast")["placement"]["accelerator"] == "H100-SXM-80GB"
    assert {name.rpartition("-")[0] for name in models.nodes("cheap")} == {"rtx4090"}
    assert {name.rpartition("-")[0] for name in models.nodes("fast")} == {"h100"}


def test_prices_that_nodes_state_decide_what_is_cheap(
    control_plane: ControlPlane, models: Models
) -> None:
    two_pools = f"{SMALL}accelerators: [A100-SXM-80GB, H100-SXM-80GB]\n"
    prices = {"a100-0": "13.72", "h100-0": "55.04", "h100-1": "55.04"}
    models.apply("by-memory", two_pools)
    models.await_ready("by-memory")
    assert planned(models, "by-memory")["placement"]["accelerator"] == "H100-SXM-80GB"
    for node, price in prices.items():
        control_plane.kubectl("label", "node", node, f"{PRICE}={price}")
    try:
        models.apply("by-money", two_pools)
        models.await_ready("by-money")
        assert planned(models, "by-money")["placement"]["accelerator"] == "A100-SXM-80GB"
        assert planned(models, "by-money")["cost"]["usdPerHour"] == 3.43
        assert planned(models, "by-memory")["placement"]["accelerator"] == "H100-SXM-80GB"
    finally:
        for node in prices:
            control_plane.kubectl("label", "node", node, f"{PRICE}-")


def test_a_full_pool_spills_over_where_that_is_allowed_and_stays_there(models: Models) -> None:
    two_pools = f"{SMALL}accelerators: [L40S-48GB, A100-SXM-80GB]\n"
    models.apply("holder", two_pools)
    models.await_ready("holder")
    assert models.nodes("holder") == ["l40s-0"]
    models.apply("patient", two_pools)
    models.await_condition("patient", "Scheduled", "False", "InsufficientGPU")
    models.apply("flexible", f"{two_pools}fallback: {{order: [pool]}}\n")

    models.await_ready("flexible")

    assert models.nodes("flexible") == ["a100-0"]
    said = "spec.accelerators: A100-SXM-80GB instead of L40S-48GB"
    assert models.status("flexible")["lowered"] == [said]
    condition = models.condition("flexible", "PlanFeasible")
    assert (condition["status"], condition["reason"]) == ("True", "PlanLowered")
    assert said in condition["message"]
    assert said in event(models, "flexible", "PlanLowered")
    hash_before = models.status("flexible")["planHash"]
    models.delete("holder")
    models.await_ready("patient")  # it was next in the queue of that pool
    assert models.nodes("flexible") == ["a100-0"]
    assert models.status("flexible")["planHash"] == hash_before
    assert models.status("flexible")["lowered"] == [said]


def test_weights_and_context_give_way_in_the_order_that_is_asked(models: Models) -> None:
    asked = "accelerators: [L40S-48GB]\nquantization: bf16\nmaxModelLen: 32768\n"
    models.apply("strict", asked, variant="Qwen3-32B")
    models.apply(
        "flexible",
        f"{asked}fallback: {{order: [context, quantization], minModelLen: 8192}}\n",
        variant="Qwen3-32B",
    )

    models.await_condition("strict", "PlanFeasible", "False", "InsufficientGPUMemory")
    models.await_ready("flexible")

    plan = planned(models, "flexible")
    assert (plan["quantization"], plan["maxModelLen"]) == ("fp8", 16384)
    assert models.status("flexible")["lowered"] == [
        "spec.quantization: fp8 instead of bf16",
        "spec.maxModelLen: 16384 instead of 32768",
    ]
    note = event(models, "flexible", "PlanLowered")
    assert "GiB missing per GPU" in note
    command = models.pods("flexible")[0]["spec"]["containers"][0]["args"]
    assert "16384" in command


def test_what_waits_takes_the_first_rung_that_gets_room(models: Models) -> None:
    models.room.kubectl("create", "quota", "gpus", "--hard=requests.nvidia.com/gpu=1")
    models.apply("holder", ONE_L40S)
    models.await_ready("holder")
    models.apply(
        "waiter",
        f"{SMALL}accelerators: [L40S-48GB, A100-SXM-80GB]\nfallback: {{order: [pool]}}\n",
    )
    waiting = models.await_condition("waiter", "Scheduled", "False")
    assert waiting["reason"] in ("InsufficientGPU", "QuotaExceeded")
    assert models.children("waiter") == {}

    models.room.kubectl(
        "patch", "quota", "gpus", '--patch={"spec":{"hard":{"requests.nvidia.com/gpu":"2"}}}'
    )

    models.await_ready("waiter")
    assert models.nodes("waiter") == ["a100-0"]


MIG = NodeSpec(
    "mig-0",
    H100_SXM_80GB,
    gpus=1,
    taints=(GPU_TAINT,),
    labels={
        "nvidia.com/mig.strategy": "mixed",
        "nvidia.com/mig-1g.10gb.count": "7",
        "nvidia.com/mig-1g.10gb.memory": "9984",
    },
    extended={"nvidia.com/mig-1g.10gb": 7},
)

AMD = NodeSpec(
    "amd-0",
    labels={
        "amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM",
        "amd.com/gpu.vram": "192G",
    },
    taints=(Taint("amd.com/gpu", "present"),),
    extended={"amd.com/gpu": 8},
)


def test_slices_and_other_vendors_gpus_are_asked_for_by_their_own_names(
    control_plane: ControlPlane, models: Models
) -> None:
    control_plane.add_nodes(MIG, AMD)
    try:
        sliced = "H100-SXM-80GB-MIG-1g.10gb"
        models.apply("sliced", f"{SMALL}replicas: 2\naccelerators: [{sliced}]\n")
        models.apply("on-amd", f"{SMALL}accelerators: [MI300X-192GB]\n")
        models.await_ready("sliced")
        models.await_ready("on-amd")
        assert models.nodes("sliced") == ["mig-0", "mig-0"]
        assert models.nodes("on-amd") == ["amd-0"]
        assert planned(models, "sliced")["placement"]["accelerator"] == sliced
        pod, amd = models.pods("sliced")[0], models.pods("on-amd")[0]
        assert limits(pod)["nvidia.com/mig-1g.10gb"] == "1"
        assert "nvidia.com/gpu" not in limits(pod)
        assert limits(amd)["amd.com/gpu"] == "1"
        assert "rocm" in amd["spec"]["containers"][0]["image"]
        models.delete_all()
    finally:
        control_plane.remove_nodes("mig-0", "amd-0")
