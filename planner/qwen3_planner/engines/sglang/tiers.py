"""SGLang's scheduler and graph sizes by the memory of the device, as nvidia-smi shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from qwen3_planner.engines.sglang.releases import OLDEST_READ, read_in
from qwen3_planner.engines.versions import Ruling, Version

MANY_RANKS: Final = 4
"""From this tensor-parallel size on the larger batches are captured."""

UNBOUNDED: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class DeviceTier:
    """Defaults of one class of devices.

    Attributes:
        below_mib: device memory below which it holds.
        chunked_prefill: tokens of one prefill step.
        few_ranks_batch: largest decode batch that is captured below tensor parallel size 4.
        many_ranks_batch: the same from 4 on.
    """

    below_mib: int
    chunked_prefill: int
    few_ranks_batch: int
    many_ranks_batch: int

    def largest_graph(self, ranks: int) -> int:
        """Return the largest decode batch that is captured on so many tensor-parallel ranks."""
        return self.few_ranks_batch if ranks < MANY_RANKS else self.many_ranks_batch


TIERS: Final[tuple[Ruling[tuple[DeviceTier, ...]], ...]] = (
    read_in(
        (
            DeviceTier(25_000, 2048, 8, 80),
            DeviceTier(81_921, 8192, 160, 160),
            DeviceTier(UNBOUNDED, 8192, 256, 256),
        ),
        OLDEST_READ,
        "server_args.py, model_executor/cuda_graph_runner.py get_batch_sizes_to_capture",
    ),
    read_in(
        (
            DeviceTier(25_000, 2048, 8, 80),
            DeviceTier(98_305, 8192, 160, 160),
            DeviceTier(UNBOUNDED, 8192, 256, 256),
        ),
        Version(0, 4, 6, 2),
        "model_executor/cuda_graph_runner.py get_batch_sizes_to_capture",
    ),
    read_in(
        (
            DeviceTier(25_000, 2048, 8, 80),
            DeviceTier(98_305, 8192, 160, 160),
            DeviceTier(180_001, 8192, 256, 256),
            DeviceTier(UNBOUNDED, 16384, 512, 512),
        ),
        Version(0, 4, 7),
        "server_args.py, model_executor/cuda_graph_runner.py get_batch_sizes_to_capture",
    ),
    read_in(
        (
            DeviceTier(35_840, 2048, 8, 80),
            DeviceTier(92_161, 8192, 160, 160),
            DeviceTier(160_001, 8192, 256, 256),
            DeviceTier(163_840, 8192, 512, 512),
            DeviceTier(UNBOUNDED, 16384, 512, 512),
        ),
        Version(0, 4, 7, 1),
        "server_args.py, model_executor/cuda_graph_runner.py get_batch_sizes_to_capture",
    ),
    read_in(
        (
            DeviceTier(20_480, 2048, 8, 8),
            DeviceTier(35_840, 2048, 16, 80),
            DeviceTier(61_440, 4096, 32, 160),
            DeviceTier(163_840, 8192, 256, 512),
            DeviceTier(UNBOUNDED, 16384, 512, 512),
        ),
        Version(0, 5, 3),
        "server_args.py _handle_gpu_memory_settings",
    ),
    read_in(
        (
            DeviceTier(20_480, 2048, 8, 8),
            DeviceTier(35_840, 2048, 24, 80),
            DeviceTier(61_440, 4096, 32, 160),
            DeviceTier(163_840, 8192, 256, 512),
            DeviceTier(UNBOUNDED, 16384, 512, 512),
        ),
        Version(0, 5, 4, 1),
        "server_args.py _handle_gpu_memory_settings",
    ),
    read_in(
        (
            DeviceTier(20_480, 2048, 8, 8),
            DeviceTier(35_840, 4096, 48, 160),
            DeviceTier(61_440, 4096, 32, 160),
            DeviceTier(163_840, 8192, 256, 512),
            DeviceTier(UNBOUNDED, 16384, 512, 512),
        ),
        Version(0, 5, 20),
        "arg_groups/memory_hook.py handle_gpu_memory_settings",
    ),
)
"""Defaults by device memory, smallest devices first."""


def tier_of(tiers: tuple[DeviceTier, ...], memory_mib: int) -> DeviceTier:
    """Return the tier of a device.

    >>> tier_of(TIERS[-1].value, 81_559).chunked_prefill
    8192
    """
    return next(tier for tier in tiers if memory_mib < tier.below_mib)
