"""What SGLang refuses, by version: published failures first, then the edges of each rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwen3_planner.engines.versions import parse_version
from qwen3_planner.plan import Layout, NoPlan
from qwen3_planner.request import EngineName, EngineTuning, KvCacheDtype, Quantization
from qwen3_planner.rules.chains import layout_refusal, pool_refusal
from qwen3_planner.rules.facts import LayoutFacts, PoolFacts
from qwen3_planner.sizing.activation import Batch
from qwen3_planner.sizing.formats import BF16, FileLayout, WeightFormat, WeightKind
from support.planner_builders import AWQ, FP8_BLOCKS, GPTQ, a_model, an_accelerator, answer, planned

if TYPE_CHECKING:
    from qwen3_planner.plan import Refusal

NEWEST = "0.5.23"
FP8_CHANNEL = WeightFormat(Quantization.FP8, WeightKind.FP8_CHANNEL)
NVFP4 = WeightFormat(
    Quantization.NVFP4, WeightKind.NVFP4_GROUP, group_size=16, layout=FileLayout.MODELOPT
)


def pool(
    model: str = "Qwen3-32B",
    fmt: WeightFormat = BF16,
    on: str = "H100-SXM-80GB",
    version: str = NEWEST,
    **fields: object,
) -> PoolFacts:
    facts = {
        "kv_cache_dtype": KvCacheDtype.BF16,
        "batch": Batch(8192, 2048),
        "longest_tokens": None,
        "request_tokens": None,
        "tuning": EngineTuning(),
        **fields,
    }
    return PoolFacts(
        a_model(model),
        fmt,
        an_accelerator(on),
        EngineName.SGLANG,
        parse_version(version),
        **facts,  # type: ignore[arg-type]  # by the names above
    )


def rule_of(refusal: Refusal | None) -> str | None:
    return None if refusal is None else refusal.rule


def pool_rule(*args: object, **fields: object) -> str | None:
    return rule_of(pool_refusal(pool(*args, **fields)))  # type: ignore[arg-type]  # passed on


def layout_rule(layout: Layout, *args: object, **fields: object) -> str | None:
    return rule_of(layout_refusal(LayoutFacts(pool(*args, **fields), layout)))  # type: ignore[arg-type]  # passed on


def fixes_of(model: str, on: str, **fields: object) -> list[tuple[str, list[str]]]:
    found = answer(model, on, engine=EngineName.SGLANG, **fields)
    assert isinstance(found, NoPlan), found
    return [(one.rule, [str(fix.assignments) for fix in one.fixes]) for one in found.refusals]


@pytest.mark.parametrize(
    ("model", "tensor"),
    [("Qwen3-235B-A22B", 8), ("Qwen3-30B-A3B", 4), ("Qwen3-30B-A3B", 8)],
)
@pytest.mark.parametrize("version", ["0.4.6.post5", NEWEST])
def test_fp8_experts_cut_through_a_scale_block_are_refused(
    model: str, tensor: int, version: str
) -> None:
    # github.com/QwenLM/Qwen3/issues/1485: the same ValueError as vLLM's
    assert layout_rule(Layout(tensor), model, FP8_BLOCKS, version=version) == "FP8BlockAlignment"
    aligned = Layout(tensor, expert=tensor)
    assert layout_rule(aligned, model, FP8_BLOCKS, version=version) is None


@pytest.mark.parametrize("model", ["Qwen3-235B-A22B", "Qwen3-Coder-480B-A35B-Instruct"])
def test_the_smallest_expert_group_that_keeps_blocks_whole_is_among_the_fixes(model: str) -> None:
    # the cookbook serves Coder-480B-FP8 on eight GPUs with tp 8 ep 2
    (rule, fixes), *_ = fixes_of(
        model, "8xH200-SXM-141GB", quantization=Quantization.FP8, tensor=8, expert=1
    )
    assert rule == "FP8BlockAlignment"
    assert "(('expert', 2),)" in fixes


def test_the_planner_takes_that_expert_group_by_itself() -> None:
    plan = planned(
        "Qwen3-235B-A22B",
        "8xH200-SXM-141GB",
        engine=EngineName.SGLANG,
        quantization=Quantization.FP8,
        tensor=8,
    )
    assert plan.layout == Layout(8, expert=2)
    assert plan.command[plan.command.index("--ep-size") + 1] == "2"


def test_older_versions_spread_experts_over_all_ranks_or_none() -> None:
    part = Layout(8, expert=2)
    assert layout_rule(part, "Qwen3-235B-A22B", version="0.4.10.post2") == "ExpertParallelGroup"
    assert layout_rule(part, "Qwen3-235B-A22B", version="0.5.1") is None
    everywhere = Layout(8, expert=8)
    assert layout_rule(everywhere, "Qwen3-235B-A22B", version="0.4.6.post2") is None
    no = layout_rule(everywhere, "Qwen3-235B-A22B", version="0.4.6.post1")
    assert no == "LayoutNeedsNewerEngine"


@pytest.mark.parametrize("expert", [3, 16])
def test_an_expert_group_divides_the_ranks(expert: int) -> None:
    assert layout_rule(Layout(8, expert=expert), "Qwen3-235B-A22B") == "ExpertParallelGroup"


@pytest.mark.parametrize(("fmt", "version"), [(GPTQ, "0.4.8"), (AWQ, "0.4.6.post2")])
def test_int4_experts_need_a_version_with_kernels_of_its_own(
    fmt: WeightFormat, version: str
) -> None:
    # github.com/sgl-project/sglang/issues/7583 (GPTQ, June 2025) and /6000 (AWQ, May 2025)
    assert pool_rule("Qwen3-30B-A3B", fmt, version=version) == "QuantizationNeedsNewerEngine"
    assert pool_rule("Qwen3-30B-A3B", fmt, version="0.5.1") is None
    assert pool_rule("Qwen3-32B", fmt, version=version) is None


def test_a_newer_version_is_among_the_fixes_of_int4_experts() -> None:
    found = fixes_of(
        "Qwen3-30B-A3B",
        "1xH100-SXM-80GB",
        quantization=Quantization.GPTQ_INT4,
        engine_version="0.4.8",
    )
    assert found[0][0] == "QuantizationNeedsNewerEngine"
    assert "(('engineVersion', '0.5.1'),)" in found[0][1]


def test_fp8_experts_without_blocks_do_not_fit_small_shared_memory_before_0_5_14() -> None:
    # github.com/sgl-project/sglang/issues/5995: RedHatAI/Qwen3-30B-A3B-FP8-dynamic
    facts = ("Qwen3-30B-A3B", FP8_CHANNEL, "L40S-48GB")
    assert pool_rule(*facts, version="0.4.6.post1") == "SharedMemory"
    assert pool_rule(*facts, version="0.5.13.post1") == "SharedMemory"
    assert pool_rule(*facts, version="0.5.14") is None
    assert pool_rule("Qwen3-30B-A3B", FP8_CHANNEL, version="0.4.6.post1") is None
    assert pool_rule("Qwen3-30B-A3B", FP8_BLOCKS, "L40S-48GB", version="0.4.6.post1") is None


@pytest.mark.parametrize("version", ["0.4.6.post1", NEWEST])
def test_fp8_experts_need_fp8_units_in_every_version(version: str) -> None:
    # github.com/sgl-project/sglang/issues/5871: type fp8e4nv not supported in this architecture
    no = pool_refusal(pool("Qwen3-30B-A3B", FP8_BLOCKS, "A10-24GB", version))
    assert no is not None
    assert no.rule == "ComputeCapability"
    assert "8.9" in no.message
    assert "8.6" in no.message


def test_vllm_and_another_format_are_the_fixes_of_fp8_experts_on_ampere() -> None:
    (rule, fixes), *_ = fixes_of("Qwen3-30B-A3B", "4xA10-24GB", quantization=Quantization.FP8)
    assert rule == "ComputeCapability"
    assert "(('engine', 'vllm'),)" in fixes
    assert "(('quantization', 'gptq-int4'),)" in fixes


def test_dense_fp8_runs_on_ampere_once_the_weight_only_kernels_came() -> None:
    assert pool_rule("Qwen3-8B", FP8_BLOCKS, "A10-24GB", "0.5.5") == "ComputeCapability"
    assert pool_rule("Qwen3-8B", FP8_BLOCKS, "A10-24GB", "0.5.6") is None


@pytest.mark.parametrize(
    ("version", "on", "rule"),
    [
        ("0.5.12", "H100-SXM-80GB", "ComputeCapability"),
        ("0.5.13", "H100-SXM-80GB", None),
        ("0.4.6.post1", "B200-SXM-180GB", None),
    ],
)
def test_nvfp4_runs_below_blackwell_once_the_weight_only_kernels_came(
    version: str, on: str, rule: str | None
) -> None:
    assert pool_rule("Qwen3-32B", NVFP4, on, version) == rule


@pytest.mark.parametrize(
    ("version", "variable"),
    [
        ("0.4.8", ("SGL_ENABLE_JIT_DEEPGEMM", "0")),
        (NEWEST, None),
    ],
)
def test_deep_gemm_is_off_where_it_crashes(version: str, variable: tuple[str, str] | None) -> None:
    # github.com/sgl-project/sglang/issues/7495: Qwen3-0.6B-FP8 on one H100, June 2025
    plan = planned(
        "Qwen3-0.6B",
        "1xH100-SXM-80GB",
        engine=EngineName.SGLANG,
        engine_version=version,
        quantization=Quantization.FP8,
    )
    assert plan.env == (() if variable is None else (variable,))


@pytest.mark.parametrize(
    ("model", "version", "first"),
    [
        ("Qwen3-VL-8B-Instruct", "0.5.2", "0.5.3"),
        ("Qwen3-Next-80B-A3B-Instruct", "0.5.3.post2", "0.5.3.post3"),
        ("Qwen3-Reranker-8B", "0.5.7", "0.5.8"),
    ],
)
def test_newer_models_need_newer_versions(model: str, version: str, first: str) -> None:
    no = pool_refusal(pool(model, version=version))
    assert no is not None
    assert no.rule == "ModelNeedsNewerEngine"
    assert f"from {first} on" in no.message
    assert pool_rule(model, version=first) is None


def test_cards_before_turing_are_refused_and_turing_takes_half_precision() -> None:
    assert pool_rule("Qwen3-8B", on="V100-SXM-32GB") == "ComputeCapability"
    assert pool_rule("Qwen3-8B", on="T4-16GB") is None


@pytest.mark.parametrize(
    ("dtype", "on", "rule"),
    [
        (KvCacheDtype.Q8_0, "H100-SXM-80GB", "KvCacheDtypeUnsupported"),
        (KvCacheDtype.FP16, "H100-SXM-80GB", "KvCacheDtypeUnsupported"),
        (KvCacheDtype.FP8_E5M2, "T4-16GB", "Fp8KvCacheCapability"),
        (KvCacheDtype.FP8, "A100-SXM-80GB", None),
    ],
)
def test_the_kv_cache_has_a_type_that_sglang_keeps(
    dtype: KvCacheDtype, on: str, rule: str | None
) -> None:
    assert pool_rule("Qwen3-8B", on=on, kv_cache_dtype=dtype) == rule


def test_a_prefill_step_is_whole_pages_on_blackwell() -> None:
    odd = EngineTuning(max_num_batched_tokens=4100)
    assert pool_rule("Qwen3-8B", on="B200-SXM-180GB", tuning=odd) == "ChunkedPrefillPages"
    assert pool_rule("Qwen3-8B", on="H100-SXM-80GB", tuning=odd) is None


@pytest.mark.parametrize(
    ("tuning", "name"),
    [
        (EngineTuning(draft_model="Qwen3-0.6B"), "draftModel"),
    ],
)
def test_what_is_not_planned_for_sglang_is_refused_unless_taken_back_or_served_by_vllm(
    tuning: EngineTuning, name: str
) -> None:
    found = fixes_of("Qwen3-32B", "4xH100-SXM-80GB", tuning=tuning)
    taken_back, elsewhere = f"(('{name}', 'none'),)", "(('engine', 'vllm'),)"
    assert found == [("SettingUnsupported", [taken_back, elsewhere])]


@pytest.mark.parametrize(
    ("layout", "model", "version", "rule"),
    [
        (Layout(3), "Qwen3-32B", NEWEST, "AttentionHeadDivisibility"),
        (Layout(10), "Qwen3-14B", NEWEST, "KvHeadDivisibility"),
        (Layout(2, data=3), "Qwen3-32B", NEWEST, "VocabularyDivisibility"),
        (Layout(2, expert=2), "Qwen3-32B", NEWEST, "ExpertParallelNeedsExperts"),
        (Layout(1, 65), "Qwen3-32B", NEWEST, "PipelineExceedsLayers"),
        (Layout(2, 2), "Qwen3-32B", "0.4.6.post4", "LayoutNeedsNewerEngine"),
        (Layout(2, 2), "Qwen3-32B", "0.4.6.post5", None),
        (Layout(2, 2), "Qwen3-Next-80B-A3B-Instruct", NEWEST, "PipelineUnsupported"),
        (Layout(2, data=2), "Qwen3-32B", "0.4.8.post1", "LayoutNeedsNewerEngine"),
        (Layout(2, data=2), "Qwen3-32B", "0.4.9", None),
        (Layout(2, data=2), "Qwen3-30B-A3B", "0.4.6.post4", "LayoutNeedsNewerEngine"),
        (Layout(2, data=2), "Qwen3-30B-A3B", "0.4.6.post5", None),
        (Layout(2, 3, nodes_per_replica=2), "Qwen3-32B", NEWEST, "NodesDivideStages"),
        (Layout(4, 2, nodes_per_replica=4), "Qwen3-32B", NEWEST, None),
    ],
)
def test_layouts_are_judged_by_version(
    layout: Layout, model: str, version: str, rule: str | None
) -> None:
    assert layout_rule(layout, model, version=version) == rule


def test_dense_fp8_is_cut_over_all_ranks_under_attention_data_parallelism() -> None:
    assert layout_rule(Layout(1, data=16), "Qwen3-32B", FP8_BLOCKS) == "FP8BlockAlignment"
    assert layout_rule(Layout(1, data=8), "Qwen3-32B", FP8_BLOCKS) is None


def test_int4_slices_hold_whole_groups() -> None:
    assert layout_rule(Layout(8), "Qwen3-30B-A3B", GPTQ) == "MarlinTileAlignment"
    assert layout_rule(Layout(8, expert=8), "Qwen3-30B-A3B", GPTQ) is None
    assert layout_rule(Layout(8), "Qwen3-32B", AWQ) is None


def test_gguf_files_are_left_to_llama_cpp() -> None:
    found = fixes_of("Qwen3-8B", "1xH100-SXM-80GB", quantization=Quantization.GGUF_Q8_0)
    assert found[0][0] == "SettingUnsupported"
    assert "'engine'" in found[0][1][0]
