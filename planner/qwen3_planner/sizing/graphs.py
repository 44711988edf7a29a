"""CUDA graphs: which batch sizes are captured, and what they take.

The engine measures its graphs at start-up; no formula gives them. The estimate here is a share
per captured size and layer, fitted over logs that state it.
"""

from __future__ import annotations

from qwen3_planner.units import MIB

LARGEST_GRAPH = 512
"""Largest captured batch. Source: vLLM 0.32.0 ``config/vllm.py`` _set_cudagraph_sizes."""

LARGEST_GRAPH_DATA_CENTRE_BLACKWELL = 1024
"""The same on compute capability 10.x."""

DENSE_BELOW = 256
"""Sizes below this follow the first stride, others the second."""

GRAPH_BYTES_PER_SIZE = 7 * MIB
"""Memory per captured size, from logs of 51 to 67 sizes: 0.32 GiB (0.28, 94 layers, TP4), 0.39
and 1.03 (0.11), 0.63 (2025), 1.86 and 2.24 GiB (2025). Taken near the lower end, where the newer
versions that count graphs in the budget are; the spread is carried in the plan's interval."""


def graph_sizes(
    max_num_seqs: int,
    max_num_batched_tokens: int,
    strides: tuple[int, ...],
    capability: tuple[int, int] | None,
) -> tuple[int, ...]:
    """List the batch sizes the engine captures.

    >>> len(graph_sizes(1024, 8192, (8, 16), (9, 0))), len(graph_sizes(1024, 8192, (8,), (9, 0)))
    (51, 67)
    >>> graph_sizes(3, 2048, (8, 16), (8, 9))
    (1, 2, 3, 4)
    """
    is_data_centre_blackwell = capability is not None and capability[0] == 10  # noqa: PLR2004 - sm_10x
    ceiling = LARGEST_GRAPH_DATA_CENTRE_BLACKWELL if is_data_centre_blackwell else LARGEST_GRAPH
    largest = min(max_num_seqs * 2, ceiling, max_num_batched_tokens)
    sizes = {size for size in (1, 2, 4) if size <= largest}
    sizes.update(range(8, min(largest + 1, DENSE_BELOW), strides[0]))
    sizes.update(range(DENSE_BELOW, largest + 1, strides[-1]))
    sizes.update(size for size in (max_num_seqs, max_num_batched_tokens) if size <= largest)
    return tuple(sorted(sizes))


def graph_bytes(sizes: tuple[int, ...]) -> int:
    """Estimate the memory of the captured graphs.

    >>> graph_bytes((1, 2, 4)) // MIB
    21
    """
    return len(sizes) * GRAPH_BYTES_PER_SIZE
