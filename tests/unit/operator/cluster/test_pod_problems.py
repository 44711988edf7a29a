"""What the kubelet tells of a container becomes a problem, a sentence and no secret."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_operator.cluster.pod_problems import problem_of

START = "2026-11-23T10:00:00Z"
PROBES = {
    "startupProbe": {"httpGet": {"path": "/health"}, "periodSeconds": 10, "failureThreshold": 90},
    "readinessProbe": {"httpGet": {"path": "/health"}},
}


def raw_pod(container: dict[str, Any], *conditions: dict[str, Any], **metadata: str) -> Any:  # noqa: ANN401 - JSON
    return {
        "metadata": {"name": "p", **metadata},
        "spec": {
            "terminationGracePeriodSeconds": 30,
            "containers": [{"name": "engine", **PROBES}],
        },
        "status": {
            "phase": "Running",
            "conditions": list(conditions),
            "containerStatuses": [{"name": "engine", **container}],
        },
    }


def ended(code: int, after: str, **more: str) -> dict[str, Any]:
    state = {"exitCode": code, "reason": "Error", "startedAt": START, "finishedAt": after, **more}
    return {
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": state},
    }


@pytest.mark.parametrize(
    ("container", "problem", "words"),
    [
        pytest.param(
            ended(143, "2026-11-23T10:15:20Z"),
            "ProbeTimeout",
            "did not answer /health within the 15 minutes that its startup probe allows",
            id="too slow to start",
        ),
        pytest.param(
            ended(137, "2026-11-24T10:00:00Z"),
            "ProbeTimeout",
            "stopped answering /health and was stopped by its liveness probe (137)",
            id="hung after a day",
        ),
        pytest.param(
            ended(137, "2026-11-23T10:01:00Z", reason="OOMKilled"), "OOMKilled", "", id="memory"
        ),
        pytest.param(
            ended(1, "2026-11-23T10:15:20Z", message="INFO x\nOSError: hf_MARKERmarker is bad\n"),
            "CrashLoopBackOff",
            "exit code 1: OSError: *** is bad",
            id="its own end",
        ),
    ],
)
def test_how_a_container_ended_tells_what_is_wrong(
    container: dict[str, Any], problem: str, words: str
) -> None:
    found = problem_of(raw_pod(container))

    assert found[0] == problem
    assert words in found[1]


def test_a_pod_that_is_deleted_was_stopped_on_purpose() -> None:
    going = raw_pod(ended(143, "2026-11-23T10:15:20Z"), deletionTimestamp=START)

    assert problem_of(going)[0] == "CrashLoopBackOff"


def unready(since: str) -> dict[str, str]:
    return {"type": "Ready", "status": "False", "lastTransitionTime": since}


@pytest.mark.parametrize(
    ("started", "since", "problem"),
    [
        pytest.param(True, "2026-11-23T11:00:00Z", "ProbeTimeout", id="it answered once"),
        pytest.param(True, "2026-11-23T09:59:59Z", "", id="it has just started"),
        pytest.param(False, "2026-11-23T11:00:00Z", "", id="it loads"),
    ],
)
def test_an_engine_that_no_longer_answers_is_told_from_one_that_loads(
    started: object, since: str, problem: str
) -> None:
    container = {"state": {"running": {"startedAt": START}}, "started": started, "ready": False}

    assert problem_of(raw_pod(container, unready(since)))[0] == problem


def test_a_ready_engine_has_no_problem_whatever_was_before() -> None:
    container = ended(137, "2026-11-23T10:15:20Z") | {
        "state": {"running": {"startedAt": START}},
        "ready": True,
        "started": True,
    }

    assert problem_of(raw_pod(container)) == ("", "")


def test_a_secret_in_the_name_of_an_image_is_not_repeated() -> None:
    waits = {"waiting": {"reason": "ErrImagePull", "message": "https://me:MARKER12@host/x: no"}}

    assert problem_of(raw_pod({"state": waits}))[1] == "https://***@host/x: no"
