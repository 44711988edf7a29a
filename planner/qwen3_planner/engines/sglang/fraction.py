"""The default of ``--mem-fraction-static``: the share that weights and KV cache may take.

It is a share of the memory that is free before the weights are loaded. Nothing is profiled:
activations and CUDA graphs have to do with the rest, so the default guesses what they need.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from qwen3_planner.engines.sglang.releases import OLDEST_READ, read_in
from qwen3_planner.engines.versions import Ruling, Version


class FractionForm(StrEnum):
    """How the default comes about."""

    BY_RANKS = "a share by the number of ranks; 13 GiB left on devices above 80 GiB"
    BY_RANKS_CAPPED = "a share by the number of ranks; at least 18 GiB left above 96 GiB"
    BY_RANKS_OR_FLAT = "the same; 0.79 above 180000 MiB"
    BY_TIER = "device memory less a reserve by class of device and number of ranks"
    BY_SUM = "device memory less a sum for prefill, graphs and ranks"


FRACTION_FORM: Final[tuple[Ruling[FractionForm], ...]] = (
    read_in(FractionForm.BY_RANKS, OLDEST_READ, "server_args.py __post_init__"),
    read_in(FractionForm.BY_RANKS_CAPPED, Version(0, 4, 6, 2), "server_args.py __post_init__"),
    read_in(FractionForm.BY_RANKS_OR_FLAT, Version(0, 4, 7), "server_args.py __post_init__"),
    read_in(FractionForm.BY_TIER, Version(0, 4, 7, 1), "server_args.py __post_init__"),
    read_in(FractionForm.BY_SUM, Version(0, 5, 3), "server_args.py _handle_gpu_memory_settings"),
)
"""Form of the default by version."""

EAGER_FREES_DECODE: Final[tuple[Ruling[bool], ...]] = (
    read_in(value=False, since=OLDEST_READ, path="server_args.py"),
    read_in(value=True, since=Version(0, 5, 15), path="server_args.py _handle_gpu_memory_settings"),
)
"""Whether switching graphs off also gives back what the default keeps for decode graphs."""


@dataclass(frozen=True, slots=True)
class FractionQuestion:
    """What the default depends on.

    Attributes:
        memory_mib: of one device, as nvidia-smi shows it.
        is_nvidia: whether it is a CUDA device.
        tensor_ranks: SGLang's own ``--tp-size``, attention data parallelism included.
        stages: pipeline stages.
        attention_data: data-parallel groups of the attention layers; 1: off.
        chunked_prefill: tokens of one prefill step.
        largest_decode: largest captured decode batch, 0 where none is captured and the version
            keeps nothing for it then.
        prefill_graphs: captured token counts of prefill steps.
    """

    memory_mib: int
    is_nvidia: bool
    tensor_ranks: int
    stages: int
    attention_data: int
    chunked_prefill: int
    largest_decode: int
    prefill_graphs: int


_BY_RANKS: Final = ((16, 0.79), (8, 0.81), (4, 0.85), (2, 0.87), (1, 0.88))
"""Shares by the number of ranks, from 0.4.6 to 0.4.7."""

_CAPPED_ABOVE_MIB: Final = 96 * 1024
_FLAT_ABOVE_MIB: Final = 180_000


def default_fraction(form: FractionForm, asked: FractionQuestion) -> float:
    """Return the default of ``--mem-fraction-static`` of a text model.

    >>> h100 = FractionQuestion(81_559, True, 1, 1, 1, 8192, 256, 58)
    >>> default_fraction(FractionForm.BY_SUM, h100), default_fraction(FractionForm.BY_TIER, h100)
    (0.83, 0.874)
    """
    memory = asked.memory_mib
    if form is FractionForm.BY_SUM:
        return round((memory - _summed_mib(asked)) / memory, 3)
    if form is FractionForm.BY_TIER:
        return round((memory - _tier_mib(asked)) / memory, 3)
    return _by_ranks(form, asked)


def _by_ranks(form: FractionForm, asked: FractionQuestion) -> float:
    memory = asked.memory_mib
    is_oldest = form is FractionForm.BY_RANKS
    ranks = asked.tensor_ranks if is_oldest else asked.tensor_ranks * asked.stages
    is_small = memory <= 80 * 1024
    share = next(share for least, share in _BY_RANKS if ranks >= least) if is_small else 0.88
    if is_oldest:
        return share if is_small else (memory - 13 * 1024) / memory
    flat = form is FractionForm.BY_RANKS_OR_FLAT and asked.is_nvidia
    if flat and memory > _FLAT_ABOVE_MIB:
        return 0.79
    if memory > _CAPPED_ABOVE_MIB:
        return min(share + 48 * 1024 * (1 - share) / memory, (memory - 18 * 1024) / memory)
    return share


def _tier_mib(asked: FractionQuestion) -> float:
    ranks = asked.tensor_ranks * asked.stages
    if asked.memory_mib < 35 * 1024:
        reserve = 2.8 + ranks / 10
    elif asked.memory_mib < 90 * 1024:
        reserve = 9.5 + ranks / 2
    elif asked.memory_mib < 160 * 1024:
        reserve = 12 + ranks / 2
    else:
        reserve = 32
    return (reserve + (4 if asked.attention_data > 1 else 0)) * 1024


def _summed_mib(asked: FractionQuestion) -> float:
    reserve = 512 + 1.5 * max(asked.chunked_prefill, 2048) + 2 * asked.largest_decode
    reserve += asked.tensor_ranks * asked.stages / 8 * 1024 + 8 * asked.prefill_graphs
    if asked.attention_data > 1:
        batch = asked.largest_decode
        reserve += batch * asked.attention_data * (4.5 if batch > 300 else 3)  # noqa: PLR2004 - theirs
    return max(reserve, 10 * 1024) if asked.memory_mib > 60 * 1024 else reserve


def vision_factor(depth: int | None, hidden_size: int) -> float:
    """Return what the default is multiplied by where the model has an image encoder.

    It looks for the number of layers under a name that Qwen3-VL's encoder does not have, so its
    depth counts as 24. Source: PyPI sglang 0.5.23 ``arg_groups/memory_hook.py``
    adjust_mem_fraction_for_vlm; alike since 0.5.3, the first release with Qwen3-VL.

    Args:
        depth: layers of the encoder where its configuration calls them ``num_hidden_layers``.
        hidden_size: width of the encoder.

    >>> round(vision_factor(None, 1152), 4)
    0.9248
    """
    complexity = (depth or 24) * hidden_size**2 / (24 * 1024**2)
    return 0.95 * max(0.8, min(1.05, 1 - 0.1 * (complexity - 1)))
