"""The plan as the status shows it: whole, and in short for the columns of ``kubectl get``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.replan import Outcome, identity_in
from qwen3_planner.plan import Layout, Plan
from qwen3_planner.report.plan_status import status_document
from qwen3_planner.units import gib

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_operator.decisions.replan import Chosen


_SHOWN = ("replicas", "command", "env", "model", "lora")
"""What of a plan that is kept may change with the specification."""


def plan_document(
    chosen: Chosen | None,
    before: Mapping[str, Any] | None,
    *,
    runs: bool,
    made: Mapping[str, Any] | None = None,
) -> Mapping[str, Any] | None:
    """Choose the plan to show: the one that runs is not lost to one that does not exist.

    Args:
        chosen: the plan of today; None where the specification could not be planned.
        before: ``status.plan`` as it was.
        runs: whether anything was made from it.
        made: the plan of pods that are not made as the plan of today says; None where they are.
    """
    if made is not None:
        return before if before is not None and _is_same(made, before) else made
    if chosen is None:
        return before
    if not isinstance(chosen.result, Plan):
        keeps = runs and before is not None and before.get("feasible")
        return before if keeps else status_document(chosen.result)
    document = status_document(chosen.result)
    if chosen.outcome is Outcome.KEPT and before is not None and _is_same(document, before):
        return before  # what other nodes there are, and figures of another release, move nothing
    return document


def _is_same(document: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    same = all(document.get(n) == before.get(n) for n in _SHOWN)
    return same and identity_in(document) == identity_in(before)


def in_short(plan: Mapping[str, Any] | None) -> dict[str, str]:
    """Say a feasible plan for the columns of ``kubectl get``."""
    if not plan or not plan.get("feasible") or identity_in(plan) is None:
        return {}
    layout = plan["layout"]
    groups = {name: layout[name] for name in ("tensor", "pipeline", "data", "expert")}
    return {
        "layout": str(Layout(**groups, nodes_per_replica=layout["nodesPerReplica"])),
        "gpu": f"{layout['gpusPerReplica']}x {plan['placement']['accelerator']}",
        "memory": _memory_in_short(plan["memory"]["perGpu"]),
    }


def _memory_in_short(gpus: list[Mapping[str, int]]) -> str:
    """Say what the fullest GPU needs of what the engine may take.

    >>> _memory_in_short([{"weightsBytes": 2**34, "kvNeededBytes": 2**30, "activationBytes": 0,
    ...     "graphBytes": 0, "overheadBytes": 0, "budgetBytes": 2**36}])
    '17.0/64.0 GiB'
    """
    parts = ("weightsBytes", "kvNeededBytes", "activationBytes", "graphBytes", "overheadBytes")
    used, budget = max((sum(gpu[part] for part in parts), gpu["budgetBytes"]) for gpu in gpus)
    return f"{gib(used):.1f}/{gib(budget):.1f} GiB"
