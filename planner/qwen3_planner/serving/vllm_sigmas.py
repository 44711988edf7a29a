"""How far each term of a rank's memory under vLLM may be off.

Each is read off start-up logs that state that term apart (``sizing/overhead.py`` names them); none
is fitted to what a log leaves over. What a start either takes or not, and nothing between, is no
error: ``StageMemory.may_lack`` and ``may_spare`` hold it.
"""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING

from qwen3_planner.sizing.graphs import GRAPH_SIGMA
from qwen3_planner.sizing.overhead import (
    CONTEXT_ERROR_BYTES,
    ENCODER_ERROR,
    PEAK_ERROR_BYTES,
    PIPELINE_ERROR_BYTES,
    QUANTIZED_WEIGHTS_ERROR,
    WEIGHTS_ERROR,
    group_error_bytes,
)

if TYPE_CHECKING:
    from qwen3_planner.plan import Layout
    from qwen3_planner.serving.vllm_memory import RankParts
    from qwen3_planner.sizing.stages import Device


def sigmas_of(
    parts: RankParts, layout: Layout, device: Device, *, is_quantized: bool
) -> dict[str, float]:
    """Return one standard deviation of each term of a rank, in bytes, by the term's name.

    The device's own memory is not among them.
    """
    return {
        "weights": parts.weights * (QUANTIZED_WEIGHTS_ERROR if is_quantized else WEIGHTS_ERROR),
        "peak": PEAK_ERROR_BYTES,
        "context": CONTEXT_ERROR_BYTES,
        "image": parts.encoding * ENCODER_ERROR,
        "graphs": parts.graphs * GRAPH_SIGMA,
        "group": group_error_bytes(layout.gpus_per_replica, is_linked=device.is_linked),
        "pipeline": PIPELINE_ERROR_BYTES if layout.pipeline > 1 else 0.0,
    }


def sigma_of(parts: RankParts, layout: Layout, device: Device, *, is_quantized: bool) -> float:
    """Return one standard deviation of all terms together, in bytes."""
    return hypot(*sigmas_of(parts, layout, device, is_quantized=is_quantized).values())
