"""How far each term of a rank's memory under vLLM may be off."""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING

from qwen3_planner.sizing.graphs import GRAPH_SIGMA
from qwen3_planner.sizing.overhead import (
    ENCODER_ERROR,
    PINNED_SHARE,
    PIPELINE_ERROR_BYTES,
    PROFILE_ERROR_BYTES,
    QUANTIZED_WEIGHTS_ERROR,
    WEIGHTS_ERROR,
    group_error_bytes,
)

if TYPE_CHECKING:
    from qwen3_planner.engines.vllm.semantics import VllmSemantics
    from qwen3_planner.plan import Layout
    from qwen3_planner.serving.vllm_memory import RankParts
    from qwen3_planner.sizing.stages import Device


def sigmas_of(
    parts: RankParts,
    layout: Layout,
    semantics: VllmSemantics,
    device: Device,
    *,
    is_quantized: bool,
) -> dict[str, float]:
    """Return one standard deviation of each term of a rank, in bytes, by the term's name.

    The device's own memory is not among them.
    """
    grouped = group_error_bytes(layout.gpus_per_replica, is_linked=device.is_linked)
    warm = (parts.peak - parts.warm_peak) / 2
    return {
        "weights": parts.weights * (QUANTIZED_WEIGHTS_ERROR if is_quantized else WEIGHTS_ERROR),
        "peak": PROFILE_ERROR_BYTES,
        "image": parts.encoding * ENCODER_ERROR,
        "compiling": warm,
        "pinned": parts.compiling * PINNED_SHARE if semantics.pinned_count else 0.0,
        "graphs": parts.graphs * GRAPH_SIGMA,
        "group": grouped,
        "pipeline": PIPELINE_ERROR_BYTES if layout.pipeline > 1 else 0.0,
    }


def sigma_of(
    parts: RankParts,
    layout: Layout,
    semantics: VllmSemantics,
    device: Device,
    *,
    is_quantized: bool,
) -> float:
    """Return one standard deviation of all terms together, in bytes."""
    return hypot(*sigmas_of(parts, layout, semantics, device, is_quantized=is_quantized).values())
