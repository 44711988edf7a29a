"""A plan that still holds stays; one that does not is replaced, or said to be broken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen3_operator.decisions.replan import (
    Outcome,
    choose,
    conflicts_with,
    identity_in,
    identity_of,
    pinned_to,
)
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.v1alpha1 import Replan
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.hardware import Inventory, NodeGroup
from qwen3_planner.plan import NoPlan, Plan, PlanResult
from qwen3_planner.planning import plan
from qwen3_planner.report.plan_status import status_document
from qwen3_planner.request import (
    EngineTuning,
    KvCacheDtype,
    ParallelismWish,
    PlanRequest,
    Quantization,
    Workload,
)
from support.values import accelerator

if TYPE_CHECKING:
    from collections.abc import Callable

ASK_32B = PlanRequest("Qwen3-32B", max_nodes_per_replica=1)


def hardware(*nodes: tuple[str, int]) -> Inventory:
    return Inventory(
        tuple(NodeGroup(accelerator(name), gpus, interconnect="nvlink") for name, gpus in nodes)
    )


def planner(*nodes: tuple[str, int]) -> Callable[[PlanRequest], PlanResult]:
    inventory = hardware(*nodes)
    return lambda request: plan(request, inventory, load_catalog())


def running(request: PlanRequest, *nodes: tuple[str, int]) -> dict[str, Any]:
    made = planner(*nodes)(request)
    assert isinstance(made, Plan)
    return status_document(made)


ON_L40S = ("L40S-48GB", 1)
ON_H100 = ("H100-SXM-80GB", 8)


def test_the_first_plan_is_planned() -> None:
    chosen = choose(ASK_32B, Replan.WHEN_BROKEN, None, spec_changed=True, ask=planner(ON_H100))

    assert (chosen.outcome, chosen.verdict.reason) == (Outcome.PLANNED, Reason.PLAN_COMPUTED)


def test_what_would_be_planned_anew_is_kept_without_further_words() -> None:
    before = running(ASK_32B, ON_H100)

    chosen = choose(ASK_32B, Replan.WHEN_BROKEN, before, spec_changed=False, ask=planner(ON_H100))

    assert (chosen.outcome, chosen.verdict.reason) == (Outcome.KEPT, Reason.PLAN_COMPUTED)


@pytest.mark.parametrize("policy", [Replan.NEVER, Replan.WHEN_BROKEN, Replan.ON_SPEC_CHANGE])
def test_a_better_node_moves_no_running_model(policy: Replan) -> None:
    before = running(ASK_32B, ON_L40S)
    assert before["placement"]["accelerator"] == "L40S-48GB"
    both = planner(ON_L40S, ("H200-SXM-141GB", 8))
    anew = both(ASK_32B)
    assert isinstance(anew, Plan)
    assert identity_of(anew) != identity_in(before)

    chosen = choose(ASK_32B, policy, before, spec_changed=False, ask=both)

    assert chosen.outcome is Outcome.KEPT
    assert chosen.verdict.reason is Reason.PLAN_KEPT
    assert isinstance(chosen.result, Plan)
    assert identity_of(chosen.result) == identity_in(before)
    assert "H200-SXM-141GB" in chosen.verdict.message


def test_a_kept_plan_has_the_command_that_runs() -> None:
    before = running(ASK_32B, ON_L40S)

    chosen = choose(
        ASK_32B,
        Replan.WHEN_BROKEN,
        before,
        spec_changed=False,
        ask=planner(ON_L40S, ("H200-SXM-141GB", 8)),
    )

    assert isinstance(chosen.result, Plan)
    assert list(chosen.result.command) == before["command"]
    assert dict(chosen.result.env) == before.get("env", {})


def test_a_change_of_the_specification_replans_only_where_asked_for() -> None:
    before = running(ASK_32B, ON_L40S)
    both = planner(ON_L40S, ("H200-SXM-141GB", 8))

    moved = choose(ASK_32B, Replan.ON_SPEC_CHANGE, before, spec_changed=True, ask=both)
    kept = choose(ASK_32B, Replan.WHEN_BROKEN, before, spec_changed=True, ask=both)

    assert moved.outcome is Outcome.REPLANNED
    assert kept.outcome is Outcome.KEPT


def test_a_plan_whose_hardware_is_gone_is_replaced() -> None:
    before = running(ASK_32B, ON_L40S)

    chosen = choose(ASK_32B, Replan.WHEN_BROKEN, before, spec_changed=False, ask=planner(ON_H100))

    assert chosen.outcome is Outcome.REPLANNED
    assert isinstance(chosen.result, Plan)
    assert chosen.result.placement.accelerator == "H100-SXM-80GB"


def test_never_means_never_and_says_why() -> None:
    before = running(ASK_32B, ON_L40S)

    chosen = choose(ASK_32B, Replan.NEVER, before, spec_changed=False, ask=planner(ON_H100))

    assert chosen.outcome is Outcome.INFEASIBLE
    assert isinstance(chosen.result, NoPlan)
    assert "spec.replan is Never" in chosen.verdict.message


def test_never_names_the_field_that_rules_the_plan_out() -> None:
    before = running(ASK_32B, ON_H100)
    other = replace(ASK_32B, quantization=Quantization.FP8)

    chosen = choose(other, Replan.NEVER, before, spec_changed=True, ask=planner(ON_H100))

    assert chosen.outcome is Outcome.INFEASIBLE
    assert "spec.quantization: fp8 (running: bf16)" in chosen.verdict.message


def test_a_specification_that_says_otherwise_is_obeyed() -> None:
    before = running(ASK_32B, ON_H100)
    other = replace(ASK_32B, quantization=Quantization.FP8)

    chosen = choose(other, Replan.WHEN_BROKEN, before, spec_changed=True, ask=planner(ON_H100))

    assert chosen.outcome is Outcome.REPLANNED
    assert isinstance(chosen.result, Plan)
    assert chosen.result.quantization == "fp8"


def test_a_load_that_the_running_plan_cannot_hold_breaks_it() -> None:
    before = running(PlanRequest("Qwen3-8B", max_nodes_per_replica=1), ("L4-24GB", 4))
    heavier = PlanRequest(
        "Qwen3-8B",
        max_nodes_per_replica=1,
        workload=Workload(concurrency=32, input_tokens=8192, output_tokens=1024),
    )

    chosen = choose(
        heavier, Replan.WHEN_BROKEN, before, spec_changed=True, ask=planner(("L4-24GB", 4))
    )

    assert chosen.outcome is Outcome.REPLANNED


def test_nothing_that_fits_is_told_with_what_would() -> None:
    request = PlanRequest(
        "Qwen3-235B-A22B", quantization=Quantization.BF16, max_nodes_per_replica=1
    )

    chosen = choose(
        request, Replan.WHEN_BROKEN, None, spec_changed=True, ask=planner(("A100-SXM-80GB", 4))
    )

    assert chosen.outcome is Outcome.INFEASIBLE
    assert chosen.verdict.reason is Reason.INSUFFICIENT_GPU_MEMORY
    assert "GiB missing per GPU" in chosen.verdict.message
    assert "What would fit: spec.quantization: fp8" in chosen.verdict.message
    assert "With the first: fp8 as tp4 on 4 x A100-SXM-80GB" in chosen.verdict.message


def test_what_needs_two_nodes_is_told_as_that_and_not_offered() -> None:
    request = PlanRequest(
        "Qwen3-235B-A22B", quantization=Quantization.BF16, max_nodes_per_replica=1
    )
    inventory = Inventory(
        (NodeGroup(accelerator("A100-SXM-40GB"), 8, count=4, interconnect="nvlink"),)
    )

    chosen = choose(
        request,
        Replan.WHEN_BROKEN,
        None,
        spec_changed=True,
        ask=lambda question: plan(question, inventory, load_catalog()),
    )

    assert chosen.verdict.reason is Reason.MULTI_NODE_NOT_SUPPORTED
    assert "maxNodesPerReplica" not in chosen.verdict.message
    assert "What would fit: spec.quantization: fp8" in chosen.verdict.message


def test_a_cluster_without_gpus_is_told_by_what_it_lacks() -> None:
    lacking = Verdict(Reason.NO_GPU_LABELS, "No label says which.")

    chosen = choose(
        ASK_32B, Replan.WHEN_BROKEN, None, spec_changed=True, ask=planner(), no_hardware=lacking
    )

    assert chosen.verdict is lacking


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": "Qwen3-14B"}, "spec.model.variant"),
        ({"source": "hf://me/tuned"}, "spec.model.source"),
        ({"engine_version": "0.31"}, "spec.engine.version"),
        ({"quantization": Quantization.AWQ_INT4}, "spec.quantization"),
        ({"kv_cache_dtype": KvCacheDtype.FP8}, "spec.kvCacheDtype"),
        ({"max_model_len": 1024}, "spec.maxModelLen"),
        ({"parallelism": ParallelismWish(tensor=4)}, "spec.parallelism.tensor"),
        ({"parallelism": ParallelismWish(pipeline=2)}, "spec.parallelism.pipeline"),
        ({"parallelism": ParallelismWish(data=2)}, "spec.parallelism.data"),
        ({"parallelism": ParallelismWish(expert=2)}, "spec.parallelism.expert"),
        ({"accelerators": ("L40S-48GB",)}, "spec.accelerators"),
    ],
)
def test_every_field_that_a_plan_fixes_can_rule_it_out(change: dict[str, Any], field: str) -> None:
    before = running(ASK_32B, ON_H100)

    conflicts = conflicts_with(replace(ASK_32B, **change), before)

    assert [conflict.partition(":")[0] for conflict in conflicts] == [field]


def test_what_agrees_with_the_plan_rules_nothing_out() -> None:
    before = running(ASK_32B, ON_H100)
    same = replace(
        ASK_32B,
        engine_version="0.32",
        quantization=Quantization.BF16,
        parallelism=ParallelismWish(tensor=2, expert=1),
        max_model_len=40960,
        accelerators=("L40S-48GB", "H100-SXM-80GB"),
        tuning=EngineTuning(max_num_seqs=8),
    )

    assert conflicts_with(same, before) == []


@pytest.mark.parametrize(
    "damaged", [{}, {"layout": {}}, {"quantization": "from-the-future"}, {"engine": None}]
)
def test_a_plan_that_cannot_be_read_is_made_anew(damaged: dict[str, Any]) -> None:
    before = {**running(ASK_32B, ON_L40S), **damaged} if damaged else {"feasible": True}

    chosen = choose(
        ASK_32B,
        Replan.WHEN_BROKEN,
        before,
        spec_changed=False,
        ask=planner(ON_L40S, ("H200-SXM-141GB", 8)),
    )

    assert chosen.outcome is Outcome.REPLANNED


CASES = st.builds(
    PlanRequest,
    model=st.sampled_from(["Qwen3-0.6B", "Qwen3-8B", "Qwen3-32B", "Qwen3-30B-A3B"]),
    quantization=st.sampled_from(Quantization),
    max_model_len=st.sampled_from([None, 8192, 65536]),
    workload=st.sampled_from([Workload(), Workload(16, 2048, 256)]),
    max_nodes_per_replica=st.just(1),
)
POOLS = st.lists(
    st.sampled_from([("H100-SXM-80GB", 8), ("L40S-48GB", 2), ("RTX-4090-24GB", 2), ("T4-16GB", 4)]),
    min_size=1,
    max_size=3,
    unique=True,
)


@pytest.mark.thorough
@settings(deadline=None)  # how long planning takes is tested elsewhere
@given(request=CASES, pools=POOLS)
def test_a_plan_asked_for_again_is_the_same_plan(
    request: PlanRequest, pools: list[tuple[str, int]]
) -> None:
    ask = planner(*pools)
    made = ask(request)
    if isinstance(made, NoPlan):
        return
    document = status_document(made)

    again = ask(pinned_to(request, document))

    assert isinstance(again, Plan), again
    assert identity_of(again) == identity_in(document)
    assert (again.command, again.env) == (made.command, made.env)
