"""Why a pod does not run or is not ready: from what the kubelet and the scheduler say of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.failures import PROBE_TIMEOUT
from qwen3_operator.decisions.last_words import last_error_line, redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

QUIET_WAITS = frozenset({"ContainerCreating", "PodInitializing"})
"""Waiting reasons of a container on its way."""

CRASH_LOOP = "CrashLoopBackOff"
OOM_KILLED = "OOMKilled"

STOPPED_EXITS = frozenset({137, 143})
"""Exit codes of a program that was ended by SIGKILL and SIGTERM. The kubelet sends them to a
container that stays only where a probe failed (k8s.io/kubernetes@v1.37.2 pkg/kubelet/kuberuntime/
kuberuntime_manager.go computePodActions, read 2026-11-23)."""

LAXNESS_S = 60
"""A probe is seen to have failed and the container has stopped some time after its budget."""


def container_statuses(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what is said of all containers, those that prepare first."""
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def problem_of(raw: Mapping[str, Any]) -> tuple[str, str]:
    """Name the most telling reason why a pod does not run or is not ready, and a sentence.

    Both are empty while all goes well. What containers and kubelets said is without secrets.
    """
    status = raw.get("status") or {}
    if status.get("phase") == "Failed":
        return status.get("reason") or "Failed", redacted(status.get("message", ""))
    for container in container_statuses(status):
        found = _container_problem(container, raw)
        if found is not None:
            return found
    condition = _condition(status, "PodScheduled")
    if condition.get("status") == "False":
        return condition.get("reason", ""), condition.get("message", "")
    return "", ""


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((c for c in status.get("conditions") or () if c["type"] == kind), {})


def _container_problem(
    container: Mapping[str, Any], raw: Mapping[str, Any]
) -> tuple[str, str] | None:
    """Say what is wrong with a container: why it waits, or why it ended and ends again."""
    state = container.get("state") or {}
    waiting = state.get("waiting") or {}
    reason = waiting.get("reason", "")
    ended = state.get("terminated")
    if reason == CRASH_LOOP:
        ended = (container.get("lastState") or {}).get("terminated")
    if ended and ended.get("exitCode"):
        return _why_it_ended(ended, reason, _named(container, raw), raw)
    if reason and reason not in QUIET_WAITS:
        return reason, redacted(waiting.get("message", ""))
    return _why_it_is_silent(container, raw)


def _why_it_ended(
    ended: Mapping[str, Any],
    waits_for: str,
    container: Mapping[str, Any],
    raw: Mapping[str, Any],
) -> tuple[str, str]:
    if ended.get("reason") == OOM_KILLED:
        return OOM_KILLED, ""
    is_going = "deletionTimestamp" in raw["metadata"]
    ran_s = _seconds(ended.get("startedAt"), ended.get("finishedAt"))
    if ended["exitCode"] in STOPPED_EXITS and "startupProbe" in container and not is_going:
        grace_s = int((raw.get("spec") or {}).get("terminationGracePeriodSeconds") or 0)
        return PROBE_TIMEOUT, _stopped(container, ran_s, grace_s, ended["exitCode"])
    words = last_error_line(ended.get("message", ""))
    text = f"exit code {ended['exitCode']}"
    return waits_for or ended.get("reason", "Error"), f"{text}: {words}" if words else text


def _stopped(container: Mapping[str, Any], ran_s: float, grace_s: int, code: int) -> str:
    """Say which probe the engine did not answer: it was stopped when that one's time was over."""
    budget_s = _patience_s(container["startupProbe"])
    asked = container["startupProbe"].get("httpGet", {}).get("path", "its probe")
    if budget_s <= ran_s <= budget_s + grace_s + LAXNESS_S:
        allowed = f"the {_minutes(budget_s)} that its startup probe allows"
        return f"The engine did not answer {asked} within {allowed} and was stopped ({code})"
    return f"The engine stopped answering {asked} and was stopped by its liveness probe ({code})"


def _why_it_is_silent(
    container: Mapping[str, Any], raw: Mapping[str, Any]
) -> tuple[str, str] | None:
    """Tell an engine that runs and no longer answers from one that still loads.

    One that loads has not been ready since it started: its pod's condition is older.
    """
    running = (container.get("state") or {}).get("running")
    if not running or container.get("ready") or not container.get("started"):
        return None
    ready = _condition(raw.get("status") or {}, "Ready")
    if ready.get("status") != "False":
        return None
    if _seconds(running.get("startedAt"), ready.get("lastTransitionTime")) <= 0:
        return None
    probe = _named(container, raw).get("readinessProbe") or {}
    asked = probe.get("httpGet", {}).get("path", "its readiness probe")
    return PROBE_TIMEOUT, f"The engine runs and no longer answers {asked}"


def _named(container: Mapping[str, Any], raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the container as it is specified."""
    specified = (raw.get("spec") or {}).get("containers") or ()
    return next((c for c in specified if c.get("name") == container.get("name")), {})


def _patience_s(probe: Mapping[str, Any]) -> int:
    """Return how long a probe may go unanswered; Kubernetes' defaults are 10 s and 3 times."""
    attempts = int(probe.get("periodSeconds", 10)) * int(probe.get("failureThreshold", 3))
    return attempts + int(probe.get("initialDelaySeconds", 0))


def _seconds(start: str | None, end: str | None) -> float:
    """Return the time between two times in RFC 3339; 0 where one is not told."""
    if not start or not end:
        return 0.0
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _minutes(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} minutes"  # noqa: PLR2004 - two minutes read as such
