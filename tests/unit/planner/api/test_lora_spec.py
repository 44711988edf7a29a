"""spec.lora as a question to the planner."""

from __future__ import annotations

import pytest

from qwen3_planner.api.conversion import parse, plan_request
from qwen3_planner.api.planned_flags import LORA_FLAGS
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.request import Adapter, PlanRequest
from support.resources import resource

TWO = """
lora:
  adapters:
    - {name: support, source: 'hf://team/support', revision: v2, rank: 32}
    - {name: sql, source: 'pvc://tuned/sql'}
"""


def asked(spec: str) -> PlanRequest:
    return plan_request(parse(resource(spec)), load_catalog())


def test_adapters_are_asked_for_as_the_resource_names_them() -> None:
    request = asked(TWO + "  maxLoras: 1\n  maxLoraRank: 64\n  fullySharded: true\n")
    assert request.adapters == (
        Adapter("support", "hf://team/support", "v2", 32),
        Adapter("sql", "pvc://tuned/sql"),
    )
    tuning = request.tuning
    assert (tuning.max_loras, tuning.max_lora_rank, tuning.fully_sharded_loras) == (1, 64, True)


def test_without_adapters_nothing_is_asked() -> None:
    request = asked("")
    assert (request.adapters, request.adapters_at) == ((), None)
    assert request.tuning.max_loras is None


@pytest.mark.parametrize(
    ("cache", "at"),
    [
        ("", None),
        ("cache: {persistentVolumeClaim: {}}", "/models/"),
        ("cache: {image: {reference: r/q:1}}", None),
        ("cache: {emptyDir: {}}", None),
    ],
)
def test_a_claim_that_caches_weights_brings_adapters_too(cache: str, at: str | None) -> None:
    assert asked(TWO + cache).adapters_at == at


@pytest.mark.parametrize("flag", LORA_FLAGS)
def test_flags_of_adapters_are_free_where_the_resource_names_none(flag: str) -> None:
    parse(resource(f"engine: {{extraArgs: ['{flag}', '2']}}"))
