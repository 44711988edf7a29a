"""Weights of one rank under SGLang, against its own start-up logs."""

from __future__ import annotations

import pytest

from qwen3_planner.plan import Layout
from qwen3_planner.sizing.formats import BF16, WeightFormat
from qwen3_planner.sizing.sglang_weights import Placing, rank_tensors, rank_weights, stage_layers
from qwen3_planner.units import GIB
from support.planner_builders import FP8_BLOCKS, a_model

LOGGED_GIB = (
    ("Qwen3-0.6B", BF16, Layout(), 1.20),
    ("Qwen3-0.6B", FP8_BLOCKS, Layout(), 0.74),
    ("Qwen3-8B", BF16, Layout(), 15.28),
    ("Qwen3-14B", BF16, Layout(), 27.57),
    ("Qwen3-14B", BF16, Layout(4), 7.08),
    ("Qwen3-32B", BF16, Layout(), 61.07),
    ("Qwen3-30B-A3B", BF16, Layout(), 56.89),
    ("Qwen3-30B-A3B", FP8_BLOCKS, Layout(), 29.15),
    ("Qwen3-30B-A3B", BF16, Layout(4), 14.31),
)
"""What "Load weight end" names as mem usage; sources in tests/unit/planner/accuracy."""


def weights(
    name: str,
    layout: Layout,
    *,
    fmt: WeightFormat = BF16,
    stage: int = 0,
    placing: Placing | None = None,
) -> int:
    model = a_model(name)
    found = placing or Placing()
    return rank_weights(model, fmt, layout, found, stage=stage, positions=40960)


@pytest.mark.parametrize(("name", "fmt", "layout", "gib"), LOGGED_GIB)
def test_a_rank_holds_what_sglang_logs(
    name: str, fmt: WeightFormat, layout: Layout, gib: float
) -> None:
    assert -0.01 <= gib - weights(name, layout, fmt=fmt) / GIB <= 0.13


def test_layers_that_do_not_divide_go_last() -> None:
    assert stage_layers(94, 4, last_takes_rest=False) == (23, 23, 24, 24)
    assert stage_layers(94, 4, last_takes_rest=True) == (23, 23, 23, 25)


def test_attention_data_parallelism_spreads_the_experts_and_copies_the_attention() -> None:
    spread = weights("Qwen3-235B-A22B", Layout(1, data=8))
    shared = weights("Qwen3-235B-A22B", Layout(8))
    experts = 94 * 128 * 3 * 4096 * 1536 * 2 // 8
    assert shared < spread < shared + 94 * 80 * 128 * 4096 * 2 * 2
    assert experts < shared


def test_an_expert_group_of_any_size_holds_as_much() -> None:
    alone = weights("Qwen3-235B-A22B", Layout(8, expert=1))
    pairs = weights("Qwen3-235B-A22B", Layout(8, expert=2))
    everywhere = weights("Qwen3-235B-A22B", Layout(8, expert=8))
    assert pairs == pytest.approx(alone, rel=0.002)
    assert everywhere == pytest.approx(alone, rel=0.002)


def test_older_versions_copy_the_embedding_under_attention_data_parallelism() -> None:
    layout = Layout(2, data=4)
    whole = weights("Qwen3-32B", layout, placing=Placing(embedding_is_whole=True))
    embedding = 151_936 * 5120 * 2
    assert whole - weights("Qwen3-32B", layout) == pytest.approx(embedding // 2, rel=0.01)


def test_sparse_models_hold_the_head_on_every_stage() -> None:
    heads = [
        {t.name for t in rank_tensors(a_model(name), BF16, layout, Placing(), stage=0, positions=1)}
        for name in ("Qwen3-30B-A3B", "Qwen3-32B")
        for layout in (Layout(1, 2),)
    ]
    assert "lm_head.weight" in heads[0]
    assert "lm_head.weight" not in heads[1]


def test_the_first_hybrid_versions_hold_their_head_in_32_bit() -> None:
    model = a_model("Qwen3-Next-80B-A3B-Instruct")
    narrow, wide = (
        rank_weights(model, BF16, Layout(2), Placing(head_is_wide=wide), stage=0, positions=1)
        for wide in (False, True)
    )
    head = model.vocab_size * model.hidden_size
    assert wide - narrow == pytest.approx(head, rel=0.01)
