"""Legal tensor-parallel sizes of all eight variants, by heads and by FP8 blocks."""

from __future__ import annotations

import pytest

from qwen3_planner.plan import Layout
from qwen3_planner.rules.chains import layout_refusal
from qwen3_planner.sizing.formats import BF16, WeightFormat
from support.planner_builders import FP8_BLOCKS, layout_facts_of

BEFORE_REFINED_SCALES = "0.28.0"

BY_HEADS = {
    "Qwen3-0.6B": [1, 2, 4, 8, 16],
    "Qwen3-1.7B": [1, 2, 4, 8, 16],
    "Qwen3-4B": [1, 2, 4, 8, 16, 32],
    "Qwen3-8B": [1, 2, 4, 8, 16, 32],
    "Qwen3-14B": [1, 2, 4, 8],
    "Qwen3-32B": [1, 2, 4, 8, 16, 32, 64],
    "Qwen3-30B-A3B": [1, 2, 4, 8, 16, 32],
    "Qwen3-235B-A22B": [1, 2, 4, 8, 16, 32, 64],
}

BY_FP8_BLOCKS = {
    "Qwen3-0.6B": [1, 2, 4, 8],
    "Qwen3-1.7B": [1, 2, 4, 8, 16],
    "Qwen3-4B": [1, 2, 4],
    "Qwen3-8B": [1, 2, 4, 8, 16, 32],
    "Qwen3-14B": [1, 2, 4, 8],
    "Qwen3-32B": [1, 2, 4, 8],
    "Qwen3-30B-A3B": [1, 2],
    "Qwen3-235B-A22B": [1, 2, 4],
}


def legal_sizes(name: str, fmt: WeightFormat) -> list[int]:
    return [
        tensor
        for tensor in range(1, 129)
        if layout_refusal(
            layout_facts_of(
                Layout(tensor=tensor), model=name, fmt=fmt, version=BEFORE_REFINED_SCALES
            )
        )
        is None
    ]


@pytest.mark.parametrize(("name", "sizes"), BY_HEADS.items())
def test_bf16_takes_exactly_the_sizes_of_the_table(name: str, sizes: list[int]) -> None:
    assert legal_sizes(name, BF16) == sizes


@pytest.mark.parametrize(("name", "sizes"), BY_FP8_BLOCKS.items())
def test_fp8_blocks_take_exactly_the_sizes_of_the_table(name: str, sizes: list[int]) -> None:
    assert legal_sizes(name, FP8_BLOCKS) == sizes
