"""CUDA graphs: which batch sizes are captured, and what they take.

The engine measures its graphs at start-up; no formula gives them. The estimate here is a share
per captured graph, fitted over logs that state it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.units import MIB

if TYPE_CHECKING:
    from qwen3_planner.engines.vllm.capture import CaptureRule

DENSE_BELOW = 256
"""Sizes below this follow the first stride, others the second."""

DATA_CENTRE_BLACKWELL_MAJOR = 10
"""Compute capability major of B200 and GB200."""

GRAPH_BYTES_PER_LAYER = int(0.15 * MIB)
"""Memory of one captured graph per decoder layer. Fitted to the logs that state their graphs, in
GiB of so many graphs of so many layers: 0.32 of 18 of 94 (0.27.1, V004), 0.40 of 86 of 24 (0.26),
0.37 of 86 of 24 (0.27.1), 0.23 of 86 of 32 (0.31), 0.67 of 67 of 28 (0.10.2), 0.08 of 18 of 28
(0.18), 0.63 of 67 of 28 (V045) and 0.10 of 102 of 28 (0.11, M1): 0.04 to 0.37 MiB, 0.17 in the
geometric mean. An old driver (535) took 0.8 to 0.95."""

GRAPH_SIGMA = 0.35
"""Spread around that of releases that count graphs, relative: 0.19 and 0.18 MiB captured (0.27.1),
0.17 estimated at start-up (0.21); the wider logs above are of releases that do not count them."""


@lru_cache(maxsize=256)
def graph_sizes(
    max_num_seqs: int,
    max_num_batched_tokens: int,
    rule: CaptureRule,
    capability: tuple[int, int] | None,
    decode_tokens: int = 1,
) -> tuple[int, ...]:
    """List the batch sizes the engine captures.

    Args:
        max_num_seqs: sequences at once.
        max_num_batched_tokens: tokens of a step.
        rule: of the version.
        capability: CUDA (major, minor); None elsewhere.
        decode_tokens: of one sequence in a decoding step: 1 and what is drafted.
    """
    is_blackwell = capability is not None and capability[0] == DATA_CENTRE_BLACKWELL_MAJOR
    ceiling = rule.ceiling_on_blackwell if is_blackwell else rule.ceiling
    largest = min(ceiling, max_num_batched_tokens)
    if rule.bound_by_seqs:
        largest = min(largest, 2 * max_num_seqs * decode_tokens)
    sizes = {size for size in (1, 2, 4) if size <= largest}
    sizes.update(range(8, min(largest + 1, DENSE_BELOW), rule.strides[0]))
    sizes.update(range(DENSE_BELOW, largest + 1, rule.strides[1]))
    if rule.adds_tokens and max_num_batched_tokens <= largest:
        sizes.add(max_num_batched_tokens)
    if rule.adds_seqs and max_num_seqs * decode_tokens <= largest:
        sizes.add(max_num_seqs * decode_tokens)
    return tuple(sorted(sizes))


@lru_cache(maxsize=256)
def graph_count(sizes: tuple[int, ...], max_num_seqs: int, rule: CaptureRule) -> int:
    """Count the graphs: one per size in pieces, and one per size that decoding alone can fill."""
    whole = sum(size <= max_num_seqs for size in sizes) if rule.whole_steps else 0
    return len(sizes) + whole


def graph_bytes(count: int, layers: int) -> int:
    """Estimate the memory of so many captured graphs of so many decoder layers.

    >>> graph_bytes(86, 36) // MIB
    464
    """
    return count * layers * GRAPH_BYTES_PER_LAYER
