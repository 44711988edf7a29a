"""LoRA adapters: as typed, as settled into slots, as found in a container."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen3_planner.engines.adapters import (
    LORA_RANKS,
    adapter_path,
    adapter_text,
    check_adapters,
    parse_adapter,
    settled,
)
from qwen3_planner.engines.versions import Version
from qwen3_planner.errors import SpecError
from qwen3_planner.request import Adapter, EngineName, EngineTuning, PlanRequest

NEWEST = Version(0, 32)
NAMES = st.from_regex(r"[a-zA-Z0-9][-._a-zA-Z0-9]{0,20}", fullmatch=True)
SOURCES = st.sampled_from(
    ["hf://team/a", "modelscope://team/b.c", "pvc://claim/a/b", "file:///home/me/a"]
)
ADAPTERS = st.builds(
    Adapter,
    name=NAMES,
    source=SOURCES,
    revision=st.none() | st.sampled_from(["v1", "refs/pr/1"]),
    rank=st.none() | st.integers(1, 999),
)


@given(ADAPTERS)
def test_an_adapter_is_read_as_it_is_written(adapter: Adapter) -> None:
    assert parse_adapter(adapter_text(adapter)) == adapter


@pytest.mark.parametrize(
    "typed",
    [
        *("", "a", "a=", "=hf://t/a", "a=team/a", "a=s3://t/a", "a=hf://"),
        *("a=hf://t/a,rank=0", "a=hf://t/a,rank=x", "a=hf://t/a,alpha=3", "a=oci://x"),
    ],
)
def test_what_is_no_adapter_is_refused_as_typed(typed: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_adapter(typed)
    assert (caught.value.field, caught.value.value) == ("--lora", typed)


@pytest.mark.parametrize(
    ("request_", "field", "told"),
    [
        (
            PlanRequest("Qwen3-8B", adapters=(Adapter("a", "hf://t/a"), Adapter("a", "hf://t/b"))),
            "--lora",
            "another adapter's name",
        ),
        (
            PlanRequest("Qwen3-8B", adapters=(Adapter("Qwen3-8B", "hf://t/a"),)),
            "--lora",
            "the model's own name",
        ),
        (
            PlanRequest("Qwen3-8B", served_name="q", adapters=(Adapter("q", "hf://t/a"),)),
            "--lora",
            "the model's own name",
        ),
        (
            PlanRequest(
                "Qwen3-8B",
                adapters=(Adapter("a", "hf://t/a", rank=32),),
                tuning=EngineTuning(max_lora_rank=16),
            ),
            "--max-lora-rank",
            "the rank 32 of a",
        ),
        (
            PlanRequest("Qwen3-8B", tuning=EngineTuning(max_lora_rank=16)),
            "--max-lora-rank",
            "needs",
        ),
    ],
)
def test_adapters_that_contradict_each_other_are_refused(
    request_: PlanRequest, field: str, told: str
) -> None:
    with pytest.raises(SpecError, match=told) as caught:
        check_adapters(request_)
    assert caught.value.field == field


def asking(*ranks: int | None, **tuning: int) -> PlanRequest:
    adapters = tuple(Adapter(f"a{n}", f"hf://t/a{n}", rank=r) for n, r in enumerate(ranks))
    return PlanRequest("Qwen3-8B", adapters=adapters, tuning=EngineTuning(**tuning))  # type: ignore[arg-type]  # names of whole numbers


@pytest.mark.parametrize(
    ("request_", "engine", "slots", "rank"),
    [
        (asking(), EngineName.VLLM, None, None),
        (asking(8, 24), EngineName.VLLM, 2, 32),
        (asking(8, 24), EngineName.SGLANG, 2, 24),
        (asking(None), EngineName.VLLM, 1, 16),
        (asking(None, 4), EngineName.VLLM, 2, 16),
        (asking(1), EngineName.VLLM, 1, 1),
        (asking(8, 8, 8, max_loras=2), EngineName.VLLM, 2, 8),
        (asking(8, max_loras=4, max_lora_rank=64), EngineName.VLLM, 4, 64),
        (asking(max_loras=3), EngineName.VLLM, 3, None),
        (asking(8, 24), EngineName.LLAMACPP, None, None),
    ],
)
def test_slots_hold_the_adapters_and_no_more(
    request_: PlanRequest, engine: EngineName, slots: int | None, rank: int | None
) -> None:
    tuning = settled(request_, engine, NEWEST)
    assert (tuning.max_loras, tuning.max_lora_rank) == (slots, rank)


@given(rank=st.integers(1, 512))
def test_the_smallest_slot_that_holds_a_rank_is_taken(rank: int) -> None:
    chosen = settled(asking(rank), EngineName.VLLM, NEWEST).max_lora_rank
    assert chosen is not None
    assert chosen >= rank
    assert not [slot for slot in (1, *LORA_RANKS) if rank <= slot < chosen]


def test_slots_of_rank_one_came_with_a_release() -> None:
    assert settled(asking(1), EngineName.VLLM, Version(0, 11)).max_lora_rank == 8


def test_a_rank_that_no_slot_holds_is_named() -> None:
    with pytest.raises(SpecError, match="larger rank than any slot") as caught:
        settled(asking(600), EngineName.VLLM, NEWEST)
    assert (caught.value.field, caught.value.value) == ("--lora", 600)
    assert caught.value.choices[0] == "512"


@pytest.mark.parametrize(
    ("source", "at", "path"),
    [
        ("modelscope://t/a", None, "t/a"),
        ("hf://t/a", "/models/", "/models/hf/t/a/default"),
        ("pvc://claim", "/models/", "/adapters/pvc/claim"),
        ("pvc://claim/a/b", None, "/adapters/pvc/claim/a/b"),
        ("file:///home/me/a", None, "/home/me/a"),
    ],
)
def test_an_adapter_is_looked_for_where_it_was_brought_to(
    source: str, at: str | None, path: str
) -> None:
    assert adapter_path(Adapter("a", source), at) == path


def test_a_file_on_a_claim_keeps_its_name() -> None:
    file = Adapter("a", "pvc://claim/a/b.gguf")
    assert adapter_path(file, None, is_gguf=True) == "/adapters/pvc/claim/a/b.gguf"
