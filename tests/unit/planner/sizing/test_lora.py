"""Slots for LoRA adapters."""

from __future__ import annotations

import pytest

from qwen3_planner.sizing.lora import lora_slots
from qwen3_planner.units import GIB
from support.planner_builders import a_model


def test_one_adapter_of_rank_sixteen_is_about_what_a_log_says() -> None:
    """V083: Qwen3-4B loads at 7.63 GiB with slots, at 7.555 without."""
    model = a_model("Qwen3-4B")
    slots = lora_slots(model, 1, model.layers, 1, 16) / GIB
    assert 7.5552 + slots == pytest.approx(7.63, abs=0.02)


def test_without_adapters_there_are_no_slots() -> None:
    assert lora_slots(a_model("Qwen3-8B"), 1, 36, 0, 16) == 0


def test_experts_have_slots_of_their_own() -> None:
    sparse, dense = a_model("Qwen3-30B-A3B"), a_model("Qwen3-8B")
    assert lora_slots(sparse, 1, 48, 1, 16) > 10 * lora_slots(dense, 1, 48, 1, 16)


def test_tensor_parallelism_cuts_one_side_of_each_pair() -> None:
    model = a_model("Qwen3-32B")
    whole, half = (lora_slots(model, tensor, 64, 1, 16) for tensor in (1, 2))
    assert 0.5 < half / whole < 0.75
