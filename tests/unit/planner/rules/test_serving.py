"""Each rule about context, scheduler and device: one that passes and one that does not."""

from __future__ import annotations

import pytest

from qwen3_planner.request import EngineTuning
from qwen3_planner.rules.chains import pool_refusal
from qwen3_planner.rules.serving import longest_context
from support.planner_builders import VARIANTS, a_model, pool_facts_of


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"max_model_len": 131072}, None),
        ({"max_model_len": 131073}, "ContextTooLong"),
        ({"max_model_len": 4096, "input_tokens": 4000, "output_tokens": 96}, None),
        (
            {"max_model_len": 4096, "input_tokens": 4000, "output_tokens": 97},
            "RequestExceedsContext",
        ),
        ({"input_tokens": 131072, "output_tokens": 1}, "RequestExceedsContext"),
        ({"input_tokens": 100000, "output_tokens": 1}, None),
        ({"tuning": EngineTuning(max_num_seqs=64, max_num_batched_tokens=64)}, None),
        (
            {"tuning": EngineTuning(max_num_seqs=256, max_num_batched_tokens=128)},
            "SchedulerTokenBudget",
        ),
    ],
)
def test_a_rule_refuses_what_it_is_named_for(fields: dict[str, object], rule: str | None) -> None:
    no = pool_refusal(pool_facts_of("Qwen3-8B", **fields))
    assert (None if no is None else no.rule) == rule


def test_a_refusal_says_how_far_off_the_request_is() -> None:
    no = pool_refusal(pool_facts_of("Qwen3-8B", max_model_len=131072 + 500))
    assert no is not None
    assert "500 tokens beyond" in no.message
    assert "131072" in no.message


@pytest.mark.parametrize("name", VARIANTS)
def test_yarn_reaches_four_times_the_training_length(name: str) -> None:
    assert longest_context(a_model(name)) == 131072
