from __future__ import annotations

import pytest

from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.report.text import to_text
from qwen3_planner.request import EngineName, KvCacheDtype, Quantization
from support.planner_builders import answer, planned


@pytest.mark.parametrize(
    ("model", "on", "fields"),
    [
        ("Qwen3-32B", "2xH100-SXM-80GB", {}),
        ("Qwen3-8B", "1xRTX-4090-24GB", {"kv_cache_dtype": KvCacheDtype.FP8}),
        ("Qwen3-30B-A3B", "4xH100-SXM-80GB", {"tensor": 2, "data": 2, "expert": 4}),
        ("Qwen3-Next-80B-A3B-Instruct", "4xH100-SXM-80GB", {}),
    ],
)
def test_so_many_requests_fit_and_one_more_does_not(
    model: str, on: str, fields: dict[str, object]
) -> None:
    """Given context find concurrency: the planner's own verdict on each entry of the table."""
    found = planned(model, on, **fields)
    layout = found.layout
    held = {
        "quantization": Quantization(found.quantization),
        "tensor": layout.tensor,
        "pipeline": layout.pipeline,
        "data": layout.data,
        "expert": layout.expert,
    }
    assert len(found.memory.concurrency_by_context) >= 3
    for context, requests in found.memory.concurrency_by_context:
        asked = {**fields, **held, "max_model_len": context}
        fits = answer(model, on, **asked, concurrency=requests)
        assert isinstance(fits, Plan), (context, requests)
        more = answer(model, on, **asked, concurrency=requests + layout.data)
        assert isinstance(more, NoPlan), (context, requests)


def test_longer_requests_are_never_more() -> None:
    counts = [n for _, n in planned("Qwen3-8B", "1xL40S-48GB").memory.concurrency_by_context]
    assert counts == sorted(counts, reverse=True)


def test_the_plans_own_context_is_in_the_table() -> None:
    found = planned("Qwen3-32B", "1xH100-SXM-80GB")
    table = dict(found.memory.concurrency_by_context)
    assert found.max_model_len in table
    assert table[found.max_model_len] == int(found.memory.max_concurrency)


def test_a_context_that_does_not_fit_once_is_left_out() -> None:
    found = planned("Qwen3-32B", "1xH100-SXM-80GB", quantization=Quantization.BF16)
    table = dict(found.memory.concurrency_by_context)
    assert 40960 not in table
    assert all(requests >= 1 for requests in table.values())


def test_where_no_more_is_allocated_than_asked_for_it_says_what_could_be_held() -> None:
    """llama.cpp allocates the slots and the cache that the command names."""
    full = to_text(planned("Qwen3-8B", "1xL40S-48GB"))
    exact = to_text(planned("Qwen3-8B", "1xL40S-48GB", engine=EngineName.LLAMACPP))
    assert "By length" in full
    assert "Could hold" not in full
    assert "By length" not in exact
    assert "Could hold" in exact
