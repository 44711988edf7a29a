"""What each rule of vLLM refuses, and what lies just beside it.

One case per check. The reference page of rules quotes what is said of the refused one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.plan import Layout
from qwen3_planner.request import EngineTuning, KvCacheDtype, MultiNode, Quantization
from qwen3_planner.rules import (
    captured_graphs,
    fp8_blocks,
    int_groups,
    kv_caches,
    layouts,
    quantized,
    releases,
    serving,
)
from qwen3_planner.rules.facts import LayoutFacts, PoolFacts
from qwen3_planner.sizing.formats import FileLayout, WeightFormat, WeightKind
from support.planner_builders import AWQ, FP8_BLOCKS, GPTQ, an_accelerator, pool_facts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_planner.rules.rule import Rule

ONLINE_BLOCKS = WeightFormat(Quantization.FP8, WeightKind.FP8_BLOCK, 128, 128, online=True)
FP8_STATIC = WeightFormat(
    Quantization.FP8_STATIC, WeightKind.FP8_TENSOR, layout=FileLayout.MODELOPT
)
FP8_CHANNEL = WeightFormat(Quantization.FP8, WeightKind.FP8_CHANNEL)
INT8 = WeightFormat(Quantization.INT8, WeightKind.INT8_CHANNEL)
NVFP4 = WeightFormat(
    Quantization.NVFP4, WeightKind.NVFP4_GROUP, group_size=16, layout=FileLayout.MODELOPT
)
MXFP4 = WeightFormat(Quantization.MXFP4, WeightKind.MXFP4_GROUP, group_size=32)
GGUF = WeightFormat(Quantization.GGUF_Q4_K_M, WeightKind.GGUF)
FP16 = WeightFormat(Quantization.FP16, WeightKind.PLAIN)
SMALL_GROUPS = replace(GPTQ, group_size=32)
ORDERED = replace(GPTQ, act_order=True)

MOE, DENSE, LARGE = "Qwen3-30B-A3B", "Qwen3-8B", "Qwen3-235B-A22B"
NEXT, IMAGES = "Qwen3-Next-80B-A3B-Instruct", "Qwen3-VL-32B-Instruct"
RERANKER, EMBEDDING = "Qwen3-Reranker-4B", "Qwen3-Embedding-4B"


@dataclass(frozen=True, slots=True)
class Case:
    """One check, as facts of :func:`support.planner_builders.pool_facts_of`.

    Attributes:
        check: asked.
        refused: facts that it has something to say about.
        accepted: what is changed of them so that it has not.
    """

    check: Callable[..., str | None]
    refused: dict[str, Any]
    accepted: dict[str, Any]


POOL_CASES = (
    Case(serving.engine_runs_here, {"accelerator": "RaspberryPi5-8GB"}, {"accelerator": "T4-16GB"}),
    Case(releases.weights_are_no_gguf, {"fmt": GGUF}, {"fmt": AWQ}),
    Case(releases.hybrid_models_are_known, {"model": NEXT}, {"model": MOE}),
    Case(releases.image_models_are_known, {"model": IMAGES}, {"model": "Qwen3-32B"}),
    Case(releases.rerankers_are_known, {"model": RERANKER}, {"model": EMBEDDING}),
    Case(
        releases.dense_fp8_checkpoints_load,
        {"model": DENSE, "fmt": FP8_BLOCKS},
        {"model": MOE},
    ),
    Case(
        serving.context_is_within_yarn,
        {"model": DENSE, "max_model_len": 131073},
        {"max_model_len": 131072},
    ),
    Case(
        serving.request_is_within_context,
        {"model": DENSE, "max_model_len": 4096, "input_tokens": 4000, "output_tokens": 97},
        {"output_tokens": 96},
    ),
    Case(
        serving.scheduler_step_holds_every_sequence,
        {"tuning": EngineTuning(max_num_seqs=256, max_num_batched_tokens=255)},
        {"tuning": EngineTuning(max_num_seqs=256, max_num_batched_tokens=256)},
    ),
    Case(
        quantized.bf16_weights_need_bf16_units,
        {"model": DENSE, "accelerator": "T4-16GB"},
        {"fmt": FP16},
    ),
    Case(
        quantized.version_has_kernels,
        {"model": MOE, "fmt": MXFP4, "version": "0.14.1"},
        {"model": DENSE},
    ),
    Case(
        quantized.gpu_has_kernels,
        {"model": DENSE, "fmt": FP8_BLOCKS, "accelerator": "V100-SXM-16GB"},
        {"accelerator": "T4-16GB"},
    ),
    Case(
        releases.activation_order_is_taken,
        {"model": DENSE, "fmt": ORDERED},
        {"fmt": GPTQ},
    ),
    Case(
        kv_caches.kv_cache_type_is_known,
        {"kv_cache_dtype": KvCacheDtype.Q8_0},
        {"kv_cache_dtype": KvCacheDtype.FP8},
    ),
    Case(
        kv_caches.fp16_cache_follows_fp16_weights,
        {"kv_cache_dtype": KvCacheDtype.FP16},
        {"fmt": FP16},
    ),
    Case(
        kv_caches.fp8_cache_has_a_backend,
        {"kv_cache_dtype": KvCacheDtype.FP8, "accelerator": "T4-16GB", "version": "0.33.0"},
        {"accelerator": "A10-24GB"},
    ),
    Case(
        kv_caches.e5m2_cache_needs_other_weights,
        {"kv_cache_dtype": KvCacheDtype.FP8_E5M2, "fmt": FP8_BLOCKS},
        {"fmt": AWQ},
    ),
    Case(
        kv_caches.compressed_checkpoint_takes_no_e5m2,
        {"kv_cache_dtype": KvCacheDtype.FP8_E5M2, "fmt": FP8_CHANNEL},
        {"kv_cache_dtype": KvCacheDtype.FP8},
    ),
    Case(
        releases.draft_models_are_supported,
        {"tuning": EngineTuning(draft_model="Qwen3-0.6B")},
        {"tuning": EngineTuning()},
    ),
    Case(
        releases.experts_take_adapters,
        {"model": MOE, "tuning": EngineTuning(max_loras=1)},
        {"model": DENSE},
    ),
    Case(
        releases.offloaded_hybrid_starts,
        {"model": NEXT, "tuning": EngineTuning(cpu_offload_gib=1.0)},
        {"model": MOE},
    ),
)
"""Rules about a pool."""

LAYOUT_CASES = (
    Case(
        layouts.replica_takes_one_slice,
        {"model": DENSE, "accelerator": "H100-SXM-80GB-MIG-3g.40gb", "layout": Layout(2)},
        {"layout": Layout(1)},
    ),
    Case(
        layouts.attention_heads_divide,
        {"model": "Qwen3-32B", "layout": Layout(3)},
        {"layout": Layout(4)},
    ),
    Case(
        layouts.kv_heads_divide_or_replicate,
        {"model": LARGE, "layout": Layout(6)},
        {"layout": Layout(8)},
    ),
    Case(
        layouts.vocabulary_divides,
        {"model": "Qwen3-Coder-480B-A35B-Instruct", "layout": Layout(24)},
        {"layout": Layout(32)},
    ),
    Case(
        layouts.linear_heads_divide, {"model": NEXT, "layout": Layout(32)}, {"layout": Layout(16)}
    ),
    Case(
        layouts.image_encoder_divides,
        {"model": IMAGES, "layout": Layout(32)},
        {"layout": Layout(16)},
    ),
    Case(
        layouts.expert_parallel_needs_experts,
        {"model": DENSE, "layout": Layout(2, expert=2)},
        {"model": MOE},
    ),
    Case(
        layouts.expert_group_is_tensor_times_data,
        {"model": MOE, "layout": Layout(4, data=2, expert=4)},
        {"layout": Layout(4, data=2, expert=8)},
    ),
    Case(
        layouts.every_rank_has_an_expert,
        {"model": MOE, "layout": Layout(32, data=8, expert=256)},
        {"layout": Layout(32, data=4, expert=128)},
    ),
    Case(
        layouts.inner_size_divides,
        {"model": "Qwen3-14B", "layout": Layout(40)},
        {"layout": Layout(8)},
    ),
    Case(
        layouts.every_stage_has_a_layer,
        {"model": "Qwen3-0.6B", "layout": Layout(1, pipeline=29)},
        {"layout": Layout(1, pipeline=28)},
    ),
    Case(
        fp8_blocks.fp8_blocks_divide_dense_layers,
        {"model": "Qwen3-4B", "fmt": FP8_BLOCKS, "layout": Layout(8)},
        {"layout": Layout(4)},
    ),
    Case(
        fp8_blocks.fp8_blocks_divide_experts,
        {"model": LARGE, "fmt": FP8_BLOCKS, "layout": Layout(8)},
        {"layout": Layout(8, expert=8)},
    ),
    Case(
        fp8_blocks.fp8_blocks_divide_or_can_be_refined,
        {"model": LARGE, "fmt": FP8_BLOCKS, "layout": Layout(8), "accelerator": "A100-SXM-80GB"},
        {"accelerator": "L40S-48GB"},
    ),
    Case(
        fp8_blocks.online_blocks_divide_experts,
        {"model": MOE, "fmt": ONLINE_BLOCKS, "layout": Layout(4)},
        {"layout": Layout(2)},
    ),
    Case(
        int_groups.groups_divide_dense_layers,
        {"model": "Qwen3-4B", "fmt": AWQ, "layout": Layout(8)},
        {"layout": Layout(4)},
    ),
    Case(
        int_groups.groups_divide_experts,
        {"model": MOE, "fmt": GPTQ, "layout": Layout(32)},
        {"layout": Layout(8)},
    ),
    Case(
        int_groups.marlin_tiles_divide_dense_layers,
        {"model": "Qwen3-4B", "fmt": SMALL_GROUPS, "layout": Layout(8)},
        {"fmt": replace(AWQ, group_size=32)},
    ),
    Case(
        int_groups.fp4_tiles_divide_experts,
        {"model": LARGE, "fmt": NVFP4, "layout": Layout(16)},
        {"layout": Layout(8)},
    ),
    Case(
        int_groups.wna16_block_divides_experts,
        {"model": LARGE, "fmt": GPTQ, "layout": Layout(8)},
        {"layout": Layout(8, expert=8)},
    ),
    Case(
        releases.reranker_head_is_not_cut,
        {"model": RERANKER, "layout": Layout(2)},
        {"layout": Layout(1)},
    ),
    Case(
        releases.slots_are_shared_out,
        {"tuning": EngineTuning(max_loras=1, fully_sharded_loras=True), "layout": Layout(32)},
        {"layout": Layout(16)},
    ),
    Case(
        releases.adapters_go_without_expert_parallel,
        {"model": MOE, "tuning": EngineTuning(max_loras=1), "layout": Layout(4, expert=4)},
        {"layout": Layout(4)},
    ),
    Case(
        layouts.nodes_need_no_ray,
        {"model": DENSE, "layout": Layout(8, nodes_per_replica=2)},
        {"layout": Layout(8)},
    ),
    Case(
        layouts.nodes_hold_whole_data_ranks,
        {"model": MOE, "layout": Layout(3, data=2, nodes_per_replica=3)},
        {"layout": Layout(3, data=2, nodes_per_replica=2)},
    ),
    Case(
        layouts.ray_places_whole_data_ranks,
        {
            "model": MOE,
            "layout": Layout(8, data=2, nodes_per_replica=4),
            "tuning": EngineTuning(multi_node=MultiNode.RAY),
        },
        {"layout": Layout(8, data=2, nodes_per_replica=2)},
    ),
)
"""Rules about a layout."""

CAUTION_CASES = (
    Case(
        fp8_blocks.refined_scales_leave_one_backend,
        {"model": MOE, "fmt": FP8_BLOCKS, "layout": Layout(4)},
        {"layout": Layout(4, expert=4)},
    ),
    Case(
        fp8_blocks.padded_blocks_cost_memory,
        {"model": MOE, "fmt": ONLINE_BLOCKS, "layout": Layout(4)},
        {"layout": Layout(2)},
    ),
    Case(
        int_groups.wna16_experts_are_slow,
        {"model": MOE, "fmt": GPTQ, "layout": Layout(4)},
        {"layout": Layout(4, expert=4)},
    ),
    Case(
        quantized.fp4_is_multiplied_as_16_bit,
        {"model": LARGE, "fmt": NVFP4, "layout": Layout(8)},
        {"accelerator": "B200-SXM-180GB"},
    ),
    Case(
        layouts.copied_kv_heads_hold_no_more,
        {"model": LARGE, "layout": Layout(8)},
        {"layout": Layout(4)},
    ),
    Case(
        captured_graphs.graphs_find_room_beside_the_budget,
        {"model": LARGE, "accelerator": "A100-SXM-80GB", "layout": Layout(8, expert=8)},
        {"tuning": EngineTuning(enforce_eager=True)},
    ),
    Case(
        kv_caches.old_engine_takes_over,
        {
            "model": DENSE,
            "kv_cache_dtype": KvCacheDtype.FP8,
            "accelerator": "L4-24GB",
            "layout": Layout(),
        },
        {"accelerator": "H100-SXM-80GB"},
    ),
)
"""Things to know of a layout."""

CASES = {case.check.__name__: case for case in (*POOL_CASES, *LAYOUT_CASES, *CAUTION_CASES)}


def facts_of(version: str, fields: dict[str, Any]) -> PoolFacts | LayoutFacts:
    """Gather the facts of a case; a layout makes them a layout's.

    The catalog's minimum version, and whether it knows a checkpoint, do not matter here.
    """
    given = {"version": version, **fields}
    layout = given.pop("layout", None)
    accelerator = given.pop("accelerator", "H100-SXM-80GB")
    fmt = given.pop("fmt", None) or WeightFormat(Quantization.BF16, WeightKind.PLAIN)
    pool = pool_facts_of(accelerator="H100-SXM-80GB", fmt=fmt, **given)
    pool = replace(pool, accelerator=an_accelerator(accelerator))
    return pool if layout is None else LayoutFacts(pool, layout)


def said_of(rule: Rule[Any]) -> str | None:
    """Return what a rule says of its case; None where there is no case."""
    case = CASES.get(rule.check.__name__)
    if case is None:
        return None
    oldest = load_catalog().engine("vllm").minimum_version
    version = oldest if str(rule.since) == "0.0.0" else str(rule.since)
    if rule.until is None and "version" not in case.refused:
        version = load_catalog().engine("vllm").default_version
    sentence = rule.check(facts_of(version, case.refused))
    return None if sentence is None else str(sentence)
