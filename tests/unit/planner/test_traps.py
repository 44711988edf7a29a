"""The traps that other planners of this family fell into, each by its name."""

from __future__ import annotations

import pytest

from qwen3_planner.catalog.tensor_sizes import legal_tensor_sizes
from qwen3_planner.engines.versions import Version
from qwen3_planner.engines.vllm.semantics import default_batch, semantics_at
from qwen3_planner.plan import Layout
from qwen3_planner.request import EngineTuning, KvCacheDtype, Quantization
from qwen3_planner.rules.chains import layout_refusal
from qwen3_planner.sizing.formats import BF16
from qwen3_planner.sizing.kv_cache import token_bytes
from qwen3_planner.sizing.tensors import Sharding, active_parameters, layer_tensors, parameters
from qwen3_planner.sizing.weights import checkpoint_bytes, rank_weights, stage_tensors
from qwen3_planner.units import GIB
from support.planner_builders import (
    FP8_BLOCKS,
    VARIANTS,
    a_model,
    a_question,
    layout_facts_of,
    planned,
    refused,
)


def loaded_gib(name: str, layout: Layout) -> float:
    found = rank_weights(a_model(name), BF16, layout, stage=0, expert_rank=0, positions=40960)
    return found / GIB


@pytest.mark.parametrize("name", ["Qwen3-0.6B", "Qwen3-30B-A3B", "Qwen3-235B-A22B"])
def test_trap_1_head_dim_is_128_by_config_where_the_quotient_is_64(name: str) -> None:
    model = a_model(name)
    assert model.hidden_size // model.attention_heads == 64
    whole = token_bytes(model, 1, model.layers, 64)
    assert whole == 2 * model.layers * model.kv_heads * 128 * 2


@pytest.mark.parametrize("name", ["Qwen3-4B", "Qwen3-32B"])
def test_trap_1_head_dim_is_128_by_config_where_the_quotient_is_80(name: str) -> None:
    model = a_model(name)
    assert model.hidden_size // model.attention_heads == 80
    qkv = next(t for t in layer_tensors(model, BF16, Sharding(1)) if t.name == "qkv_proj.weight")
    assert qkv.shape[0] == (model.attention_heads + 2 * model.kv_heads) * 128


def test_trap_2_the_tied_head_is_stored_in_the_file_but_not_loaded() -> None:
    model = a_model("Qwen3-0.6B")
    assert model.tied_embeddings
    assert checkpoint_bytes(model, BF16) == 751_632_384 * 2
    assert parameters(model) == 596_049_920
    assert loaded_gib("Qwen3-0.6B", Layout()) == pytest.approx(1.12, abs=0.005)


@pytest.mark.parametrize(
    ("name", "bytes_per_token"), [("Qwen3-235B-A22B", 48_128), ("Qwen3-30B-A3B", 24_576)]
)
def test_trap_3_kv_heads_are_replicated_above_tensor_4_on_both_moes(
    name: str, bytes_per_token: int
) -> None:
    model = a_model(name)
    assert token_bytes(model, 4, model.layers, 64) == bytes_per_token
    assert token_bytes(model, 8, model.layers, 64) == bytes_per_token


def test_trap_3_more_ranks_than_kv_heads_hold_no_more_tokens_per_byte() -> None:
    four = planned("Qwen3-235B-A22B", "4xH200-SXM-141GB", tensor=4, quantization=Quantization.FP8)
    eight = planned("Qwen3-235B-A22B", "8xH200-SXM-141GB", tensor=8, quantization=Quantization.FP8)
    per_token = [
        plan.memory.per_gpu[0].kv_cache_bytes / plan.memory.kv_cache_tokens
        for plan in (four, eight)
    ]
    assert per_token == pytest.approx([48_128, 48_128], rel=1e-3)


@pytest.mark.parametrize("tensor", [5, 10, 20])
def test_trap_4_the_kv_head_rule_is_separate_from_the_head_rule(tensor: int) -> None:
    assert a_model("Qwen3-14B").attention_heads % tensor == 0
    no = layout_refusal(layout_facts_of(Layout(tensor=tensor), model="Qwen3-14B"))
    assert no is not None
    assert no.rule == "KvHeadDivisibility"


def test_trap_5_14b_has_40_heads_and_takes_1_2_4_or_8_ranks() -> None:
    assert a_model("Qwen3-14B").attention_heads == 40
    assert legal_tensor_sizes(a_model("Qwen3-14B")) == (1, 2, 4, 8)
    no = layout_refusal(layout_facts_of(Layout(tensor=40), model="Qwen3-14B"))
    assert no is not None


@pytest.mark.parametrize(("name", "tensor"), [("Qwen3-30B-A3B", 4), ("Qwen3-235B-A22B", 8)])
def test_trap_6_fp8_blocks_must_divide_each_slice_until_a_version_refines_them(
    name: str, tensor: int
) -> None:
    def verdict(version: str, expert: int = 1) -> str | None:
        layout = Layout(tensor=tensor, expert=expert)
        facts = layout_facts_of(layout, model=name, fmt=FP8_BLOCKS, version=version)
        no = layout_refusal(facts)
        return None if no is None else no.rule

    assert verdict("0.8.5") == "FP8BlockAlignment"
    assert verdict("0.28.0") == "FP8BlockAlignment"
    assert verdict("0.8.5", expert=tensor) is None
    assert verdict("0.29.0") is None


