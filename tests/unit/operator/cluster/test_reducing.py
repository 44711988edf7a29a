"""Raw objects become values: what a node offers, and what is wrong with a pod."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_operator.cluster import reducing
from qwen3_operator.observed import Key, Resources, Taint

GPU = "nvidia.com/gpu"


def raw_pod(status: dict[str, Any], **metadata: object) -> dict[str, Any]:
    return {
        "metadata": {
            "uid": "u1",
            "namespace": "ns",
            "name": "p",
            "labels": {
                "serving.qwen3.dev/deployment": "qwen3",
                "serving.qwen3.dev/plan-hash": "abc",
            },
            **metadata,
        },
        "spec": {
            "nodeName": "node-0",
            "priority": 7,
            "containers": [{"resources": {"limits": {GPU: "2"}}}],
        },
        "status": status,
    }


def test_a_running_pod_is_reduced_to_what_matters() -> None:
    status = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"restartCount": 2, "state": {"running": {}}}],
    }
    pod = reducing.pod(raw_pod(status))
    assert pod.owner == Key("ns", "qwen3")
    assert (pod.node, pod.priority, pod.ready, pod.plan_hash) == ("node-0", 7, True, "abc")
    assert (pod.restarts, pod.terminating, pod.problem) == (2, False, "")
    assert pod.requests.gpus == ((GPU, 2),)


def test_a_pod_being_deleted_still_holds_its_gpus() -> None:
    pod = reducing.pod(raw_pod({"phase": "Running"}, deletionTimestamp="2026-01-01T00:00:00Z"))
    assert pod.terminating
    assert pod.node == "node-0"
    assert pod.requests.gpus == ((GPU, 2),)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_finished_pod_holds_nothing(phase: str) -> None:
    pod = reducing.pod(raw_pod({"phase": phase}))
    assert pod.node is None
    assert pod.requests == Resources()
    assert reducing.foreign_pod(raw_pod({"phase": phase})) is None


@pytest.mark.parametrize(
    ("status", "problem", "message"),
    [
        pytest.param(
            {"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]},
            "",
            "",
            id="creating is no problem",
        ),
        pytest.param(
            {
                "containerStatuses": [
                    {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}}
                ]
            },
            "ImagePullBackOff",
            "not found",
            id="an image that cannot be pulled",
        ),
        pytest.param(
            {
                "containerStatuses": [
                    {
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
                    }
                ]
            },
            "OOMKilled",
            "",
            id="the cause of a crash loop, where it is known",
        ),
        pytest.param(
            {
                "containerStatuses": [
                    {
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": {
                            "terminated": {"reason": "Error", "exitCode": 1, "message": "no CUDA"}
                        },
                    }
                ]
            },
            "CrashLoopBackOff",
            "exit code 1: no CUDA",
            id="a crash loop with its last words",
        ),
        pytest.param(
            {
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/7 nodes are available",
                    }
                ]
            },
            "Unschedulable",
            "0/7 nodes are available",
            id="the scheduler's sentence",
        ),
        pytest.param(
            {"phase": "Failed", "reason": "Evicted", "message": "low on memory"},
            "Evicted",
            "low on memory",
            id="an eviction",
        ),
        pytest.param(
            {
                "containerStatuses": [
                    {"state": {"terminated": {"reason": "Completed", "exitCode": 0}}}
                ]
            },
            "",
            "",
            id="a clean end is no problem",
        ),
    ],
)
def test_the_most_telling_problem_is_named(
    status: dict[str, Any], problem: str, message: str
) -> None:
    pod = reducing.pod(raw_pod(status))
    assert (pod.problem, pod.problem_message) == (problem, message)


def raw_node(**spec: object) -> dict[str, Any]:
    return {
        "metadata": {"name": "n", "labels": {"zone": "a", "nvidia.com/gfd.timestamp": "123"}},
        "spec": spec,
        "status": {
            "allocatable": {
                "cpu": "63500m",
                "memory": "500Gi",
                "pods": "110",
                GPU: "8",
                "x/y": "0",
            },
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def test_a_node_is_reduced_and_labels_that_change_by_themselves_are_left_out() -> None:
    raw = raw_node(
        taints=[
            {"key": "k", "value": "v", "effect": "NoSchedule"},
            {"key": "l", "effect": "NoExecute"},
        ]
    )
    node = reducing.node(raw, lambda _: (None, "a note"))
    assert node.labels == {"zone": "a"}
    assert node.taints == (Taint("k", "v", "NoSchedule"), Taint("l", "", "NoExecute"))
    assert node.allocatable == Resources(((GPU, 8),), 63_500, 500 * 2**30, 110)
    assert node.schedulable
    assert node.note == "a note"


def test_cordoned_and_unready_nodes_are_not_schedulable() -> None:
    assert not reducing.node(raw_node(unschedulable=True), lambda _: (None, "")).schedulable
    unready = raw_node()
    unready["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]
    assert not reducing.node(unready, lambda _: (None, "")).schedulable


def raw_quota(**spec: object) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "ns", "name": "q"},
        "spec": spec,
        "status": {"used": {"requests.nvidia.com/gpu": "3"}},
    }


def test_a_quota_counts_if_it_is_about_accelerators_of_all_pods() -> None:
    hard = {"requests.nvidia.com/gpu": "4", "requests.cpu": "10", "pods": "5"}
    quota = reducing.quota(raw_quota(hard=hard))
    assert quota is not None
    assert (quota.hard, quota.used) == (((GPU, 4),), ((GPU, 3),))
    assert reducing.quota(raw_quota(hard={"pods": "5"})) is None
    assert reducing.quota(raw_quota(hard=hard, scopes=["BestEffort"])) is None


LWS = "leaderworkerset.sigs.k8s.io"


@pytest.mark.parametrize(
    ("labels", "place"),
    [
        pytest.param({}, ("", 0), id="of a Deployment"),
        pytest.param(
            {f"{LWS}/group-index": "2", f"{LWS}/worker-index": "1"}, ("2", 1), id="of a set"
        ),
        pytest.param({"apps.kubernetes.io/pod-index": "2"}, ("2", 0), id="a leader of ours"),
        pytest.param(
            {"apps.kubernetes.io/pod-index": "1", "serving.qwen3.dev/group": "2"},
            ("2", 1),
            id="a rank of ours",
        ),
        pytest.param(
            {"apps.kubernetes.io/pod-index": "1", "serving.qwen3.dev/cache": "fetch"},
            ("", 0),
            id="of a Job",
        ),
    ],
)
def test_a_pod_knows_its_replica_and_its_place_there(
    labels: dict[str, str], place: tuple[str, int]
) -> None:
    pod = reducing.pod(raw_pod({"phase": "Pending"}, labels=labels))

    assert (pod.group, pod.rank) == place


def test_our_own_gate_is_no_problem_by_itself() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
    raw = raw_pod({"phase": "Pending", "conditions": [condition]})

    assert reducing.pod(raw).problem == "SchedulingGated"
    raw["spec"]["schedulingGates"] = [{"name": "serving.qwen3.dev/group"}]
    pod = reducing.pod(raw)
    assert (pod.problem, pod.gates) == ("", ("serving.qwen3.dev/group",))


def test_a_bound_pod_says_since_when() -> None:
    when = "2026-11-23T12:00:00Z"
    condition = {"type": "PodScheduled", "status": "True", "lastTransitionTime": when}

    assert reducing.pod(raw_pod({"conditions": [condition]})).bound_at == when
    assert reducing.pod(raw_pod({"conditions": []})).bound_at == ""
