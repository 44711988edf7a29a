"""Which batch sizes and token counts SGLang captures as CUDA graphs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Final

from qwen3_planner.engines.sglang.releases import OLDEST_READ, read_in
from qwen3_planner.engines.versions import Ruling, Version


class DecodeSizes(StrEnum):
    """How the captured decode batches are spaced."""

    BY_EIGHT = "1 2 4 8, by 8 to 256, by 16"
    FINER_START = "1 2 4 8 12, by 8 to 256, by 16 to 496, by 32"
    WITH_LARGEST = "the same, and the largest itself"


DECODE_SIZES: Final[tuple[Ruling[DecodeSizes], ...]] = (
    read_in(
        DecodeSizes.BY_EIGHT,
        OLDEST_READ,
        "model_executor/cuda_graph_runner.py get_batch_sizes_to_capture",
    ),
    read_in(
        DecodeSizes.FINER_START,
        Version(0, 5, 3),
        "server_args.py _generate_cuda_graph_batch_sizes",
    ),
    read_in(
        DecodeSizes.WITH_LARGEST,
        Version(0, 5, 10),
        "server_args.py _generate_cuda_graph_batch_sizes",
    ),
)
"""Spacing of the captured decode batches."""


@dataclass(frozen=True, slots=True)
class PrefillGraphs:
    """When prefill steps are captured by default. Never for vision models, never on AMD.

    Attributes:
        on: at all.
        under_data: with attention data parallelism too.
        under_pipeline: with pipeline stages too.
    """

    on: bool
    under_data: bool = False
    under_pipeline: bool = False


PREFILL_GRAPHS: Final[tuple[Ruling[PrefillGraphs], ...]] = (
    read_in(PrefillGraphs(on=False), OLDEST_READ, "server_args.py (opt-in up to 0.5.9)"),
    read_in(
        PrefillGraphs(on=True), Version(0, 5, 10), "server_args.py _handle_piecewise_cuda_graph"
    ),
    read_in(
        PrefillGraphs(on=True, under_pipeline=True),
        Version(0, 5, 15),
        "server_args.py _disable_breakable_cudagraph_if_incompatible",
    ),
    read_in(
        PrefillGraphs(on=True, under_data=True, under_pipeline=True),
        Version(0, 5, 17),
        "server_args.py _disable_breakable_cudagraph_if_incompatible",
    ),
    read_in(
        PrefillGraphs(on=True, under_data=True),
        Version(0, 5, 19),
        "arg_groups/cuda_graph_hook.py apply_cuda_graph_compatibility",
    ),
)
"""Whether prefill is captured where the user says nothing."""


def decode_sizes(form: DecodeSizes, largest: int) -> tuple[int, ...]:
    """List the captured decode batches.

    >>> len(decode_sizes(DecodeSizes.WITH_LARGEST, 256)), len(
    ...     decode_sizes(DecodeSizes.WITH_LARGEST, 512))
    (36, 52)
    >>> decode_sizes(DecodeSizes.BY_EIGHT, 8), len(decode_sizes(DecodeSizes.BY_EIGHT, 160))
    ((1, 2, 4, 8), 23)
    """
    if form is DecodeSizes.BY_EIGHT:
        every = chain((1, 2, 4, 8), range(16, 257, 8), range(272, 513, 16))
    else:
        every = chain(
            (1, 2, 4, 8, 12), range(16, 257, 8), range(272, 512, 16), range(512, largest + 1, 32)
        )
    sizes = [size for size in every if size <= largest]
    if form is DecodeSizes.WITH_LARGEST and largest not in sizes:
        sizes.append(largest)
    return tuple(sizes)


def prefill_sizes(largest: int) -> tuple[int, ...]:
    """List the captured token counts of prefill steps, as since 0.5.9.

    >>> [len(prefill_sizes(tokens)) for tokens in (2048, 4096, 8192, 16384)]
    [42, 50, 58, 74]
    """
    every = chain(
        range(4, 33, 4),
        range(48, 257, 16),
        range(288, 513, 32),
        range(576, 1025, 64),
        range(1280, 4097, 256),
        range(4608, largest + 1, 512),
    )
    return tuple(size for size in every if size <= largest)
