"""What should be known of CUDA graphs that an engine's budget does not count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.versions import ruling_at
from qwen3_planner.engines.vllm.capture import CAPTURE_RULES
from qwen3_planner.engines.vllm.profiling import UTILIZATION
from qwen3_planner.sizing.graphs import graph_bytes, graph_count, graph_sizes
from qwen3_planner.units import MIB, ceil_div, format_gib

if TYPE_CHECKING:
    from qwen3_planner.rules.facts import LayoutFacts

OLD_DRIVER_GRAPH_BYTES_PER_LAYER: Final = int(0.95 * MIB)
"""The most that a start-up log states of one graph and layer: driver 535, see sizing/graphs.py.

No refusal: under 0.11.0 on eight A100, fp8 and expert parallelism at TP8, Qwen3-VL-235B ran out of
memory at graph 70 of 102 (github.com/QwenLM/Qwen3-VL/issues/1684) and Qwen3-235B served a benchmark
(gpustack docs/performance-lab/qwen3-235b-a22b/a100.md), as it did in bf16 at TP8 and fp8 at TP4.
"""


def graphs_find_room_beside_the_budget(facts: LayoutFacts) -> str | None:
    """CUDA graphs that the budget does not count find room in what is left of the device.

    Told where old drivers would take more than half of it.
    """
    pool = facts.pool
    if pool.tuning.enforce_eager:
        return None
    share = pool.tuning.gpu_memory_utilization or ruling_at(UTILIZATION, pool.version).value
    left = int(pool.accelerator.usable_memory_mib * MIB * (1 - share))
    rule = ruling_at(CAPTURE_RULES, pool.version).value
    batch, layers = pool.batch, ceil_div(pool.model.layers, facts.layout.pipeline)
    sizes = graph_sizes(batch.seqs, batch.tokens, rule, pool.accelerator.compute_capability)
    count = graph_count(sizes, batch.seqs, rule)
    most = count * layers * OLD_DRIVER_GRAPH_BYTES_PER_LAYER
    if most <= left // 2:
        return None
    return (
        f"vLLM {pool.version} captures {count} CUDA graphs of {layers} layers beside its budget:"
        f" about {format_gib(graph_bytes(count, layers))}, with old drivers up to"
        f" {format_gib(most)}, of the {format_gib(left)} that gpu-memory-utilization={share:g}"
        " leaves. If it runs out of memory at the start, --enforce-eager does without them and a"
        " lower utilization leaves more."
    )
