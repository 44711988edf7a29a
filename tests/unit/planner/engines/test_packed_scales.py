"""Where vLLM packs the scales of FP8 blocks."""

from __future__ import annotations

import pytest

from qwen3_planner.engines.versions import Version
from qwen3_planner.engines.vllm.semantics import semantics_at


@pytest.mark.parametrize(
    ("version", "capability", "packs"),
    [
        (Version(0, 11), (10, 0), False),
        (Version(0, 11, 1), (10, 0), True),
        (Version(0, 33), (10, 3), True),
        (Version(0, 33), (9, 0), False),
        (Version(0, 33), (12, 0), False),
        (Version(0, 33), None, False),
    ],
)
def test_block_scales_are_packed_for_deep_gemm_on_capability_10(
    version: Version, capability: tuple[int, int] | None, *, packs: bool
) -> None:
    assert semantics_at(version).packs_scales(capability) is packs
