"""GPUs that are not free: who waits, who comes next, and what the waiting are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane import Accelerator, NodeSpec
from support.models import OWNER, SECONDS, SMALL, Models
from support.room import make_pod
from support.wait import until

if TYPE_CHECKING:
    from support.controlplane import ControlPlane

pytestmark = pytest.mark.cluster

ONE_L40S = f"{SMALL}accelerators: [L40S-48GB]\n"
"""The cluster has exactly one of these GPUs."""


def await_waiting(models: Models, name: str) -> dict[str, str]:
    condition = models.await_condition(name, "Scheduled", "False", "InsufficientGPU")
    assert models.condition(name, "PlanFeasible")["status"] == "True"
    assert models.children(name) == {}
    return condition


def test_who_waits_has_a_plan_no_children_and_is_told_who_holds_the_gpus(models: Models) -> None:
    models.apply("holder", ONE_L40S)
    models.await_ready("holder")
    models.apply("waiter", ONE_L40S)
    message = await_waiting(models, "waiter")["message"]
    assert "holder" in message
    assert "0 of 1 free" in message
    assert "Position 1 of 1" in message
    assert models.status("waiter")["plan"]["feasible"] is True
    models.delete("holder")
    models.await_ready("waiter")
    assert models.nodes("waiter") == ["l40s-0"]


def test_freed_gpus_go_by_priority_and_then_by_age(
    models: Models, control_plane: ControlPlane
) -> None:
    priority_class = f"urgent-{models.room.namespace}"
    control_plane.kubectl("create", "priorityclass", priority_class, "--value=1000")
    try:
        models.apply("holder", ONE_L40S)
        models.await_ready("holder")
        order = ["older", "younger", "urgent"]
        for name in order:
            spec = ONE_L40S
            if name == "urgent":
                spec += f"priorityClassName: {priority_class}\n"
            models.apply(name, spec)
            await_waiting(models, name)
        served = []
        running = "holder"
        for _ in order:
            models.delete(running)
            running = until(
                lambda: next(
                    (n for n in models.room.names("deployments") if n in order and n not in served),
                    "",
                ),
                SECONDS,
                "somebody should come next",
            )
            models.await_ready(running)
            served.append(running)
        assert served == ["urgent", "older", "younger"]
    finally:
        control_plane.kubectl("delete", "priorityclass", priority_class)


def test_a_pod_of_somebody_else_counts(models: Models) -> None:
    room = models.room
    room.apply(make_pod("squatter", gpus=1, nodeName="l40s-0"))
    room.await_ready("squatter")
    models.apply("waiter", ONE_L40S)
    await_waiting(models, "waiter")
    room.kubectl("delete", "pod", "squatter")
    models.await_ready("waiter")


def test_scaling_up_admits_what_is_free_and_the_rest_waits(models: Models) -> None:
    pool = f"{SMALL}accelerators: [A100-SXM-80GB]\n"
    models.apply("holder", f"{pool}parallelism: {{tensor: 2}}\n")
    models.await_ready("holder")
    models.apply("grower", f"{pool}parallelism: {{tensor: 1}}\n")
    models.await_ready("grower")
    models.room.kubectl("scale", "q3d/grower", "--replicas=3")
    message = models.await_condition("grower", "Scheduled", "False", "InsufficientGPU")["message"]
    assert "1 of 3 replicas" in message
    until(lambda: models.nodes("grower") == ["a100-0"] * 2, SECONDS, "two replicas should run")
    assert models.room.get("deployment", "grower")["spec"]["replicas"] == 2
    assert models.condition("grower", "Available")["status"] == "True"
    models.delete("holder")
    models.await_ready("grower")
    assert models.nodes("grower") == ["a100-0"] * 3


def test_a_smaller_model_runs_behind_a_big_one_that_does_not_fit(models: Models) -> None:
    pool = f"{SMALL}accelerators: [A100-SXM-80GB]\n"
    models.apply("holder", f"{pool}parallelism: {{tensor: 2}}\n")
    models.await_ready("holder")
    models.apply("big", f"{pool}parallelism: {{tensor: 4}}\n")
    await_waiting(models, "big")
    models.apply("small", f"{pool}parallelism: {{tensor: 1}}\n")
    models.await_ready("small")
    await_waiting(models, "big")


def test_a_cordoned_node_has_nothing_free(models: Models, control_plane: ControlPlane) -> None:
    control_plane.kubectl("cordon", "l40s-0")
    try:
        models.apply("waiter", ONE_L40S)
        message = await_waiting(models, "waiter")["message"]
        assert "cordoned" in message
    finally:
        control_plane.kubectl("uncordon", "l40s-0")
    models.await_ready("waiter")


def test_the_namespaces_quota_counts(models: Models) -> None:
    models.room.kubectl("create", "quota", "gpus", "--hard=requests.nvidia.com/gpu=1")
    pool = f"{SMALL}accelerators: [A100-SXM-80GB]\n"
    models.apply("within", pool)
    models.await_ready("within")
    models.apply("beyond", pool)
    message = models.await_condition("beyond", "Scheduled", "False", "QuotaExceeded")["message"]
    assert "gpus" in message
    assert models.children("beyond") == {}
    models.room.kubectl(
        "patch", "quota", "gpus", '--patch={"spec":{"hard":{"requests.nvidia.com/gpu":"2"}}}'
    )
    models.await_ready("beyond")


def test_a_node_that_comes_makes_a_plan_feasible(
    models: Models, control_plane: ControlPlane
) -> None:
    models.apply("early", f"{SMALL}accelerators: [H200-SXM-141GB]\n")
    models.await_condition("early", "PlanFeasible", "False")
    h200 = Accelerator("NVIDIA-H200", 143_771, (9, 0), "hopper", mig_capable=True)
    control_plane.add_nodes(NodeSpec("h200-0", h200, gpus=1))
    try:
        models.await_ready("early")
        assert models.nodes("early") == ["h200-0"]
        models.delete("early")
        models.await_gone("early")
    finally:
        control_plane.remove_nodes("h200-0")


SIZES = {"a": 8, "b": 4, "c": 4, "d": 8, "e": 2, "f": 2, "g": 4, "h": 8, "i": 2, "j": 4}
"""Ten models and the GPUs of each: 46 for the 16 of two nodes."""


def held_by(pods: list[dict[str, Any]], *nodes: str) -> dict[str, int]:
    """Return the GPUs that pods hold, by node; none is held or promised twice."""
    held = dict.fromkeys(nodes, 0)
    waiting = 0
    for pod in pods:
        gpus = int(pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"])
        if "nodeName" in pod["spec"]:
            held[pod["spec"]["nodeName"]] += gpus
        else:
            waiting += gpus
    assert max(held.values()) <= 8, held
    assert sum(held.values()) + waiting <= 8 * len(nodes), (held, waiting)
    return held


def told(models: Models, kind: str) -> dict[str, dict[str, str]]:
    """Return each resource's condition of a kind, as they all were at one time."""
    return {
        item["metadata"]["name"]: condition
        for item in models.room.get("q3d")["items"]
        for condition in item.get("status", {}).get("conditions", [])
        if condition["type"] == kind
    }


