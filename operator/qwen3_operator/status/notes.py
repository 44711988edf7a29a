"""What changed in a status, as Events: each transition once, passing states not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator.status.measured import TOLERANCE_PERCENT, percent_off
from qwen3_planner.api.reasons import ConditionType, Reason
from qwen3_planner.api.status import ConditionStatus
from qwen3_planner.report.plan_status import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_planner.api.status import Condition, Measured, Qwen3DeploymentStatus

MAX_NOTE = 1000
"""Characters of an Event's note; the API server allows 1024 bytes."""


@dataclass(frozen=True, slots=True)
class EventNote:
    """An Event to post: ``type`` is Normal or Warning."""

    type: str
    reason: str
    message: str


PLAN_DEVIATES = "PlanDeviates"

QUIET = frozenset(
    {
        Reason.PENDING.value,
        Reason.MODEL_LOADING.value,
        Reason.ROLLOUT_IN_PROGRESS.value,
        Reason.SCALING_ON_TARGET.value,
        Reason.ROUTE_PENDING.value,
    }
)
"""Passing states: the status tells them, an Event would only add noise."""

CALM = frozenset(
    {
        Reason.SUSPENDED.value,
        Reason.SCALED_TO_ZERO.value,
        Reason.PAUSED.value,
        Reason.DOWNLOADING.value,
        Reason.SCALING_DELEGATED.value,
        Reason.SCALING_DISABLED.value,
        Reason.WAITING_FOR_NODES.value,
        Reason.WAITING_FOR_QUEUE.value,
    }
)
"""Not Ready because the user said so, or because there is much to fetch."""

TOLD = (
    ConditionType.PLAN_FEASIBLE,
    ConditionType.READY,
    ConditionType.SCALING_ACTIVE,
    ConditionType.INTEGRATED,
)
"""Conditions whose changes are Events; Ready carries the reason of the worst of the others but the
last two, which not every resource has."""


def events(previous: Qwen3DeploymentStatus, new: Mapping[str, Any]) -> tuple[EventNote, ...]:
    """Say what changed, as Events: each transition once, passing states not at all."""
    notes: list[EventNote] = []
    conditions = {condition["type"]: condition for condition in new["conditions"]}
    for kind in TOLD:
        after = conditions.get(kind.value)
        if after is None or not _is_news(previous.condition(kind), after):
            continue
        note = EventNote(
            "Normal"
            if after["status"] == ConditionStatus.TRUE.value or after["reason"] in CALM
            else "Warning",
            after["reason"],
            shortened(after["message"], MAX_NOTE),
        )
        if note not in notes:
            notes.append(note)
    deviates = _deviation(previous.measured, new.get("measured"))
    return (*notes, deviates) if deviates else tuple(notes)


def _is_news(before: Condition | None, after: Mapping[str, Any]) -> bool:
    """Whether a condition says something else; another plan is news under the same reason."""
    if after["reason"] in QUIET:
        return False
    if before is None or before.reason != after["reason"]:
        return True
    is_plan: bool = after["reason"] == Reason.PLAN_COMPUTED.value
    return is_plan and before.message != str(after["message"])


def _deviation(before: Measured | None, after: Mapping[str, Any] | None) -> EventNote | None:
    """Say once that the engine's KV cache is not what was planned."""
    if after is None:
        return None
    tokens, planned = after["kvCacheTokens"], after["plannedKvCacheTokens"]
    percent = percent_off(tokens, planned)
    if abs(percent) <= TOLERANCE_PERCENT or (before and before.kv_cache_tokens == tokens):
        return None
    return EventNote(
        "Warning" if percent < 0 else "Normal",
        PLAN_DEVIATES,
        f"The engine has room for {tokens:,} tokens in its KV cache, planned were {planned:,}"
        f" ({percent:+.1f} %). {_offer(after)}",
    )


def _offer(measured: Mapping[str, Any]) -> str:
    """Say how later plans learn of it: by one command, where status.measured has the overlay."""
    overlay = measured.get("calibration")
    if not overlay:
        return "`qwen3 calibrate` makes an overlay of the engine's start-up log for later plans."
    namespace, _, name = overlay["entries"][0]["origin"]["name"].partition("/")
    return (
        "Have later plans count with it: "
        f"kubectl get q3d {name} -n {namespace} -o jsonpath='{{.status.measured.calibration}}'"
        " | qwen3 calibrate - --calibration mine.yaml"
    )
