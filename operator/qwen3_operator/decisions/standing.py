"""Whether a plan stands that today's planner would not give.

Whoever asks the same question on the same hardware gets another answer only from another release,
or after a correction was learned. Pods that run are no proof that the earlier answer was right, but
they are the reason not to undo it: an upgrade of the operator restarts nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_operator.decisions.feasibility import say_plan
from qwen3_operator.decisions.replan import Chosen, Outcome, identity_in, identity_of, pinned_to
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason
from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.report.plan_reading import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from qwen3_planner.plan import PlanResult
    from qwen3_planner.request import PlanRequest

ABOUT_HARDWARE = frozenset(
    {
        Reason.NOT_ENOUGH_GPUS.value,
        Reason.NOT_ENOUGH_NODES.value,
        Reason.NO_MATCHING_ACCELERATOR.value,
        Reason.NO_MATCHING_NODES.value,
    }
)
"""Rules that say the cluster no longer has what the pods run on."""


def stand_by(
    chosen: Chosen,
    running: Mapping[str, Any] | None,
    request: PlanRequest,
    ask: Callable[[PlanRequest], PlanResult],
) -> Chosen:
    """Return what was chosen, or the running plan where only judgement speaks against it.

    Args:
        chosen: by :func:`qwen3_operator.decisions.replan.choose`.
        running: the plan of pods that live and were made for this very specification; None where
            there are none.
        request: the resource as a question.
        ask: the planner on the cluster's hardware.
    """
    gives_up = chosen.outcome in (Outcome.REPLANNED, Outcome.INFEASIBLE)
    if not gives_up or running is None or _is_plan(chosen, running):
        return chosen
    earlier = plan_of(running)
    if earlier is None:
        return chosen
    today = ask(pinned_to(request, running))
    if isinstance(today, NoPlan) and _is_about_hardware(today):
        return chosen
    why = today.refusals[0].message if isinstance(today, NoPlan) else "it differs"
    earlier = replace(earlier, replicas=request.replicas)
    message = (
        f"The plan made earlier runs and stays: {say_plan(earlier)}. Asked again, this release of"
        f" the operator would not give it ({why.rstrip('.')})."
    )
    return Chosen(Outcome.KEPT, earlier, Verdict(Reason.PLAN_KEPT, message), chosen.lowered)


def _is_plan(chosen: Chosen, running: Mapping[str, Any]) -> bool:
    """Whether it is what runs that was chosen, although the status does not say so yet."""
    plan = chosen.result
    return isinstance(plan, Plan) and identity_of(plan) == identity_in(running)


def _is_about_hardware(answer: NoPlan) -> bool:
    return not answer.refusals or any(r.rule in ABOUT_HARDWARE for r in answer.refusals)
