"""What goes wrong with pods, nodes and GPUs reaches the resource, with what helps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane import annotated_pods
from support.models import SECONDS, SMALL, Models
from support.wait import until

if TYPE_CHECKING:
    from support.controlplane import ControlPlane
    from support.operator import RunningOperator

pytestmark = pytest.mark.cluster

ON_L40S = f"{SMALL}accelerators: [L40S-48GB]\n"
AS_ANYBODY = "podTemplate: {spec: {securityContext: {runAsNonRoot: false}}}\n"
MARKER = "hf_MARKERthatNobodyMayRepeat"

LOG = f"""\
INFO 11-23 10:00:00 [api.py:3] non-default args: {{'api_key': ['{MARKER}']}}
(EngineCore pid=99) ERROR 11-23 10:00:00 [core.py:900] ValueError: {MARKER}: 5 GiB are needed
(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above.
"""
"""How vLLM ends: what counts stands before the last line."""


def tell(models: Models, name: str, container: dict[str, Any]) -> None:
    """Have a kubelet say this of the engine's container of the one pod."""
    (pod,) = models.pods(name)
    known = pod["status"]["containerStatuses"][0]
    status = {"status": {"containerStatuses": [{**known, **container}]}}
    models.room.kubectl(
        "patch", "pod", pod["metadata"]["name"], "--subresource=status", "--type=strategic",
        f"--patch={json.dumps(status)}",
    )  # fmt: skip


def ended(code: int, seconds: int, **more: object) -> dict[str, Any]:
    """Return the status of a container that ended after so long and waits to be started again."""
    minutes, rest = divmod(seconds, 60)
    finished = f"2026-11-23T{10 + minutes // 60:02}:{minutes % 60:02}:{rest:02}Z"
    ran = {"startedAt": "2026-11-23T10:00:00Z", "finishedAt": finished}
    return {
        "lastState": {"terminated": {"exitCode": code, "reason": "Error", **ran, **more}},
    }


def test_how_an_engine_fails_is_told_with_what_helps(
    models: Models, operator: RunningOperator
) -> None:
    namespace = models.room.namespace
    failing = {"test.qwen3.dev/fail": "CrashLoopBackOff"}
    with annotated_pods(models.room.cluster, namespace, failing):
        models.apply("failing", ON_L40S)
        models.await_condition("failing", "Ready", "False", "ContainerCrashLoopBackOff")
    (pod,) = models.pods("failing")
    engine = pod["spec"]["containers"][0]
    assert engine["terminationMessagePolicy"] == "FallbackToLogsOnError"

    def told(reason: str, words: str) -> str:
        def found() -> str:
            condition = models.condition("failing", "Ready")
            message = condition["message"]
            return message if condition["reason"] == reason and words in message else ""

        return until(found, SECONDS, lambda: f"{words}: {models.condition('failing', 'Ready')}")

    tell(models, "failing", ended(1, 20, message=LOG))
    assert MARKER not in told(
        "ContainerCrashLoopBackOff", "exit code 1: ValueError: ***: 5 GiB are needed"
    )
    budget_s = engine["startupProbe"]["periodSeconds"] * engine["startupProbe"]["failureThreshold"]
    tell(models, "failing", ended(137, budget_s + 10))
    told("ProbeTimeout", "did not answer /health within the")
    tell(models, "failing", ended(137, 30, reason="OOMKilled"))
    limit = engine["resources"]["limits"]["memory"]
    advice = told("ContainerOOMKilled", "The planner counts")
    assert "set spec.resources.limits.memory to " in advice, limit
    models.room.kubectl("annotate", "pod", pod["metadata"]["name"], "test.qwen3.dev/fail-")
    models.await_ready("failing")
    assert ("Warning", "ProbeTimeout") in models.events("failing")
    for text in (json.dumps(models.get("failing")), operator.log, models.room.kubectl(
        "get", "events.events.k8s.io", "--output=json")):  # fmt: skip
        assert MARKER not in text


def test_an_engine_that_stops_answering_and_a_node_that_is_lost_are_told(
    models: Models, control_plane: ControlPlane
) -> None:
    models.apply("silent", ON_L40S)
    models.await_ready("silent")
    (pod,) = models.pods("silent")
    name = pod["metadata"]["name"]
    started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    until(  # times of pods have seconds
        lambda: _now(models) > started,
        SECONDS,
        "a second should pass",
    )
    models.room.kubectl("annotate", "pod", name, "test.qwen3.dev/ready-after=never")
    message = models.await_condition("silent", "Ready", "False", "ProbeTimeout")["message"]
    assert "no longer answers /health" in message
    models.room.kubectl("annotate", "pod", name, "test.qwen3.dev/ready-after-")
    models.await_ready("silent")
    control_plane.set_node_ready("l40s-0", ready=False)
    try:
        message = models.await_condition("silent", "Ready", "False", "NodeLost")["message"]
        assert "The node l40s-0 is NotReady" in message
    finally:
        control_plane.set_node_ready("l40s-0", ready=True)
    models.await_ready("silent")


def _now(models: Models) -> str:
    """Ask the API server for the time."""
    made = models.room.cluster.kubectl_json(
        "create", "configmap", "now", "--dry-run=server", f"--namespace={models.room.namespace}"
    )
    return str(made["metadata"]["creationTimestamp"])


def test_gpus_that_are_unhealthy_are_named(models: Models, control_plane: ControlPlane) -> None:
    def offer(gpus: int) -> None:
        allocatable = {"status": {"allocatable": {"nvidia.com/gpu": str(gpus)}}}
        control_plane.kubectl(
            "patch", "node", "a100-0", "--subresource=status", f"--patch={json.dumps(allocatable)}"
        )

    pool = f"{SMALL}accelerators: [A100-SXM-80GB]\n"
    models.apply("holder", f"{pool}parallelism: {{tensor: 2}}\n")
    models.await_ready("holder")
    offer(3)
    try:
        models.apply("waiter", f"{pool}parallelism: {{tensor: 2}}\n")
        condition = models.await_condition("waiter", "Scheduled", "False", "InsufficientGPU")
        assert (
            "2 x A100-SXM-80GB (nvidia.com/gpu) on one node: 1 more must be free"
            in (condition["message"])
        )
        assert "Unhealthy GPUs: 1 of 4 on a100-0." in condition["message"]
        models.apply("large", f"{pool}parallelism: {{tensor: 4}}\n")
        condition = models.await_condition("large", "PlanFeasible", "False", "NotEnoughGPUs")
        assert "Unhealthy GPUs: 1 of 4 on a100-0." in condition["message"]
    finally:
        offer(4)
    models.await_ready("waiter")
    models.await_condition("large", "PlanFeasible", "True")


def test_pods_that_the_api_server_refuses_are_told_with_its_sentence(models: Models) -> None:
    room = models.room
    room.kubectl("create", "quota", "none", "--hard=pods=0")
    models.apply("counted", ON_L40S)
    models.apply("cached", f"{ON_L40S}cache: {{persistentVolumeClaim: {{}}}}\n")
    condition = models.await_condition("counted", "Ready", "False", "QuotaExceeded")
    assert (
        "exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0"
        in (condition["message"])
    )
    assert models.condition("counted", "Scheduled")["reason"] == "QuotaExceeded"
    job = models.await_condition("cached", "ModelCached", "False", "QuotaExceeded")["message"]
    assert job.startswith("The Job ")
    assert "exceeded quota: none" in job
    models.delete("counted")
    room.kubectl("delete", "quota", "none")
    models.await_condition("cached", "ModelCached", "False", "ClaimNotBound")
    models.delete("cached")
    level = "pod-security.kubernetes.io/enforce"
    room.kubectl("label", "namespace", room.namespace, f"{level}=restricted")
    models.apply("open", f"{ON_L40S}{AS_ANYBODY}")
    message = models.await_condition("open", "Ready", "False", "PodSecurityDenied")["message"]
    assert 'violates PodSecurity "restricted:latest": runAsNonRoot != true' in message
    models.delete("open")
    models.apply("unknown", f"{ON_L40S}priorityClassName: nobody-made-it\n")
    message = models.await_condition("unknown", "Ready", "False", "AdmissionDenied")["message"]
    assert "no PriorityClass with name nobody-made-it was found" in message
