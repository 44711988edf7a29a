"""What Kubernetes says of pods becomes a reason and a fix."""

from __future__ import annotations

import pytest

from qwen3_operator.decisions.failures import explain_pod, explain_refusal
from qwen3_planner.api.reasons import Reason
from support.values import amount, pod

ONE = amount(1)


@pytest.mark.parametrize(
    ("problem", "phase", "reason"),
    [
        ("ImagePullBackOff", "Pending", Reason.IMAGE_PULL_ERROR),
        ("ErrImagePull", "Pending", Reason.IMAGE_PULL_ERROR),
        ("InvalidImageName", "Pending", Reason.IMAGE_PULL_ERROR),
        ("CreateContainerConfigError", "Pending", Reason.CONTAINER_CONFIG_ERROR),
        ("OOMKilled", "Running", Reason.CONTAINER_OOM_KILLED),
        ("CrashLoopBackOff", "Running", Reason.CONTAINER_CRASH_LOOP_BACK_OFF),
        ("Error", "Running", Reason.CONTAINER_CRASH_LOOP_BACK_OFF),
        ("ProbeTimeout", "Running", Reason.PROBE_TIMEOUT),
        ("NodeLost", "Running", Reason.NODE_LOST),
        ("Unschedulable", "Pending", Reason.UNSCHEDULABLE),
        ("Evicted", "Failed", Reason.POD_EVICTED),
        ("UnexpectedAdmissionError", "Failed", Reason.POD_FAILED),
        ("SomethingNew", "Pending", Reason.POD_FAILED),
    ],
)
def test_every_problem_has_a_reason(problem: str, phase: str, reason: Reason) -> None:
    found = explain_pod(pod("p", ONE, problem=problem, phase=phase, problem_message="as told"))

    assert found is not None
    assert found[1].reason is reason


def test_a_healthy_pod_has_none() -> None:
    assert explain_pod(pod("p", ONE, node="n", phase="Running", ready=True)) is None


def test_the_sentence_is_repeated_and_what_helps_is_added() -> None:
    found = explain_pod(
        pod("p", ONE, problem="CrashLoopBackOff", phase="Running", problem_message="exit code 1")
    )

    assert found is not None
    assert found[1].message.startswith("CrashLoopBackOff: exit code 1. The engine's log")


QUOTA = (
    'pods "qwen3-32b-6d8f-x7k2p" is forbidden: exceeded quota: gpus, requested:'
    " requests.nvidia.com/gpu=2, used: requests.nvidia.com/gpu=8, limited:"
    " requests.nvidia.com/gpu=8"
)


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        pytest.param(QUOTA, Reason.QUOTA_EXCEEDED, id="quota"),
        pytest.param(
            'pods "a-b" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot',
            Reason.POD_SECURITY_DENIED,
            id="pod security",
        ),
        pytest.param(
            'pods "a-b" is forbidden: maximum memory usage per Container is 1Gi, but limit is 18Gi',
            Reason.LIMIT_RANGE_VIOLATED,
            id="limit range of containers",
        ),
        pytest.param(
            'pods "a-b" is forbidden: minimum cpu usage per Pod is 8, but request is 4',
            Reason.LIMIT_RANGE_VIOLATED,
            id="limit range of pods",
        ),
        pytest.param(
            'admission webhook "policy.example.com" denied the request: no',
            Reason.ADMISSION_DENIED,
            id="webhook",
        ),
        pytest.param(
            "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
            Reason.ADMISSION_DENIED,
            id="policy",
        ),
        pytest.param(
            'pods "a" is forbidden: no PriorityClass with name important was found',
            Reason.ADMISSION_DENIED,
            id="priority class",
        ),
        pytest.param(
            'Service "a" is invalid: spec.ports[0].nodePort: provided port is already allocated',
            Reason.APPLY_FAILED,
            id="anything else",
        ),
    ],
)
def test_every_refusal_has_a_reason_and_its_sentence(sentence: str, reason: Reason) -> None:
    verdict = explain_refusal(sentence)

    assert verdict.reason is reason
    assert sentence.rpartition(": ")[2] in verdict.message


def test_a_refusal_that_is_repeated_reads_the_same() -> None:
    again = QUOTA.replace("x7k2p", "q9z4w")

    assert explain_refusal(QUOTA) == explain_refusal(again)
