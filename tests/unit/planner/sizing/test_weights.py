"""Parameters, checkpoint bytes and weights per rank."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.plan import Layout
from qwen3_planner.sizing.formats import BF16, ONLINE_FP8, WeightFormat
from qwen3_planner.sizing.linear import linear
from qwen3_planner.sizing.tensors import Sharding, active_parameters, parameters
from qwen3_planner.sizing.weights import (
    checkpoint_bytes,
    local_experts,
    rank_tensors,
    rank_weights,
    sharding_of,
    stage_layers,
    stage_tensors,
)
from qwen3_planner.units import GIB
from support.planner_builders import AWQ, FP8_BLOCKS, VARIANTS, a_model

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture

PARAMETERS = {
    "Qwen3-0.6B": (596_049_920, 596_049_920),
    "Qwen3-1.7B": (1_720_574_976, 1_720_574_976),
    "Qwen3-4B": (4_022_468_096, 4_022_468_096),
    "Qwen3-8B": (8_190_735_360, 8_190_735_360),
    "Qwen3-14B": (14_768_307_200, 14_768_307_200),
    "Qwen3-32B": (32_762_123_264, 32_762_123_264),
    "Qwen3-30B-A3B": (30_532_122_624, 3_353_032_704),
    "Qwen3-235B-A22B": (235_093_634_560, 22_190_763_520),
}

LOADED_GIB = {
    "Qwen3-0.6B": 1.1201,
    "Qwen3-4B": 7.5552,
    "Qwen3-8B": 15.2683,
    "Qwen3-14B": 27.5185,
    "Qwen3-32B": 61.03,
}


def weights(name: str, fmt: WeightFormat, layout: Layout, *, stage: int = 0, rank: int = 0) -> int:
    model = a_model(name)
    return rank_weights(model, fmt, layout, stage=stage, expert_rank=rank, positions=40960)


@pytest.mark.parametrize(("name", "counts"), PARAMETERS.items())
def test_parameters_are_counted_exactly(name: str, counts: tuple[int, int]) -> None:
    model = a_model(name)
    assert (parameters(model), active_parameters(model)) == counts


@pytest.mark.parametrize(("name", "gib"), LOADED_GIB.items())
def test_one_gpu_holds_what_the_engine_logs(name: str, gib: float) -> None:
    assert weights(name, BF16, Layout()) / GIB == pytest.approx(gib, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "fmt", "n_bytes", "tolerance"),
    [
        ("Qwen3-8B", BF16, 16_397_461_266, 0.002),
        ("Qwen3-8B", AWQ, 6_114_604_278, 0.003),
        ("Qwen3-235B-A22B", FP8_BLOCKS, 236_450_000_000, 0.001),
        ("Qwen3-0.6B", BF16, 1_503_264_768, 0.0),
    ],
)
def test_checkpoint_bytes_are_those_of_the_published_files(
    name: str, fmt: WeightFormat, n_bytes: int, tolerance: float
) -> None:
    assert checkpoint_bytes(a_model(name), fmt) == pytest.approx(n_bytes, rel=tolerance, abs=0)


def test_online_fp8_reads_the_bf16_files_and_holds_half() -> None:
    model = a_model("Qwen3-8B")
    assert checkpoint_bytes(model, ONLINE_FP8) == checkpoint_bytes(model, BF16)
    assert weights("Qwen3-8B", ONLINE_FP8, Layout()) < 0.6 * weights("Qwen3-8B", BF16, Layout())


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("pipeline", [1, 2, 3])
def test_stages_together_hold_the_whole_model_and_little_twice(name: str, pipeline: int) -> None:
    model, layout = a_model(name), Layout(pipeline=pipeline)
    together = sum(weights(name, BF16, layout, stage=stage) for stage in range(pipeline))
    whole = weights(name, BF16, Layout())
    ends = model.vocab_size * model.hidden_size * 2
    if model.is_moe:  # every stage of a sparse model holds both ends
        second_copies = 2 * ends * (pipeline - 1)
    else:
        second_copies = ends * (model.tied_embeddings and pipeline > 1)
    extra = second_copies + 16 * 2**20 * (pipeline - 1)  # rotary tables, norms, rounding
    assert whole <= together <= whole + extra


def test_the_first_stage_embeds_and_the_last_one_has_the_head() -> None:
    model, layout = a_model("Qwen3-32B"), Layout(tensor=2, pipeline=3)
    names = [{t.name for t in stage_tensors(model, layout, stage, 40960)} for stage in range(3)]
    assert [
        ("embed_tokens.weight" in n, "lm_head.weight" in n, "norm.weight" in n) for n in names
    ] == [
        (True, False, False),
        (False, False, False),
        (False, True, True),
    ]


def test_sparse_models_hold_both_ends_on_every_stage() -> None:
    model, layout = a_model("Qwen3-235B-A22B"), Layout(tensor=4, pipeline=4)
    ends = {"embed_tokens.weight", "norm.weight", "lm_head.weight"}
    for stage in range(4):
        assert ends <= {t.name for t in stage_tensors(model, layout, stage, 40960)}


def test_layers_are_cut_as_the_engine_cuts_them() -> None:
    assert stage_layers(94, 4) == (23, 24, 24, 23)
    assert stage_layers(28, 8) == (3, 3, 3, 4, 4, 4, 4, 3)
    assert stage_layers(7, 4) == (2, 2, 2, 1)


def test_experts_are_split_by_inner_size_or_given_whole() -> None:
    model = a_model("Qwen3-235B-A22B")
    split = sharding_of(model, Layout(4, data=2), 0, expanded_scales=False)
    assert (split.tensor, split.experts_inner, split.local_experts) == (4, 8, 128)
    whole = sharding_of(model, Layout(4, data=2, expert=8), 3, expanded_scales=False)
    assert (whole.tensor, whole.experts_inner, whole.local_experts) == (4, 1, 16)


def test_uneven_experts_go_to_the_first_ranks() -> None:
    assert [local_experts(128, 12, rank) for rank in (0, 7, 8, 11)] == [11, 11, 10, 10]
    layout = Layout(12, expert=12)
    first = weights("Qwen3-30B-A3B", BF16, layout, rank=0)
    last = weights("Qwen3-30B-A3B", BF16, layout, rank=11)
    one_expert = 48 * 3 * 2048 * 768 * 2
    assert one_expert <= first - last <= 1.15 * one_expert  # whole segments


def test_data_parallel_ranks_copy_attention_and_share_experts() -> None:
    alone = weights("Qwen3-30B-A3B", BF16, Layout(2))
    doubled = weights("Qwen3-30B-A3B", BF16, Layout(2, data=2))
    experts = 48 * 128 * 3 * 2048 * 768 * 2
    assert alone - doubled == pytest.approx(experts / 2 - experts / 4, rel=0.01)


def test_gpus_without_fp8_units_hold_a_scale_for_each_row() -> None:
    model = a_model("Qwen3-8B")
    native, expanded, packed = (
        tensor_bytes(model, FP8_BLOCKS, expanded_scales=expanded, packed_scales=packed)
        for expanded, packed in ((False, False), (True, False), (False, True))
    )
    linear_weights = parameters(model) - 2 * model.vocab_size * model.hidden_size
    per_block = linear_weights / 128 / 128 * 4
    assert expanded - native == pytest.approx(linear_weights / 128 * 2 - per_block, rel=0.001)
    assert packed - native == pytest.approx(linear_weights / 512 * 4 - per_block, rel=0.001)


def tensor_bytes(
    model: ModelArchitecture,
    fmt: WeightFormat,
    *,
    expanded_scales: bool = False,
    packed_scales: bool = False,
) -> int:
    sharding = Sharding(1, 1, model.experts, expanded_scales, packed_scales)
    tensors = rank_tensors(model, fmt, Layout(), sharding, stage=0, positions=40960)
    return sum(tensor.n_bytes * tensor.count for tensor in tensors)


def test_a_layer_left_at_16_bit_weighs_more_and_the_others_do_not() -> None:
    model = a_model("Qwen3-8B")
    for layer in (0, 17, 35):
        mixed = replace(FP8_BLOCKS, exceptions=((f"model.layers.{layer}", BF16),))
        more = tensor_bytes(model, mixed) - tensor_bytes(model, FP8_BLOCKS)
        linear_weights = parameters(model) - 2 * model.vocab_size * model.hidden_size
        assert more == pytest.approx(linear_weights / 36, rel=0.001)
        held = weights("Qwen3-8B", mixed, Layout()) - weights("Qwen3-8B", FP8_BLOCKS, Layout())
        assert held == pytest.approx(more, abs=8 * 2**20)


@pytest.mark.parametrize("name", ["Qwen3-8B", "Qwen3-30B-A3B", "Qwen3-Next-80B-A3B-Instruct"])
def test_what_a_rank_holds_is_the_sum_of_its_tensors_and_some_rounding(name: str) -> None:
    model = load_catalog().model(name)
    for fmt in (BF16, FP8_BLOCKS, AWQ, ONLINE_FP8):
        held = rank_weights(model, fmt, Layout(), stage=0, expert_rank=0, positions=40960)
        assert 0 <= held / tensor_bytes(model, fmt) - 1 <= 0.02


EXACT_GIB = [
    ("Qwen3-8B", AWQ, 1, 5.7071),
    ("Qwen3-4B-Instruct-2507", BF16, 1, 7.6065),
    ("Qwen3-30B-A3B", BF16, 4, 14.2474),
    ("Qwen3-30B-A3B-Instruct-2507", FP8_BLOCKS, 1, 29.0972),
    ("Qwen3-Coder-30B-A3B-Instruct", BF16, 1, 56.9342),
    ("Qwen3-Next-80B-A3B-Instruct", BF16, 2, 74.2812),
]
"""Logged to four decimals: rows V060, V038, V056, V050, N06, N04 of tests/unit/planner/accuracy."""


@pytest.mark.parametrize(("name", "fmt", "tensor", "logged"), EXACT_GIB)
def test_relatives_and_formats_hold_what_engines_log(
    name: str, fmt: WeightFormat, tensor: int, logged: float
) -> None:
    model = load_catalog().model(name)
    positions = model.max_position_embeddings
    layout = Layout(tensor=tensor)
    held = rank_weights(model, fmt, layout, stage=0, expert_rank=0, positions=positions)
    assert held / GIB == pytest.approx(logged, rel=1e-4)


def test_experts_and_ragged_layers_keep_scales_by_block_where_others_pack_them() -> None:
    sharding = Sharding(1, 1, 4, packed_scales=True)
    packed = tuple(linear("q", (640, 1024), FP8_BLOCKS, sharding))[1]
    assert (packed.shape, packed.element_bits) == ((2, 640), 32)
    for shape, experts in (((640, 1024), 4), ((600, 1024), 0), ((640, 1000), 0)):
        scale = tuple(linear("q", shape, FP8_BLOCKS, sharding, experts))[1]
        assert scale.shape[-2:] == (5, 8)
