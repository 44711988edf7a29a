"""plan(): the answers people would expect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.hardware import Inventory, NodeGroup
from qwen3_planner.plan import Basis, Layout, NoPlan, Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import EngineTuning, KvCacheDtype, Quantization
from support.planner_builders import (
    a_request,
    an_accelerator,
    answer,
    hardware,
    planned,
    refused,
)

BF16, FP8 = Quantization.BF16, Quantization.FP8


def test_32b_takes_two_h100_in_bf16_at_its_native_context() -> None:
    found = planned("Qwen3-32B", "2xH100-SXM-80GB")
    assert (found.quantization, found.layout, found.max_model_len) == ("bf16", Layout(2), 40960)
    assert found.source == "hf://Qwen/Qwen3-32B"
    assert found.parameters == 32_762_123_264


def test_the_most_precise_format_that_fits_is_taken() -> None:
    assert planned("Qwen3-32B", "1xH100-SXM-80GB").quantization == "fp8"
    assert planned("Qwen3-32B", "1xRTX-5090-32GB").quantization == "awq-int4"


def test_a_native_context_in_a_smaller_format_beats_a_shorter_one() -> None:
    found = planned("Qwen3-32B", "1xH100-SXM-80GB")
    assert found.max_model_len == 40960
    bound = planned("Qwen3-32B", "1xH100-SXM-80GB", quantization=BF16)
    assert 2048 <= bound.max_model_len < 40960
    assert bound.max_model_len % 16 == 0
    assert f"The context is {bound.max_model_len} tokens" in bound.warnings[0]


def test_a_shortened_context_is_the_longest_that_surely_fits() -> None:
    bound = planned("Qwen3-32B", "1xH100-SXM-80GB", quantization=BF16)
    assert bound.memory.kv_cache_tokens_low >= bound.max_model_len
    exactly = {"quantization": BF16, "max_model_len": bound.max_model_len}
    assert planned("Qwen3-32B", "1xH100-SXM-80GB", **exactly).warnings == ()
    longer = {"quantization": BF16, "max_model_len": bound.max_model_len + 16}
    assert "narrowly" in planned("Qwen3-32B", "1xH100-SXM-80GB", **longer).warnings[0]


def test_a_small_model_does_not_take_a_large_gpu() -> None:
    found = planned("Qwen3-0.6B", "8xH100-SXM-80GB,2xL4-24GB")
    assert found.placement.accelerator == "L4-24GB"
    assert found.gpus == 1


def test_prices_decide_where_every_candidate_has_one() -> None:
    def priced(l4: float | None) -> str:
        groups = (
            NodeGroup(an_accelerator("L4-24GB"), 1, usd_per_hour=l4),
            NodeGroup(an_accelerator("H100-SXM-80GB"), 1, usd_per_hour=2.0),
        )
        found = plan(a_request("Qwen3-0.6B"), Inventory(groups), load_catalog())
        assert isinstance(found, Plan)
        return found.placement.accelerator

    assert priced(9.0) == "H100-SXM-80GB"
    assert priced(1.0) == "L4-24GB"
    assert priced(None) == "L4-24GB"


def test_the_price_is_of_all_replicas() -> None:
    group = NodeGroup(an_accelerator(), 8, usd_per_hour=16.0)
    found = plan(a_request("Qwen3-8B", replicas=3), Inventory((group,)), load_catalog())
    assert isinstance(found, Plan)
    assert found.usd_per_hour == 6.0


def test_tensor_parallelism_stays_inside_a_node_and_stages_span_nodes() -> None:
    found = planned("Qwen3-235B-A22B", "2x4xA100-SXM-80GB", quantization=BF16)
    assert found.layout == Layout(tensor=4, pipeline=2, nodes_per_replica=2)
    assert [node.gpus for node in found.placement.nodes] == [4, 4]


def test_two_nodes_are_named_nearest_where_one_is_the_limit() -> None:
    found = refused(
        "Qwen3-235B-A22B", "2x4xA100-SXM-80GB", quantization=BF16, max_nodes_per_replica=1
    )
    assert found.refusals[0].rule == "MultiNodeNotSupported"
    assert found.nearest is not None
    assert found.nearest.change.assignments == (("maxNodesPerReplica", 2),)
    assert found.nearest.plan.layout.nodes_per_replica == 2


def test_the_limit_on_nodes_still_lets_another_format_win_when_it_is_open() -> None:
    found = planned("Qwen3-235B-A22B", "2x4xA100-SXM-80GB", max_nodes_per_replica=1)
    assert found.quantization == "fp8"
    assert found.layout.nodes_per_replica == 1


def test_expert_parallelism_is_off_unless_needed() -> None:
    assert planned("Qwen3-30B-A3B", "4xH100-SXM-80GB", tensor=4).layout.expert == 1
    needed = planned(
        "Qwen3-30B-A3B", "4xH100-SXM-80GB", tensor=4, quantization=FP8, engine_version="0.11.0"
    )
    assert needed.layout.expert == 4


def test_the_load_is_held_in_kv_cache() -> None:
    one = planned("Qwen3-8B", "1xH100-SXM-80GB", quantization=BF16)
    stated = planned(
        "Qwen3-8B",
        "1xH100-SXM-80GB",
        quantization=BF16,
        concurrency=100,
        input_tokens=2000,
        output_tokens=500,
    )
    block = 16 * 147_456
    assert one.memory.per_gpu[0].kv_needed_bytes == (2560 + 1) * block
    assert stated.memory.per_gpu[0].kv_needed_bytes == (100 * 157 + 1) * block


def test_concurrency_is_shared_by_data_parallel_ranks() -> None:
    found = planned(
        "Qwen3-30B-A3B", "2xH200-SXM-141GB", tensor=1, data=2, concurrency=5, max_model_len=8192
    )
    assert found.memory.per_gpu[0].kv_needed_bytes == (3 * 512 + 1) * 16 * 98_304
    assert [gpu.rank for gpu in found.memory.per_gpu] == [0, 1]


def test_gpus_are_told_in_rank_order_with_their_stage() -> None:
    found = planned("Qwen3-235B-A22B", "2x4xA100-SXM-80GB", quantization=BF16)
    assert [gpu.stage for gpu in found.memory.per_gpu] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_the_pool_is_that_of_the_tightest_stage() -> None:
    found = planned("Qwen3-32B", "3xL40S-48GB", pipeline=3, tensor=1, quantization=BF16)
    tokens = {
        gpu.kv_cache_bytes // (2 * layers * 8 * 128 * 2)
        for gpu, layers in zip(found.memory.per_gpu, (21, 22, 21), strict=True)
    }
    assert len(tokens) == 1


def test_engine_tuning_left_out_is_the_engines_own() -> None:
    found = planned("Qwen3-0.6B", "1xH100-SXM-80GB", concurrency=2000, max_model_len=256)
    assert "--max-num-seqs" not in found.command
    assert any("--max-num-seqs 2000" in warning for warning in found.warnings)


def test_a_context_beyond_native_is_stretched_with_a_warning() -> None:
    found = planned("Qwen3-8B", "1xH100-SXM-80GB", max_model_len=100_000)
    assert found.max_model_len == 100_000
    assert any("YaRN with factor 4" in warning for warning in found.warnings)


def test_a_long_request_stretches_the_context_by_itself() -> None:
    found = planned("Qwen3-8B", "1xH200-SXM-141GB", input_tokens=60_000, output_tokens=1_000)
    assert found.max_model_len == 61_000
    assert any("YaRN" in warning for warning in found.warnings)


def test_idle_gpus_are_named() -> None:
    found = planned("Qwen3-8B", "8xL40S-48GB,1xH100-SXM-80GB")
    assert "Not used by this plan: 7 of 8 L40S-48GB, 1 of 1 H100-SXM-80GB." in found.warnings


def test_weight_only_fp8_is_named() -> None:
    found = planned("Qwen3-32B", "1xA100-SXM-80GB", quantization=FP8)
    assert any("no FP8 units" in warning for warning in found.warnings)


def test_a_newer_engine_is_named() -> None:
    found = planned("Qwen3-8B", "1xL40S-48GB", engine_version="0.50")
    assert any("0.50.0 is newer than 0.33.0" in warning for warning in found.warnings)
    assert found.engine_version == "0.50.0"


def test_alternatives_differ_in_gpu_format_or_number() -> None:
    found = planned("Qwen3-32B", "8xH100-SXM-80GB,8xL40S-48GB")
    kinds = {
        (p.placement.accelerator, p.quantization, p.layout.gpus_per_replica)
        for p in (found, *found.alternatives)
    }
    assert len(kinds) == 4
    assert len({kind[0] for kind in kinds}) == 2
    assert len({kind[1] for kind in kinds}) >= 2
    assert all(not other.alternatives and not other.refusals for other in found.alternatives)


def test_figures_carry_their_source_and_error() -> None:
    found = planned("Qwen3-32B", "2xH100-SXM-80GB")
    by_name = {p.figure: p for p in found.provenance}
    assert by_name["memory.weights"].basis is Basis.EXACT
    assert by_name["memory.weights"].relative_error <= 0.001
    assert 0 < by_name["memory.kvCache"].relative_error < 0.1
    assert all(p.source for p in found.provenance)


def test_a_plan_says_what_it_refused_nearest_miss_first() -> None:
    found = planned("Qwen3-32B", "2xH100-SXM-80GB", quantization=BF16, max_model_len=40960)
    (no,) = found.refusals
    assert (no.rule, no.layout) == ("InsufficientKVCache", Layout(1))


def test_a_refusal_says_what_is_missing_and_where() -> None:
    no = refused("Qwen3-32B", "1xH100-SXM-80GB", quantization=BF16, max_model_len=40960).refusals[0]
    assert no.needed_bytes is not None
    assert no.available_bytes is not None
    assert no.needed_bytes > no.available_bytes
    for said in ("61.0 GiB weights", "one request of 40960 tokens", "72.8 GiB usable", "missing"):
        assert said in no.message


def test_quantization_auto_is_refused_in_every_format() -> None:
    found = refused("Qwen3-235B-A22B", "1xL4-24GB")
    assert {no.quantization for no in found.refusals} == {"bf16", "fp8", "gptq-int4"}


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"accelerators": ("L4-24GB",)}, "NoMatchingAccelerator"),
        ({"quantization": Quantization.GPTQ_INT4}, "CheckpointUnknown"),
        ({"tensor": 16}, "NotEnoughGPUs"),
        ({"replicas": 9}, "NotEnoughGPUs"),
        ({"tensor": 4, "max_gpus": 2}, "MaxGpusExceeded"),
    ],
)
def test_hardware_that_is_not_there_is_named(fields: dict[str, object], rule: str) -> None:
    assert refused("Qwen3-32B", "8xH100-SXM-80GB", **fields).refusals[0].rule == rule


def test_fragments_are_not_enough_nodes() -> None:
    text = "1x5xH100-SXM-80GB,1x1xH100-SXM-80GB"
    found = refused("Qwen3-32B", text, tensor=2, pipeline=1, replicas=3)
    assert found.refusals[0].rule == "NotEnoughNodes"
    assert "room for 2: 1 missing" in found.refusals[0].message


def test_an_empty_cluster_matches_nothing() -> None:
    found = plan(a_request(), Inventory(()), load_catalog())
    assert isinstance(found, NoPlan)
    assert found.refusals[0].rule == "NoMatchingAccelerator"
    assert found.nearest is not None


def test_less_memory_than_the_catalog_says_is_believed() -> None:
    small = replace(an_accelerator(), name="H100-SXM-80GB", usable_memory_mib=20_000)
    inventory = Inventory((NodeGroup(small, 1),))
    found = plan(a_request("Qwen3-8B", quantization=BF16), inventory, load_catalog())
    assert isinstance(found, Plan)
    assert found.memory.per_gpu[0].device_bytes == 20_000 * 2**20


def test_a_request_keeps_what_it_fixed_of_the_engine() -> None:
    found = planned(
        "Qwen3-8B",
        "1xH100-SXM-80GB",
        tuning=EngineTuning(gpu_memory_utilization=0.5),
        kv_cache_dtype=KvCacheDtype.FP8,
    )
    gpu = found.memory.per_gpu[0]
    assert gpu.budget_bytes == pytest.approx(gpu.device_bytes / 2, abs=1)
    assert found.kv_cache_dtype == "fp8"


def test_the_inventory_is_not_changed_by_asking() -> None:
    before = hardware("2x8xH100-SXM-80GB")
    plan(a_request("Qwen3-235B-A22B", tensor=3), before, load_catalog())
    assert before == hardware("2x8xH100-SXM-80GB")


@pytest.mark.parametrize(
    "field",
    [
        *("tensor", "pipeline", "data", "expert", "replicas", "max_gpus"),
        *("concurrency", "input_tokens", "output_tokens", "max_model_len"),
    ],
)
def test_absurd_numbers_are_answered_as_quickly_as_others(field: str) -> None:
    found = answer("Qwen3-235B-A22B", "2x8xH100-SXM-80GB", **{field: 1_000_000_007})
    if field == "max_gpus":
        assert isinstance(found, Plan)
    else:
        assert isinstance(found, NoPlan)
        assert found.nearest is not None


def test_a_checkpoint_that_is_not_known_leaves_the_plain_one_named() -> None:
    found = refused("Qwen3-32B", "1xH100-SXM-80GB", quantization=Quantization.GPTQ_INT4)
    assert found.source == "hf://Qwen/Qwen3-32B"


def test_a_plan_that_fits_narrowly_says_so() -> None:
    narrow = planned("Qwen3-32B", "A100-SXM-80GB", quantization=BF16, max_model_len=36000)
    assert narrow.memory.kv_cache_tokens_low < narrow.max_model_len
    assert narrow.warnings[0].startswith("It fits narrowly")


def test_one_node_comes_before_several_cheaper_ones() -> None:
    nodes = Inventory(
        (
            NodeGroup(an_accelerator("RTX-4090-24GB"), 2, count=3, usd_per_hour=0.5),
            NodeGroup(an_accelerator("L40S-48GB"), 2, usd_per_hour=4.0),
        )
    )
    found = plan(a_request("Qwen3-32B", quantization=FP8), nodes, load_catalog())
    assert isinstance(found, Plan)
    assert (found.placement.accelerator, found.layout.nodes_per_replica) == ("L40S-48GB", 1)


def test_a_sure_fit_comes_before_a_cheaper_narrow_one() -> None:
    sure = planned("Qwen3-32B", "2xA100-SXM-80GB", quantization=BF16)
    assert sure.layout == Layout(2)
    assert sure.memory.kv_cache_tokens_low > sure.max_model_len
    assert not any("narrowly" in warning for warning in sure.warnings)


def test_the_cache_of_a_gpu_without_bf16_is_fp16() -> None:
    found = planned("Qwen3-8B", "T4-16GB")
    assert found.kv_cache_dtype == "fp16"
    assert found.command[found.command.index("--dtype") + 1] == "half"
    assert planned("Qwen3-8B", "L4-24GB").kv_cache_dtype == "bf16"