def test_ten_compete_for_sixteen_gpus_and_none_is_promised_twice(models: Models) -> None:
    pool = f"{SMALL}accelerators: [H100-SXM-80GB]\n"
    for name, tensor in SIZES.items():
        models.apply(name, f"{pool}parallelism: {{tensor: {tensor}}}\n", variant="Qwen3-32B")
    left = set(SIZES)

    def settled() -> set[str]:
        """Return who runs, once nobody waits who would fit and no pod is on its way out."""
        reasons = {name: one["reason"] for name, one in told(models, "Ready").items()}
        pods = models.room.get("pods")["items"]  # after what was told: what they hold is held still
        held = held_by(pods, "h100-0", "h100-1")
        running = {name for name in left if reasons.get(name) == "Ready"}
        waiting = {name for name in left if reasons.get(name) == "InsufficientGPU"}
        owners = {pod["metadata"]["labels"][OWNER] for pod in pods}
        room = 8 - min(held.values())
        is_over = running | waiting == left and all(SIZES[name] > room for name in waiting)
        return running if is_over and owners == running else set()

    def explained() -> bool:
        """Say whether all who wait are told why; the numbers are up to ten seconds old."""
        scheduled = told(models, "Scheduled")
        return all(
            words in scheduled[name]["message"]
            for name in left - winners
            for words in (
                f"waits for {SIZES[name]} x H100-SXM-80GB (nvidia.com/gpu)",
                "more must be free",
                "Held by ",
                " in the queue.",
            )
        )

    while left:
        winners = until(settled, SECONDS, lambda: models.room.kubectl("get", "q3d"), interval=0.3)
        until(explained, SECONDS, lambda: str(told(models, "Scheduled")))
        for name in left - winners:
            assert models.children(name) == {}
        models.room.kubectl("delete", "q3d", *winners, "--wait=false")
        left -= winners
