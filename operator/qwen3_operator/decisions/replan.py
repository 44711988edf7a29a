"""Whether the running plan stays.

A plan stays while it still holds: a running model is never moved because a better plan appeared,
a node came or the operator was upgraded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qwen3_operator.decisions.verdict import Verdict
    from qwen3_planner.api.v1alpha1 import Replan
    from qwen3_planner.plan import PlanResult
    from qwen3_planner.request import PlanRequest


class Outcome(StrEnum):
    """What becomes of the plan."""

    PLANNED = "planned"
    """There was none; this is the first."""

    KEPT = "kept"
    """The one in status.plan stays."""

    REPLANNED = "replanned"
    """The one in status.plan no longer holds, or the specification changed; this replaces it."""

    INFEASIBLE = "infeasible"
    """Nothing fits. What runs stays as it is."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The plan to go by.

    Attributes:
        outcome: what became of the earlier plan.
        result: the plan; with INFEASIBLE the refusals.
        verdict: for the condition PlanFeasible.
    """

    outcome: Outcome
    result: PlanResult
    verdict: Verdict


def choose(
    request: PlanRequest,
    policy: Replan,
    running: Mapping[str, Any] | None,
    spec_changed: bool,  # noqa: FBT001 - a fact, passed by name everywhere
    ask: Callable[[PlanRequest], PlanResult],
) -> Chosen:
    """Choose between the plan that runs and a new one.

    Args:
        request: the resource as a question, replicas on one node each.
        policy: ``spec.replan``.
        running: ``status.plan`` if it is a feasible plan; None where there is none yet.
        spec_changed: whether the specification changed since ``running`` was made.
        ask: the planner on the cluster's hardware; asked at most three times, so cache it.
    """
    raise NotImplementedError