def test_trap_7_the_activation_peak_is_per_gpu_and_follows_the_model_runner() -> None:
    def peak_gib(name: str, gpus: int, version: str) -> float:
        found = planned(
            name,
            f"{gpus}xH100-SXM-80GB",
            tensor=gpus,
            engine_version=version,
            quantization=Quantization.BF16,
            max_model_len=16000,
            tuning=EngineTuning(gpu_memory_utilization=0.9),
        )
        return found.memory.per_gpu[0].activation_bytes / GIB

    small, large, halved = (
        peak_gib("Qwen3-0.6B", 1, "0.11.0"),
        peak_gib("Qwen3-32B", 1, "0.11.0"),
        peak_gib("Qwen3-32B", 2, "0.11.0"),
    )
    assert [small, large, halved] == pytest.approx([5.56, 5.64, 5.64], abs=0.05)
    assert peak_gib("Qwen3-32B", 1, "0.32.0") < 1.6
    assert peak_gib("Qwen3-32B", 2, "0.32.0") < 0.6 * peak_gib("Qwen3-32B", 1, "0.32.0")


def test_trap_8_moe_memory_needs_all_experts_not_the_active_ones() -> None:
    model = a_model("Qwen3-30B-A3B")
    assert active_parameters(model) == 3_353_032_704
    assert loaded_gib("Qwen3-30B-A3B", Layout()) > parameters(model) * 2 / GIB


def test_trap_9_fp8_weights_do_not_imply_an_fp8_kv_cache() -> None:
    plan = planned("Qwen3-32B", "1xH100-SXM-80GB", quantization=Quantization.FP8)
    assert plan.kv_cache_dtype == "bf16"
    assert "--kv-cache-dtype" not in plan.command
    halved = planned(
        "Qwen3-32B",
        "1xH100-SXM-80GB",
        quantization=Quantization.FP8,
        kv_cache_dtype=KvCacheDtype.FP8,
    )
    assert halved.memory.kv_cache_tokens == pytest.approx(
        2 * plan.memory.kv_cache_tokens, rel=0.001
    )


@pytest.mark.parametrize("name", ["Qwen3-30B-A3B", "Qwen3-235B-A22B"])
def test_trap_10_the_dense_inner_size_of_a_moe_is_unused(name: str) -> None:
    model = a_model(name)
    assert model.intermediate_size in (6144, 12288)
    tensors = layer_tensors(model, BF16, Sharding(1, local_experts=model.experts))
    assert not [t for t in tensors if model.intermediate_size in t.shape]


def test_trap_11_the_engine_version_changes_the_memory_rule() -> None:
    old, new = (semantics_at(Version(0, minor)) for minor in (11, 32))
    assert (old.utilization, new.utilization) == (0.9, 0.92)
    assert (old.graphs_in_budget, new.graphs_in_budget) == (False, True)
    assert old.runner != new.runner


@pytest.mark.parametrize(
    ("gib", "product", "expected"),
    [
        (178, "B200-SXM-180GB", (16384, 1024)),
        (79, "H100-SXM-80GB", (8192, 1024)),
        (79, "A100-SXM-80GB", (2048, 256)),
        (44, "L40S-48GB", (2048, 256)),
    ],
)
def test_trap_12_scheduler_defaults_follow_the_device(
    gib: int, product: str, expected: tuple[int, int]
) -> None:
    semantics = semantics_at(Version(0, 32))
    assert default_batch(semantics, gib * GIB, product) == expected


def test_trap_12_the_activation_peak_follows_the_batched_tokens() -> None:
    def peak(tokens: int) -> int:
        plan = planned(
            "Qwen3-8B", "1xH100-SXM-80GB", tuning=EngineTuning(max_num_batched_tokens=tokens)
        )
        return plan.memory.per_gpu[0].activation_bytes

    assert peak(65536) == 2 * peak(32768)  # where the pass outgrows what compiling holds


@pytest.mark.parametrize("name", ["Qwen3-30B-A3B", "Qwen3-235B-A22B"])
def test_trap_13_the_router_is_neither_sharded_nor_quantized(name: str) -> None:
    model = a_model(name)
    for fmt in (BF16, FP8_BLOCKS):
        tensors = layer_tensors(model, fmt, Sharding(8, 8, model.experts))
        router = next(t for t in tensors if t.name == "gate.weight")
        assert router.shape == (128, model.hidden_size)
        assert router.element_bits == 16


def test_a_tied_model_in_stages_holds_the_vocabulary_on_both_ends() -> None:
    model, layout = a_model("Qwen3-4B"), Layout(tensor=2, pipeline=2)
    first, last = (stage_tensors(model, layout, stage, 40960) for stage in (0, 1))
    embedding = next(t for t in first if t.name == "embed_tokens.weight")
    head = next(t for t in last if t.name == "lm_head.weight")
    assert embedding.n_bytes == head.n_bytes == model.vocab_size * model.hidden_size // 2 * 2
    assert not [t for t in first if t.name == "lm_head.weight"]


def test_235b_in_bf16_does_not_fit_four_a100_and_says_what_would() -> None:
    found = refused("Qwen3-235B-A22B", "4xA100-SXM-80GB", quantization=Quantization.BF16)
    binding = found.refusals[0]
    assert binding.rule == "InsufficientGPUMemory"
    assert binding.needed_bytes is not None
    assert binding.available_bytes is not None
    assert (binding.needed_bytes - binding.available_bytes) / GIB == pytest.approx(39, abs=1.5)
    assert "GiB missing per GPU" in binding.message
    assert found.nearest is not None
    assert str(found.nearest.change) == "--quantization fp8"
    assert found.nearest.plan.quantization == "fp8"


def test_every_variant_is_planned_somewhere() -> None:
    for name in VARIANTS:
        plan = planned(name, "8xH200-SXM-141GB")
        assert plan.max_model_len == a_question(name).model.max_position_embeddings
