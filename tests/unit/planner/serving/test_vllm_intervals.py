"""How far the KV cache of a start may be off, and to which side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.candidates import Candidate, pools_of
from qwen3_planner.fit import fit
from qwen3_planner.plan import Layout
from qwen3_planner.request import EngineName, EngineTuning, Quantization
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.serving.verdicts import Fit, margin_blocks, spare_blocks
from qwen3_planner.sizing.activation import compiler_copy
from qwen3_planner.sizing.stages import StageMemory
from qwen3_planner.units import GIB
from support.planner_builders import a_model, a_question, hardware, planned


def stages(
    model: str, on: str, version: str, *, is_compiled: bool | None = None, **fields: object
) -> tuple[StageMemory, ...]:
    return fitted(model, on, version, is_compiled=is_compiled, **fields).stages


def fitted(
    model: str, on: str, version: str, *, is_compiled: bool | None = None, **fields: object
) -> Fit:
    layout = Layout(fields.pop("tensor", 1), fields.pop("pipeline", 1))  # type: ignore[arg-type]
    question = a_question(
        model,
        engine=EngineName.VLLM,
        engine_version=version,
        quantization=Quantization.BF16,
        **fields,
    )
    (pool,) = pools_of(hardware(on), ())
    candidate = Candidate(pool, question.choices[0], layout)
    setting = serving_of(EngineName.VLLM).setting(question, pool)
    found = fit(question, candidate, replace(setting, is_compiled=is_compiled))
    assert isinstance(found, Fit)
    return found


@pytest.mark.parametrize(
    ("version", "copies"), [("0.26.0", 0), ("0.27.1", 1), ("0.30.0", 1), ("0.31.0", 0)]
)
def test_a_first_start_may_lose_the_compilers_copy_where_that_counts(
    version: str, copies: int
) -> None:
    (stage,) = stages("Qwen3-8B", "1xL40S-48GB", version)
    assert stage.may_lack == copies * compiler_copy(a_model("Qwen3-8B"), 1)


def test_a_start_that_was_compiled_before_lacks_and_spares_nothing() -> None:
    (stage,) = stages("Qwen3-8B", "1xL40S-48GB", "0.27.1", is_compiled=True)
    (cold,) = stages("Qwen3-8B", "1xL40S-48GB", "0.27.1")
    assert (stage.may_lack, stage.may_spare) == (0, 0)
    assert stage.activation == cold.activation - cold.may_spare


def test_only_the_stage_with_the_embedding_may_lose_its_copy() -> None:
    first, last = stages("Qwen3-8B", "2xL40S-48GB", "0.27.1", pipeline=2)
    assert first.may_lack > 0
    assert last.may_lack == 0


def test_a_stage_that_may_lack_more_may_turn_out_the_tightest() -> None:
    def stage(available: int, may_lack: int, may_spare: int) -> StageMemory:
        return StageMemory(0, 0, 0, 0, 0, 10, available, 0.0, may_lack, may_spare)

    roomy, tight = stage(2000, 900, 0), stage(1500, 0, 300)
    assert margin_blocks((roomy, tight), 0.0) == 150 - 110
    assert spare_blocks((roomy, tight), 0.0) == 180 - 150
    assert spare_blocks((stage(1600, 0, 0), tight), 0.0) == 10


def test_flashinfer_leaves_more_cache_than_the_sort_and_the_interval_says_so() -> None:
    plan = planned(
        "Qwen3-8B", "1xL40S-48GB", engine_version="0.10.2", quantization=Quantization.BF16
    )
    low, high = plan.memory.kv_cache_tokens_low, plan.memory.kv_cache_tokens_high
    assert high - plan.memory.kv_cache_tokens > 3 * (plan.memory.kv_cache_tokens - low)


def test_a_lone_gpu_is_known_better_than_a_group_and_that_than_a_linked_one() -> None:
    lone, unlinked, linked = (
        fitted("Qwen3-8B", on, "0.26.0", tensor=tensor).stages[0].sigma
        for on, tensor in (("1xL40S-48GB", 1), ("2xL40S-48GB", 2), ("2xH100-SXM-80GB", 2))
    )
    assert lone < 0.07 * GIB
    assert lone < unlinked < linked


def test_graphs_in_the_budget_and_stages_widen_it() -> None:
    plain, eager = (
        stages("Qwen3-8B", "1xL40S-48GB", "0.32.0", tuning=EngineTuning(enforce_eager=is_eager))
        for is_eager in (False, True)
    )
    assert plain[0].sigma > eager[0].sigma
    split = stages("Qwen3-8B", "2xL40S-48GB", "0.32.0", pipeline=2)
    assert split[0].sigma > plain[0].sigma


def test_a_release_that_is_not_known_yet_widens_it() -> None:
    known, new = (fitted("Qwen3-8B", "1xL40S-48GB", v) for v in ("0.33.0", "0.99.0"))
    assert new.blocks == known.blocks
    assert new.margin_blocks > 1.5 * known.margin_blocks
