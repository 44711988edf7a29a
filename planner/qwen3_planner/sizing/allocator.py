"""What the CUDA caching allocator hands out for a model's tensors.

Source: PyTorch c10/cuda/CUDACachingAllocator (kMinBlockSize 512 B, kSmallSize 1 MiB, kSmallBuffer
2 MiB, kLargeBuffer 20 MiB, kMinLargeAlloc 10 MiB, kRoundLarge 2 MiB); that a Qwen3-4B loads at
7.5552 GiB instead of 7.5022 is this rule at work (95 MiB and 47.5 MiB tensors held in 96 and 48
MiB segments).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.units import MIB, round_up

if TYPE_CHECKING:
    from collections.abc import Iterable

SMALLEST_BLOCK_BYTES = 512
"""Every block is a multiple of this."""

SMALL_BYTES = MIB
"""Up to this a tensor shares a segment of small ones, split to the last block."""

SMALL_SEGMENT_BYTES = 2 * MIB
"""Segments of small tensors."""

SHARED_SEGMENT_BYTES = 20 * MIB
"""Tensors between small and large share segments of this size."""

LARGE_ALLOCATION_BYTES = 10 * MIB
"""From here on an allocation gets a segment of its own size."""

LARGE_ROUNDING_BYTES = 2 * MIB
"""Such segments are multiples of this."""

UNSPLIT_REMAINDER_BYTES = MIB
"""A remainder up to this is not split off: it stays with the tensor."""


def device_bytes(tensor_bytes: int) -> int:
    """Return the bytes that the allocator counts as allocated for one tensor on its own.

    >>> from qwen3_planner.units import MIB
    >>> device_bytes(95 * MIB) // MIB, device_bytes(int(98.5 * MIB)) / MIB, device_bytes(256)
    (96, 98.5, 512)
    """
    block = round_up(tensor_bytes, SMALLEST_BLOCK_BYTES)
    if block < LARGE_ALLOCATION_BYTES:
        return block
    segment = round_up(block, LARGE_ROUNDING_BYTES)
    return segment if segment - block <= UNSPLIT_REMAINDER_BYTES else block


@dataclass(frozen=True, slots=True)
class Allocation:
    """What the allocator says after it handed out tensors.

    Attributes:
        held: bytes it counts as allocated (vLLM's "Model loading took").
        reserved: bytes it took from the device (what SGLang's "mem usage" is made of).
    """

    held: int
    reserved: int


def replay(tensor_bytes: Iterable[int], left_over: Iterable[int] = ()) -> Allocation:
    """Hand out tensors one after the other.

    Args:
        tensor_bytes: of each tensor, in order.
        left_over: free blocks at the start, of temporaries that came and went before; they are
            not counted as reserved.

    The smallest free block that is large enough is taken; what it has left over stays with the
    tensor unless it is more than 1 MiB. So the last tensor of a shared segment may count for more
    than its size: thirteen of 1.5 MiB fill 20 MiB and the thirteenth holds 2.

    >>> from qwen3_planner.units import MIB
    >>> thirteen = replay([int(1.5 * MIB)] * 13)
    >>> thirteen.held // MIB, thirteen.reserved // MIB
    (20, 20)
    >>> replay([100, 8 * MIB, 95 * MIB])  # segments of 2, 20 and 96 MiB
    Allocation(held=109052416, reserved=123731968)
    """
    free = sorted(left_over)
    small = held = reserved = 0
    for size in tensor_bytes:
        block = round_up(size, SMALLEST_BLOCK_BYTES)
        held += block
        if block <= SMALL_BYTES:
            small += block
            continue
        place = bisect_left(free, block)
        if place < len(free):
            rest = free.pop(place) - block
        else:
            is_shared = block < LARGE_ALLOCATION_BYTES
            segment = SHARED_SEGMENT_BYTES if is_shared else round_up(block, LARGE_ROUNDING_BYTES)
            reserved += segment
            rest = segment - block
        if rest > UNSPLIT_REMAINDER_BYTES:
            insort(free, rest)
        else:
            held += rest
    return Allocation(held, reserved + round_up(small, SMALL_SEGMENT_BYTES))


def replayed_bytes(tensor_bytes: Iterable[int], left_over: Iterable[int] = ()) -> int:
    """Return what the allocator counts as allocated after handing out these tensors."""
    return replay(tensor_bytes, left_over).held
