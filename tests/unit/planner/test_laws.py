"""Laws that hold for every question."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qwen3_planner.candidates import pools_of
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.hardware import Inventory
from qwen3_planner.plan import Layout, Plan
from qwen3_planner.planning import plan
from qwen3_planner.question import understand
from qwen3_planner.request import EngineTuning, PlanRequest, Quantization, Workload
from qwen3_planner.rules.chains import pool_refusal
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.serving.verdicts import Fit
from qwen3_planner.sizing.weights import stage_layers
from qwen3_planner.solving import candidates_of, judge_pool, pool_facts, solve
from support.depth import examples
from support.planner_builders import VARIANTS, hardware
from support.planner_strategies import hardware_texts, requests

if TYPE_CHECKING:
    from qwen3_planner.plan import PlanResult

PINNED = EngineTuning(max_num_seqs=256, max_num_batched_tokens=2048)
"""Left open, these grow with the device (the engine's own default), and with them what it needs."""

FORMATS = st.sampled_from((Quantization.BF16, Quantization.FP8))


def planned_or_skipped(request: PlanRequest, inventory: Inventory) -> Plan:
    """Plan what has a plan; what has none is skipped before its remedies are sought."""
    assume(solve(understand(request, inventory, load_catalog()), inventory).best is not None)
    found = plan(request, inventory, load_catalog())
    assert isinstance(found, Plan)
    return found


def memory_taken(found: Plan) -> int:
    return found.gpus * load_catalog().accelerator(found.placement.accelerator).memory_mib


def fixed_request(model: str, quantization: Quantization, concurrency: int) -> PlanRequest:
    return PlanRequest(
        model,
        quantization=quantization,
        max_model_len=8192,
        workload=Workload(concurrency),
        tuning=PINNED,
    )


@settings(max_examples=examples(40), deadline=None, derandomize=True)
@given(
    model=st.sampled_from(VARIANTS),
    text=hardware_texts,
    quantization=FORMATS,
    loads=st.tuples(st.integers(1, 200), st.integers(1, 200)).map(sorted),
)
def test_more_load_never_costs_less(
    model: str, text: str, quantization: Quantization, loads: list[int]
) -> None:
    less, more = (fixed_request(model, quantization, load) for load in loads)
    heavy = planned_or_skipped(more, hardware(text))
    light = plan(less, hardware(text), load_catalog())
    assert isinstance(light, Plan)
    assert memory_taken(light) <= memory_taken(heavy)


@settings(max_examples=examples(40), deadline=None, derandomize=True)
@given(
    model=st.sampled_from(VARIANTS),
    text=hardware_texts,
    quantization=FORMATS,
    load=st.integers(1, 100),
    extra_mib=st.integers(0, 50_000),
)
def test_a_bigger_gpu_never_fits_less(
    model: str, text: str, quantization: Quantization, load: int, extra_mib: int
) -> None:
    def bigger(inventory: Inventory) -> Inventory:
        return Inventory(
            tuple(
                replace(
                    group,
                    accelerator=replace(
                        group.accelerator,
                        memory_mib=group.accelerator.memory_mib + extra_mib,
                        usable_memory_mib=group.accelerator.usable_memory_mib + extra_mib,
                    ),
                )
                for group in inventory.groups
            )
        )

    request = fixed_request(model, quantization, load)
    planned_or_skipped(request, hardware(text))
    assert isinstance(plan(request, bigger(hardware(text)), load_catalog()), Plan)


@settings(max_examples=examples(30), deadline=None, derandomize=True)
@given(request=requests, text=hardware_texts)
def test_the_same_question_has_the_same_answer(request: PlanRequest, text: str) -> None:
    def ask() -> PlanResult:
        return plan(request, hardware(text), load_catalog())

    assert ask() == ask()


@settings(max_examples=examples(40), deadline=None, derandomize=True)
@given(request=requests, text=hardware_texts)
def test_every_candidate_is_judged_once(request: PlanRequest, text: str) -> None:
    question = understand(request, hardware(text), load_catalog())
    serving = serving_of(question.engine)
    for pool in pools_of(hardware(text), request.accelerators):
        for choice in question.choices:
            verdicts = list(judge_pool(question, pool, choice))
            facts = pool_facts(question, pool, choice, serving.setting(question, pool))
            if pool_refusal(facts):
                assert len(verdicts) == 1
                continue
            judged = [verdict.candidate for verdict in verdicts]
            assert judged == list(candidates_of(question, pool, choice))
            assert len(set(judged)) == len(judged) >= 1
            assert all(isinstance(v, Fit) or v.refusal.message for v in verdicts)


@settings(max_examples=examples(40), deadline=None, derandomize=True)
@given(request=requests, text=hardware_texts)
def test_a_plan_holds_what_was_fixed_and_fits_its_own_budget(
    request: PlanRequest, text: str
) -> None:
    found = planned_or_skipped(request, hardware(text))
    for name in ("tensor", "pipeline", "data", "expert"):
        fixed = getattr(request.parallelism, name)
        assert fixed is None or getattr(found.layout, name) == fixed
    more = found.replicas - request.replicas
    assert more >= 0 if request.replicas_are_open else more == 0
    if request.max_model_len is not None:
        assert found.max_model_len == request.max_model_len
    if request.quantization is not Quantization.AUTO:
        assert found.quantization == request.quantization.value
    if request.max_gpus is not None:
        assert found.gpus <= request.max_gpus
    if request.accelerators:
        assert found.placement.accelerator in request.accelerators
    assert len(found.memory.per_gpu) == found.layout.gpus_per_replica
    for gpu in found.memory.per_gpu:
        parts = (
            gpu.weights_bytes
            + gpu.kv_cache_bytes
            + gpu.activation_bytes
            + gpu.graph_bytes
            + gpu.overhead_bytes
        )
        assert parts <= gpu.budget_bytes <= gpu.device_bytes
        assert gpu.kv_needed_bytes <= gpu.kv_cache_bytes
    memory = found.memory
    assert memory.kv_cache_tokens_low <= memory.kv_cache_tokens <= memory.kv_cache_tokens_high
    assert memory.max_concurrency >= 1


@settings(max_examples=examples(30), deadline=None, derandomize=True)
@given(request=requests, text=hardware_texts)
def test_every_replica_finds_room_node_by_node(request: PlanRequest, text: str) -> None:
    inventory = hardware(text)
    found = planned_or_skipped(request, inventory)
    free = [
        group.accelerators_per_node
        for group in inventory.groups
        if group.accelerator.name == found.placement.accelerator
        for _ in range(group.count)
    ]
    for _ in range(found.replicas):
        free.sort(reverse=True)
        for node in range(found.layout.nodes_per_replica):
            free[node] -= found.layout.gpus_per_node
            assert free[node] >= 0


@given(layers=st.integers(1, 128), pipeline=st.integers(1, 32))
def test_stages_hold_every_layer_and_the_last_never_more_than_another(
    layers: int, pipeline: int
) -> None:
    assume(pipeline <= layers)
    stages = stage_layers(layers, pipeline)
    assert sum(stages) == layers
    assert len(stages) == pipeline
    assert max(stages) - min(stages) <= 1
    assert stages[-1] == min(stages)


@given(tensor=st.integers(1, 8), pipeline=st.integers(1, 4), data=st.integers(1, 4))
def test_a_layout_counts_its_gpus(tensor: int, pipeline: int, data: int) -> None:
    assert Layout(tensor, pipeline, data).gpus_per_replica == tensor * pipeline * data
