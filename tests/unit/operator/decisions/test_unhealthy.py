"""Where there is no plan, GPUs that are broken are named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_operator.decisions.eligibility import Selector
from qwen3_operator.decisions.replan import Chosen, Outcome
from qwen3_operator.decisions.unhealthy import naming_unhealthy
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.observed import Resources
from qwen3_planner.api.reasons import Reason
from qwen3_planner.plan import NoPlan
from support.values import GPU, node

if TYPE_CHECKING:
    from qwen3_operator.observed import Node

SOUND = node("sound", 8)
PARTLY = replace(node("partly", 6), unhealthy=((GPU, 2),))
BROKEN = replace(
    node("broken", 0), allocatable=Resources((), 64_000, 2**38, 110), unhealthy=((GPU, 8),)
)
CARDS = replace(node("cards", 8), unhealthy=(("rdma/hca", 1),))


def infeasible(reason: Reason) -> Chosen:
    nothing = NoPlan("Qwen3-8B", 1, "hf://x/y", ())
    return Chosen(Outcome.INFEASIBLE, nothing, Verdict(reason, "No."))


def told(reason: Reason, *nodes: Node) -> Verdict:
    return naming_unhealthy(infeasible(reason), Selector(), nodes).verdict


def test_what_is_broken_is_added_to_the_reason() -> None:
    verdict = told(Reason.NOT_ENOUGH_GPUS, SOUND, PARTLY)

    assert verdict.reason is Reason.NOT_ENOUGH_GPUS
    assert verdict.message == "No. Unhealthy GPUs: 2 of 8 on partly."


def test_where_nothing_else_is_left_it_is_the_reason() -> None:
    verdict = told(Reason.NO_MATCHING_NODES, BROKEN)

    assert verdict.reason is Reason.GPUS_UNHEALTHY
    assert "8 of 8 on broken" in verdict.message


def test_where_other_gpus_are_left_it_is_not() -> None:
    assert told(Reason.NO_GPU_LABELS, BROKEN, SOUND).reason is Reason.NO_GPU_LABELS


def test_what_is_no_gpu_does_not_count() -> None:
    assert told(Reason.NOT_ENOUGH_GPUS, CARDS).message == "No."


def test_a_plan_stays_as_it_is() -> None:
    kept = replace(infeasible(Reason.PLAN_KEPT), outcome=Outcome.KEPT)

    assert naming_unhealthy(kept, Selector(), [PARTLY]) is kept
