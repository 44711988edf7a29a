"""What the status says of rollouts: what worked last, what was given up, what is kept as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.readiness import Finding
from qwen3_operator.decisions.rollout import Move
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import ConditionType, Reason
from qwen3_planner.api.status import ConditionStatus, Phase
from qwen3_planner.report.plan_status import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_operator.decisions.readiness import Rollout
    from qwen3_operator.decisions.rollout import Failed
    from qwen3_operator.rolling.turns import Turn
    from qwen3_planner.api.rollout import FailedPlan
    from qwen3_planner.api.status import Qwen3DeploymentStatus

MAX_FAILURE = 300
"""Characters of what is remembered of a failure; the whole status stays below 16 KiB."""

MAX_TEXT = 128
"""Characters of each part of a plan in short."""


def rollout_document(
    turn: Turn | None,
    rollout: Rollout,
    live: str,
    shown: Mapping[str, Any],
    previous: Qwen3DeploymentStatus,
) -> dict[str, Any] | None:
    """Write ``status.rollout``; None where nothing is remembered.

    Args:
        turn: what was decided; None where nothing could be, and all is remembered as it was.
        rollout: the state of what runs.
        live: hash of the template that lives.
        shown: the status as it will be, with ``plan`` and its short forms.
        previous: the status as it was.
    """
    before = (
        previous.rollout.model_dump(by_alias=True, exclude_defaults=True)
        if previous.rollout
        else {}
    )
    if turn is None:
        return _if_any(before)
    working = before.get("working")
    stays = turn.decision.move in (Move.RENDER, Move.KEEP)
    if stays and live == turn.decision.plan_hash and rollout.is_complete and rollout.ready:
        working = _in_short(shown)
    failed = turn.decision.failed
    return _if_any(
        {
            "working": working,
            "failed": _failure(failed, rollout, previous) if failed else None,
            "outdated": turn.is_outdated or None,
        }
    )


def _if_any(document: dict[str, Any]) -> dict[str, Any] | None:
    told = {name: value for name, value in document.items() if value}
    return told or None


def _in_short(shown: Mapping[str, Any]) -> dict[str, str]:
    plan = shown.get("plan") or {}
    engine = plan.get("engine") or {}
    parts = {
        "planHash": shown.get("planHash", ""),
        "model": (plan.get("model") or {}).get("variant", ""),
        "engine": f"{engine.get('name', '')} {engine.get('version', '')}".strip(),
        "quantization": plan.get("quantization", ""),
        "layout": shown.get("layout", ""),
        "gpu": shown.get("gpu", ""),
    }
    return {name: text[:MAX_TEXT] for name, text in parts.items() if text}


def _failure(failed: Failed, rollout: Rollout, previous: Qwen3DeploymentStatus) -> dict[str, str]:
    """Say what was given up, in the words of the moment when it was."""
    known = _known_failure(previous)
    if known is not None and known.plan_hash == failed.plan_hash:
        reason, message = known.reason, known.message
    else:
        worst = rollout.worst or rollout.progressing.verdict
        reason, message = worst.reason.value, shortened(worst.message, MAX_FAILURE)
    return {
        "planHash": failed.plan_hash,
        "inputs": str(failed.inputs),
        "reason": reason,
        "message": message,
    }


def _known_failure(previous: Qwen3DeploymentStatus) -> FailedPlan | None:
    return previous.rollout.failed if previous.rollout else None


def supply_before(previous: Qwen3DeploymentStatus) -> Finding:
    """Return what was said last of the weights of pods that ran once: they had them."""
    before = previous.condition(ConditionType.MODEL_CACHED)
    if before is None or before.status is not ConditionStatus.TRUE:
        return Finding(
            ConditionStatus.TRUE,
            Verdict(Reason.WEIGHTS_MOUNTED, "The pods had their weights when they ran before."),
        )
    return Finding(ConditionStatus.TRUE, Verdict(Reason(before.reason), before.message))


def failure_findings(
    document: Mapping[str, Any] | None, phase: Phase, ready: int
) -> tuple[Phase, dict[ConditionType, Finding]]:
    """Say by conditions that what is asked for was given up; nothing where it was not.

    Args:
        document: ``status.rollout`` as it will be.
        phase: as it is otherwise.
        ready: replicas that answer.
    """
    failed = (document or {}).get("failed")
    if failed is None:
        return phase, {}
    working = (document or {}).get("working") or {}
    named = ("engine", "quantization", "layout")
    what = ", ".join(working[name] for name in named if name in working)
    message = (
        f"What the specification asks for did not become ready in its time ({failed['reason']}:"
        f" {failed['message'].rstrip('.')}). The last plan that worked runs again: {what}. Change"
        " the specification, or spec.rollout.restart, to try again."
    )
    finding = Finding(ConditionStatus.FALSE, Verdict(Reason.ROLLED_BACK, message))
    findings = {ConditionType.PROGRESSING: finding, ConditionType.READY: finding}
    return (Phase.DEGRADED if ready else phase), findings
