"""The conditions as they are written down; only one that flips has a new time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator.status.compact import MAX_MESSAGE
from qwen3_planner.api.reasons import ConditionType
from qwen3_planner.report.plan_status import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from qwen3_operator.decisions.readiness import Finding
    from qwen3_planner.api.status import Condition, Phase, Qwen3DeploymentStatus


@dataclass(frozen=True, slots=True)
class State:
    """What the conditions are, before they are written down."""

    phase: Phase
    findings: Mapping[ConditionType, Finding]


IN_ORDER = tuple(ConditionType)


def conditions_of(
    state: State, generation: int, previous: Qwen3DeploymentStatus, now: datetime
) -> list[dict[str, Any]]:
    """Write the conditions, Ready first; only one that flips has a new time."""
    written = []
    for kind, finding in sorted(state.findings.items(), key=lambda one: IN_ORDER.index(one[0])):
        before = previous.condition(kind)
        flipped = before is None or before.status is not finding.status
        time = now.strftime("%Y-%m-%dT%H:%M:%SZ") if flipped else _time_of(before)
        written.append(
            {
                "type": kind.value,
                "status": finding.status.value,
                "reason": finding.verdict.reason.value,
                "message": shortened(finding.verdict.message, MAX_MESSAGE),
                "observedGeneration": generation,
                "lastTransitionTime": time,
            }
        )
    return written


def _time_of(before: Condition | None) -> str:
    return before.last_transition_time if before is not None else ""
