from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.api.legality import legality_rules
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.tensor_sizes import legal_tensor_sizes
from qwen3_planner.plan import Layout
from qwen3_planner.rules.chains import layout_refusal
from support.planner_builders import layout_facts_of

CATALOG = load_catalog()


@pytest.mark.parametrize(
    ("variant", "sizes"),
    [
        pytest.param("Qwen3-0.6B", (1, 2, 4, 8, 16), id="16 heads"),
        pytest.param("Qwen3-14B", (1, 2, 4, 8), id="40 heads, but 8 KV heads and an MLP of 17408"),
        pytest.param("Qwen3-32B", (1, 2, 4, 8, 16, 32, 64), id="64 heads"),
        pytest.param("Qwen3-30B-A3B", (1, 2, 4, 8, 16, 32), id="4 KV heads are copied above 4"),
    ],
)
def test_shapes_leave_these_tensor_sizes(variant: str, sizes: tuple[int, ...]) -> None:
    assert legal_tensor_sizes(CATALOG.model(variant)) == sizes


@pytest.mark.parametrize("model", CATALOG.models, ids=lambda model: model.name)
def test_the_planner_refuses_exactly_the_sizes_that_the_api_server_does(model) -> None:  # noqa: ANN001 - a row
    legal = [
        tensor
        for tensor in range(1, model.attention_heads + 1)
        if layout_refusal(
            layout_facts_of(Layout(tensor, expert=tensor if model.is_moe else 1), model=model.name)
        )
        is None
    ]
    assert tuple(legal) == legal_tensor_sizes(model)


@pytest.mark.parametrize(
    ("variant", "shape", "sizes"),
    [
        pytest.param("Qwen3-32B", {"kv_heads": 6}, (1, 2), id="KV heads"),
        pytest.param("Qwen3-32B", {"kv_heads": 1}, (1, 2, 4, 8, 16, 32, 64), id="one KV head"),
        pytest.param("Qwen3-32B", {"intermediate_size": 12}, (1, 2, 4), id="MLP"),
        pytest.param(
            "Qwen3-Coder-480B-A35B-Instruct",
            {"vocab_size": 151680},
            (1, 2, 4, 8, 16, 24, 32, 48, 96),
            id="vocabulary",
        ),
        pytest.param(
            "Qwen3-30B-A3B", {"moe_intermediate_size": 3}, (1, 2, 4, 8, 16, 32), id="experts"
        ),
    ],
)
def test_each_shape_has_its_say(
    variant: str, shape: dict[str, int], sizes: tuple[int, ...]
) -> None:
    model = replace(CATALOG.model(variant), **shape)

    assert legal_tensor_sizes(model) == sizes


def test_every_variant_has_a_rule_that_says_what_to_use() -> None:
    rules = legality_rules(CATALOG.models)

    for model in CATALOG.models:
        concerned = "!(self.model.variant in ["
        mine = [
            rule["message"]
            for rule in rules
            if rule["rule"].startswith(concerned)
            and f"'{model.name}'" in rule["rule"].partition("]")[0]
            and "parallelism.tensor in" in rule["rule"]
        ]
        assert len(mine) == 1
        assert f"{model.attention_heads} attention heads" in mine[0]
        assert f"{legal_tensor_sizes(model)[-2]} or {legal_tensor_sizes(model)[-1]}" in mine[0]


def test_a_new_shape_brings_its_rules_with_it_and_a_known_one_joins() -> None:
    small, large = CATALOG.model("Qwen3-0.6B"), CATALOG.model("Qwen3-32B")
    alone = legality_rules([small])

    assert len(legality_rules([small, large])) == len(alone) + 2
    twin = replace(small, name="Qwen3-0.6B-twin")
    assert len(legality_rules([small, twin])) == len(alone)
