"""Engine settings that slow every step: weights left in host memory, no CUDA graphs."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.catalog.figures import Efficiency
    from qwen3_planner.performance.work import StageWork

EAGER_LAYER_US = 250.0
"""Of each layer without CUDA graphs: launching a dozen kernels takes the host longer than running
them takes the card. From Qwen3-14B-AWQ with --enforce-eager on an A100, 20.6 ms a token where its
bytes and the overhead of that version explain 10.4 (vLLM 0.9.1,
https://github.com/vllm-project/vllm/issues/20469)."""

BUS_SHARE = 0.8
"""Share of the bus that reading weights over it reaches. Assumed: large copies reach 0.8 to 0.9."""

TUNED_SIGMA = 0.3
"""Added (in squares) to the errors of times: few runs of such settings are published."""


def as_tuned(  # noqa: PLR0913 - each is a fact of its own
    row: Efficiency,
    work: StageWork,
    memory_bytes_per_s: float,
    *,
    bus_bytes_per_s: float,
    offload_bytes: float = 0.0,
    is_eager: bool = False,
) -> Efficiency:
    """Return efficiencies under settings that slow every step.

    Args:
        row: without them.
        work: of the stage.
        memory_bytes_per_s: of one device.
        bus_bytes_per_s: between host memory and one device, one direction.
        offload_bytes: of weights that each device leaves in host memory and fetches in each step.
        is_eager: whether there are no CUDA graphs.
    """
    held = work.dense_bytes + work.head_bytes + work.local_experts * work.expert_bytes
    share = min(1.0, offload_bytes / held) if held else 0.0
    if not share and not is_eager:
        return row
    slower = share * memory_bytes_per_s / (bus_bytes_per_s * BUS_SHARE)
    return replace(
        row,
        memory=1.0 / ((1.0 - share) / row.memory + slower),
        experts=1.0 / ((1.0 - share) / row.experts + slower),
        layer_us=row.layer_us + (EAGER_LAYER_US if is_eager else 0.0),
        tpot_sigma=sqrt(row.tpot_sigma**2 + TUNED_SIGMA**2),
        ttft_sigma=sqrt(row.ttft_sigma**2 + TUNED_SIGMA**2),
        throughput_sigma=sqrt(row.throughput_sigma**2 + TUNED_SIGMA**2),
    )
