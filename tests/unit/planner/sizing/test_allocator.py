"""The allocator's replay against one that keeps every segment and block."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen3_planner.sizing.allocator import device_bytes, replay, replayed_bytes
from qwen3_planner.units import MIB

SIZES = st.one_of(
    st.integers(0, 4096),
    st.integers(1, 2 * MIB),
    st.integers(MIB, 24 * MIB),
    st.sampled_from([MIB, MIB + 1, 10 * MIB, 10 * MIB - 1, 19 * MIB, 20 * MIB]),
)


@dataclass
class Segments:
    """Blocks that are free, of small and of large tensors, one by one."""

    free: dict[bool, list[int]] = field(default_factory=lambda: {True: [], False: []})
    held: int = 0
    reserved: int = 0

    def take(self, size: int) -> None:
        size = max(512, -(-size // 512) * 512) if size else 0
        if not size:
            return
        is_small = size <= MIB
        fitting = sorted(block for block in self.free[is_small] if block >= size)
        if fitting:
            block = fitting[0]
            self.free[is_small].remove(block)
        else:
            block = self.segment(size)
            self.reserved += block
        rest = block - size
        if rest >= 512 if is_small else rest > MIB:
            self.free[is_small].append(rest)
            block = size
        self.held += block

    def segment(self, size: int) -> int:
        if size <= MIB:
            return 2 * MIB
        return 20 * MIB if size < 10 * MIB else -(-size // (2 * MIB)) * 2 * MIB


@given(st.lists(SIZES, max_size=60))
def test_the_replay_holds_what_segments_and_blocks_do(sizes: list[int]) -> None:
    one_by_one = Segments()
    for size in sizes:
        one_by_one.take(size)

    found = replay(sizes)

    assert found.held == one_by_one.held
    assert found.reserved <= one_by_one.reserved <= found.reserved + 2 * MIB * len(sizes)


@given(st.lists(SIZES, max_size=60))
def test_more_is_held_than_asked_for_and_more_reserved_than_held(sizes: list[int]) -> None:
    found = replay(sizes)
    assert sum(sizes) <= found.held <= found.reserved
    assert found.held == replayed_bytes(sizes)


@pytest.mark.parametrize(
    ("size", "held"), [(100, 512), (9 * MIB, 9 * MIB), (int(47.5 * MIB), 48 * MIB)]
)
def test_one_tensor_on_its_own_is_rounded_alike(size: int, held: int) -> None:
    assert device_bytes(size) == held
    assert replayed_bytes([size]) == held


def test_the_scales_of_an_awq_checkpoint_share_segments() -> None:
    """Logged for a Qwen3-8B-AWQ: 5.7071 and 5.7088 GiB; without sharing it would be 5.6915."""
    scales = [int(1.5 * MIB)] * 36
    assert replayed_bytes(scales) - sum(scales) == 2 * MIB // 2


def test_a_tensor_cut_from_what_temporaries_left_is_not_rounded_up() -> None:
    assert replay([95 * MIB]).held == 96 * MIB
    assert replay([95 * MIB], [128 * MIB]).held == 95 * MIB
    assert replay([95 * MIB], [128 * MIB]).reserved == 0
    assert replay([127 * MIB], [128 * MIB]).held == 128 * MIB
