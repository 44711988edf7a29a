"""What the CUDA caching allocator hands out for a tensor.

Source: PyTorch c10/cuda/CUDACachingAllocator (kMinBlockSize 512 B, kSmallSize 1 MiB,
kMinLargeAlloc 10 MiB, kRoundLarge 2 MiB); that a Qwen3-4B loads at 7.5552 GiB instead of 7.5022
is this rule at work (95 MiB and 47.5 MiB tensors held in 96 and 48 MiB segments).
"""

from __future__ import annotations

from qwen3_planner.units import MIB, round_up

SMALLEST_BLOCK_BYTES = 512
"""Every block is a multiple of this."""

LARGE_ALLOCATION_BYTES = 10 * MIB
"""From here on an allocation gets a segment of its own size."""

LARGE_ROUNDING_BYTES = 2 * MIB
"""Such segments are multiples of this."""

UNSPLIT_REMAINDER_BYTES = MIB
"""A remainder up to this is not split off: it stays with the tensor."""


def device_bytes(tensor_bytes: int) -> int:
    """Return the bytes that the allocator counts as allocated for one tensor.

    >>> from qwen3_planner.units import MIB
    >>> device_bytes(95 * MIB) // MIB, device_bytes(int(98.5 * MIB)) / MIB, device_bytes(256)
    (96, 98.5, 512)
    """
    block = round_up(tensor_bytes, SMALLEST_BLOCK_BYTES)
    if block < LARGE_ALLOCATION_BYTES:
        return block
    segment = round_up(block, LARGE_ROUNDING_BYTES)
    return segment if segment - block <= UNSPLIT_REMAINDER_BYTES else block
