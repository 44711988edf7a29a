"""Each rule about dividing a model: a layout it lets through and one it refuses."""

from __future__ import annotations

import pytest

from qwen3_planner.plan import Layout
from qwen3_planner.rules.layouts import (
    attention_heads_divide,
    every_rank_has_an_expert,
    every_stage_has_a_layer,
    expert_group_is_tensor_times_data,
    expert_parallel_needs_experts,
    inner_size_divides,
    kv_heads_divide_or_replicate,
    vocabulary_divides,
)
from qwen3_planner.rules.rule import first_refusal
from qwen3_planner.rules.vllm_layouts import VLLM_CHAIN
from support.planner_builders import layout_facts_of

CASES = [
    pytest.param(
        attention_heads_divide,
        "Qwen3-32B",
        Layout(4),
        Layout(3),
        "AttentionHeadDivisibility",
        "64 attention heads",
        id="heads divide",
    ),
    pytest.param(
        kv_heads_divide_or_replicate,
        "Qwen3-235B-A22B",
        Layout(8),
        Layout(6),
        "KvHeadDivisibility",
        "4 KV heads",
        id="KV heads divide or are replicated",
    ),
    pytest.param(
        vocabulary_divides,
        "Qwen3-14B",
        Layout(8),
        Layout(5),
        "VocabularyDivisibility",
        "151936 rows",
        id="the vocabulary divides",
    ),
    pytest.param(
        expert_parallel_needs_experts,
        "Qwen3-32B",
        Layout(8),
        Layout(8, expert=8),
        "ExpertParallelNeedsExperts",
        "dense",
        id="a dense model has no experts to share",
    ),
    pytest.param(
        expert_group_is_tensor_times_data,
        "Qwen3-30B-A3B",
        Layout(4, data=2, expert=8),
        Layout(4, data=2, expert=4),
        "ExpertParallelGroup",
        "tensor x data = 8",
        id="the expert group is all ranks or none",
    ),
    pytest.param(
        every_rank_has_an_expert,
        "Qwen3-30B-A3B",
        Layout(32, data=4, expert=128),
        Layout(32, data=8, expert=256),
        "TensorParallelExceedsExperts",
        "128 experts",
        id="no rank without an expert",
    ),
    pytest.param(
        inner_size_divides,
        "Qwen3-14B",
        Layout(8),
        Layout(40),
        "InnerSizeDivisibility",
        "17408",
        id="the MLP divides",
    ),
    pytest.param(
        inner_size_divides,
        "Qwen3-30B-A3B",
        Layout(4, data=3, expert=12),
        Layout(4, data=5),
        "InnerSizeDivisibility",
        "768",
        id="an expert divides over tensor times data",
    ),
    pytest.param(
        every_stage_has_a_layer,
        "Qwen3-0.6B",
        Layout(1, pipeline=28),
        Layout(1, pipeline=29),
        "PipelineExceedsLayers",
        "28 layers",
        id="no stage without a layer",
    ),
]


@pytest.mark.parametrize(("rule", "model", "legal", "illegal", "name", "said"), CASES)
def test_a_rule_refuses_what_it_is_named_for(  # noqa: PLR0913, PLR0917 - one column each
    rule: object, model: str, legal: Layout, illegal: Layout, name: str, said: str
) -> None:
    asked = [one for one in VLLM_CHAIN if one.check is rule]
    assert len(asked) == 1
    assert first_refusal(asked, layout_facts_of(legal, model=model)) is None
    no = first_refusal(asked, layout_facts_of(illegal, model=model))
    assert no is not None
    assert no.rule == name
    assert no.layout == illegal
    assert said in no.message


def test_a_refused_size_is_answered_with_the_legal_ones() -> None:
    sentence = attention_heads_divide(layout_facts_of(Layout(3), model="Qwen3-14B"))
    assert sentence is not None
    assert "legal sizes are 1, 2, 4, 8" in sentence
