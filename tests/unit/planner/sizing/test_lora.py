"""Slots for LoRA adapters, and adapters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.plan import Layout
from qwen3_planner.sizing.lora import Slots, adapter_bytes, layer_adapter_bytes, slot_bytes
from qwen3_planner.units import GIB
from support.planner_builders import a_model

ONE = Slots(count=1, rank=16)


def slots_of(name: str, slots: Slots, layout: Layout = Layout(), stage: int = 0) -> int:  # noqa: B008 - frozen
    model = a_model(name)
    each = model.layers // layout.pipeline
    return slot_bytes(model, layout, stage, range(stage * each, (stage + 1) * each), slots)


def test_one_adapter_of_rank_sixteen_is_about_what_a_log_says() -> None:
    """V083: Qwen3-4B loads at 7.63 GiB with slots, at 7.555 without."""
    assert 7.5552 + slots_of("Qwen3-4B", ONE) / GIB == pytest.approx(7.63, abs=0.02)


def test_without_adapters_there_are_no_slots() -> None:
    assert slots_of("Qwen3-8B", Slots()) == 0


def test_slots_of_a_dense_model_are_the_sum_of_its_layers_by_hand() -> None:
    # Qwen3-8B: 36 layers, 4096 wide, 32 x 128 queries, 8 x 128 keys, an MLP of 12288
    pairs = [(4096, 4096), (4096, 1024), (4096, 1024), (4096, 4096)]
    pairs += [(4096, 12288), (4096, 12288), (12288, 4096)]
    elements = 36 * sum(inputs + outputs for inputs, outputs in pairs)
    assert slots_of("Qwen3-8B", replace(ONE, count=3)) == 3 * 16 * elements * 2


def test_tensor_ranks_share_one_side_of_each_pair_and_both_where_asked() -> None:
    whole, half = (slots_of("Qwen3-32B", ONE, Layout(tensor)) for tensor in (1, 2))
    sharded = slots_of("Qwen3-32B", replace(ONE, is_fully_sharded=True), Layout(2))
    assert 0.5 < half / whole < 0.75
    assert sharded == whole / 2


def test_experts_have_slots_where_the_release_has_them() -> None:
    bare = slots_of("Qwen3-30B-A3B", ONE)
    experts = slots_of("Qwen3-30B-A3B", replace(ONE, has_experts=True))
    assert experts - bare == 48 * 128 * 3 * (2048 + 768) * 16 * 2
    spread = slots_of("Qwen3-30B-A3B", replace(ONE, has_experts=True), Layout(4, expert=4))
    cut = slots_of("Qwen3-30B-A3B", replace(ONE, has_experts=True), Layout(4))
    assert bare < spread < cut  # whole experts are shared out, or only one side of each pair


def test_experts_that_come_joined_share_an_input_matrix() -> None:
    apart = replace(ONE, has_experts=True)
    joined = replace(apart, joins_experts=True)
    saved = slots_of("Qwen3-30B-A3B", apart) - slots_of("Qwen3-30B-A3B", joined)
    assert saved == 48 * 128 * 2048 * 16 * 2


@pytest.mark.parametrize(
    ("name", "copies"),
    [("Qwen3-8B", 2), ("Qwen3-4B", 2), ("Qwen3-Embedding-8B", 1)],
)
def test_embedding_and_head_have_slots_that_no_rank_shares(name: str, copies: int) -> None:
    model, wide = a_model(name), replace(ONE, has_vocabulary=True)
    each = (model.vocab_size + model.hidden_size) * 16 * 2
    for layout in (Layout(), Layout(4)):
        assert slots_of(name, wide, layout) - slots_of(name, ONE, layout) == copies * each


def test_a_tied_head_was_an_embedding_with_slots_of_its_own_in_older_releases() -> None:
    now, then = (replace(ONE, has_vocabulary=True, wraps_tied_head=was) for was in (False, True))
    model = a_model("Qwen3-4B")
    each = (model.vocab_size + model.hidden_size) * 16 * 2
    assert slots_of("Qwen3-4B", then) - slots_of("Qwen3-4B", now) == each
    assert slots_of("Qwen3-8B", then) == slots_of("Qwen3-8B", now)


def test_of_stages_the_first_has_the_embedding_and_the_last_the_head() -> None:
    model, wide = a_model("Qwen3-8B"), replace(ONE, has_vocabulary=True)
    each = (model.vocab_size + model.hidden_size) * 16 * 2
    for stage, copies in enumerate((1, 0, 0, 1)):
        got = slots_of("Qwen3-8B", wide, Layout(1, 4), stage)
        assert got - slots_of("Qwen3-8B", ONE, Layout(1, 4), stage) == copies * each


def test_an_engine_may_make_slots_for_all_layers_on_every_stage() -> None:
    everywhere = replace(ONE, spans_stages=True)
    assert slots_of("Qwen3-8B", everywhere, Layout(1, 2), 1) == slots_of("Qwen3-8B", ONE)


def test_an_adapter_is_whole_wherever_the_host_keeps_it() -> None:
    model = a_model("Qwen3-8B")
    assert adapter_bytes(model, 16, has_experts=True) == slots_of("Qwen3-8B", ONE)
    layers = [layer_adapter_bytes(model, layer, 16) for layer in range(model.layers)]
    assert sum(whole for whole, _ in layers) == adapter_bytes(model, 16, has_experts=True)
    assert {experts for _, experts in layers} == {0}


def test_an_adapter_of_experts_is_much_larger() -> None:
    model = a_model("Qwen3-30B-A3B")
    whole, bare = (adapter_bytes(model, 16, has_experts=has) for has in (True, False))
    assert whole > 20 * bare
