"""A plan whose pods run is not undone because another release would plan otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.replan import Chosen, Outcome, choose, identity_in, identity_of
from qwen3_operator.decisions.standing import stand_by
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.v1alpha1 import Replan
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.hardware import Inventory, NodeGroup
from qwen3_planner.plan import NoPlan, Plan, PlanResult, Refusal
from qwen3_planner.planning import plan
from qwen3_planner.report.plan_status import status_document
from qwen3_planner.request import PlanRequest
from support.values import accelerator

if TYPE_CHECKING:
    from collections.abc import Callable

ASK = PlanRequest("Qwen3-32B", max_nodes_per_replica=1)


def planner(product: str, gpus: int) -> Callable[[PlanRequest], PlanResult]:
    group = NodeGroup(accelerator(product), gpus, interconnect="nvlink")
    return lambda request: plan(request, Inventory((group,)), load_catalog())


def stricter(request: PlanRequest) -> PlanResult:
    """Answer as a release that found the layout that runs to be illegal."""
    answer = planner("H100-SXM-80GB", 8)(request)
    assert isinstance(answer, Plan)
    if request.parallelism.tensor == running()["layout"]["tensor"]:
        refusal = Refusal("KvHeadDivisibility", "not any more", "bf16")
        return NoPlan(answer.variant, answer.parameters, answer.source, (refusal,))
    return planner("H100-SXM-80GB", 8)(replace(request, max_model_len=8192))


def running() -> dict[str, Any]:
    made = planner("H100-SXM-80GB", 8)(ASK)
    assert isinstance(made, Plan)
    return status_document(made)


def decided(ask: Callable[[PlanRequest], PlanResult], *, is_unchanged: bool) -> Chosen:
    chosen = choose(ASK, Replan.WHEN_BROKEN, running(), spec_changed=False, ask=ask)
    return stand_by(chosen, running() if is_unchanged else None, ASK, ask)


def test_a_stricter_release_goes_on_with_what_runs_and_says_so() -> None:
    chosen = decided(stricter, is_unchanged=True)

    assert chosen.outcome is Outcome.KEPT
    assert isinstance(chosen.result, Plan)
    assert identity_of(chosen.result) == identity_in(running())
    assert list(chosen.result.command) == running()["command"]
    assert chosen.verdict.reason is Reason.PLAN_KEPT
    assert "not any more" in chosen.verdict.message


def test_a_changed_specification_is_judged_by_todays_rules() -> None:
    assert decided(stricter, is_unchanged=False).outcome is Outcome.REPLANNED


def test_a_plan_that_runs_before_the_status_tells_of_it_is_simply_chosen() -> None:
    """An operator may end after it wrote the children and before it wrote the status."""
    longer = replace(ASK, max_model_len=8192)
    ask = planner("H100-SXM-80GB", 8)
    live = ask(longer)
    assert isinstance(live, Plan)
    chosen = choose(longer, Replan.WHEN_BROKEN, running(), spec_changed=True, ask=ask)

    stood = stand_by(chosen, status_document(live), longer, ask)

    assert stood == chosen
    assert isinstance(stood.result, Plan)
    assert stood.result.max_model_len == 8192


def test_hardware_that_is_gone_moves_what_ran_on_it() -> None:
    elsewhere = planner("H200-SXM-141GB", 8)

    chosen = decided(elsewhere, is_unchanged=True)

    assert chosen.outcome is Outcome.REPLANNED
    assert isinstance(chosen.result, Plan)
    assert chosen.result.placement.accelerator == "H200-SXM-141GB"


def test_a_node_with_too_few_gpus_is_gone_hardware() -> None:
    assert running()["layout"]["gpusPerReplica"] > 1

    chosen = decided(planner("H100-SXM-80GB", 1), is_unchanged=True)

    assert chosen.outcome is not Outcome.KEPT
