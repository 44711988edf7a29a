"""Each rule about weight formats and KV cache: one that passes and one that does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.plan import Layout
from qwen3_planner.request import KvCacheDtype, Quantization
from qwen3_planner.rules.chains import layout_refusal, pool_refusal
from support.planner_builders import FP8_BLOCKS, layout_facts_of, pool_facts_of

BF16, FP8 = Quantization.BF16, Quantization.FP8
INT4 = Quantization.AWQ_INT4


@pytest.mark.parametrize(
    ("quantization", "accelerator", "rule"),
    [
        (BF16, "A100-SXM-40GB", None),
        (BF16, "T4-16GB", "Bfloat16Unsupported"),
        (BF16, "MI300X-192GB", None),
        (FP8, "T4-16GB", None),
        (FP8, "A100-SXM-80GB", None),
        (FP8, "MI300X-192GB", None),
        (INT4, "T4-16GB", None),
        (BF16, "Apple-M2-Pro-32GB", "EngineUnsupportedHere"),
        (BF16, "RaspberryPi5-8GB", "EngineUnsupportedHere"),
    ],
)
def test_each_format_runs_where_the_engine_has_kernels(
    quantization: Quantization, accelerator: str, rule: str | None
) -> None:
    no = pool_refusal(pool_facts_of("Qwen3-8B", quantization, accelerator))
    assert (None if no is None else no.rule) == rule


def test_formats_below_turing_are_refused_with_the_capability_they_need() -> None:
    facts = pool_facts_of("Qwen3-8B", FP8, "T4-16GB")
    volta = replace(facts.accelerator, name="V100-SXM-32GB", compute_capability=(7, 0))
    no = pool_refusal(replace(facts, accelerator=volta))
    assert no is not None
    assert no.rule == "ComputeCapability"
    assert "7.5" in no.message
    assert "7.0" in no.message


def test_fp8_needs_fp8_units_on_amd() -> None:
    facts = pool_facts_of("Qwen3-8B", FP8, "MI300X-192GB")
    older = replace(facts.accelerator, name="MI250X-128GB", architecture="cdna2")
    no = pool_refusal(replace(facts, accelerator=older))
    assert no is not None
    assert no.rule == "ComputeCapability"


@pytest.mark.parametrize(
    ("accelerator", "rule"),
    [
        ("T4-16GB", "Fp8KvCacheCapability"),
        ("A100-SXM-40GB", None),
        ("L4-24GB", None),
        ("MI300X-192GB", None),
    ],
)
def test_an_fp8_kv_cache_needs_a_backend_that_reads_it(accelerator: str, rule: str | None) -> None:
    facts = pool_facts_of("Qwen3-8B", FP8, accelerator, kv_cache_dtype=KvCacheDtype.FP8)
    no = pool_refusal(facts)
    assert (None if no is None else no.rule) == rule


def test_refined_fp8_scales_need_fp8_units() -> None:
    layout = Layout(8)
    hopper = layout_facts_of(layout, model="Qwen3-235B-A22B", fmt=FP8_BLOCKS, version="0.32.0")
    ampere = layout_facts_of(
        layout,
        model="Qwen3-235B-A22B",
        fmt=FP8_BLOCKS,
        version="0.32.0",
        accelerator="A100-SXM-80GB",
    )
    assert layout_refusal(hopper) is None
    no = layout_refusal(ampere)
    assert no is not None
    assert no.rule == "FP8BlockAlignment"
    assert "expert parallelism" in no.message


def test_the_fp8_refusal_names_the_slice_and_a_size_that_is_aligned() -> None:
    facts = layout_facts_of(Layout(8), model="Qwen3-235B-A22B", fmt=FP8_BLOCKS, version="0.11.0")
    no = layout_refusal(facts)
    assert no is not None
    assert "192 of the inner 1536, 64 more than whole blocks" in no.message
    assert "tensor=4 is aligned" in no.message
