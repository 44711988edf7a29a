"""What vLLM does, by version: data, each row with its source.

A row holds from its ``since`` until the next row's; the first row also holds for anything older.
The tables of one subject stand in a module of their own: :mod:`runners`, :mod:`profiling`,
:mod:`batches`, :mod:`capture`, :mod:`methods`, :mod:`flags`. Every release from 0.8.5 to 0.33.0
was read, so that a ``since`` is the release that first behaves so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.versions import Ruling, Version, ruling_at
from qwen3_planner.engines.vllm.batches import (
    BATCH_BOUNDS,
    BATCH_TIERS,
    BatchBounds,
    BatchTier,
    default_tier,
)
from qwen3_planner.engines.vllm.capture import CAPTURE_RULES, CaptureRule
from qwen3_planner.engines.vllm.keeping import (
    ADA,
    CACHE_FOLLOWS_FILES,
    MACHETE_TAKES_AWQ,
    MARLIN_TAKES_FP8_BLOCKS,
    STATES_PER_GROUP,
    VISION_POSITIONS,
)
from qwen3_planner.engines.vllm.profiling import (
    CONSUMPTION_COUNTS,
    ENCODED_TOKENS,
    ENCODER_PROFILED,
    EXPERT_BUFFERS_STAY,
    EXPERT_CHUNK_TOKENS,
    FLASHINFER_SAMPLER_BYTES,
    GRAPHS_IN_BUDGET,
    OFFLOADS,
    PINNED_SEGMENTS_COUNT,
    SAMPLER_BYTES_PER_LOGIT,
    UTILIZATION,
)
from qwen3_planner.engines.vllm.runners import Runner, Trait, runner_at

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture

BLOCK_TOKENS: Final = 16
"""Tokens of one KV block on GPUs. Source: PyPI vllm 0.8.5 to 0.33.0 vllm/config/cache.py and the
block sizes that every attention backend of Qwen3 on GPUs accepts."""

RESERVED_BLOCKS: Final = 1
"""The null block. Source: PyPI vllm 0.32.0 vllm/v1/core/block_pool.py."""

YARN_MAX_FACTOR: Final = 4
"""Qwen validates YaRN up to 4 x 32768.

Source: QwenLM/Qwen3@7a2f61f docs/source/deployment/vllm.md.
"""

YARN_ORIGINAL_POSITIONS: Final = 32768
"""``original_max_position_embeddings`` of Qwen's own YaRN recipe. Source: as above."""

VLLM_VENDORS: Final = ("nvidia", "amd")
"""GPUs that this release plans vLLM on."""

SHUTDOWN_TIMEOUT_SINCE: Final = Version(0, 18)
"""First release with ``--shutdown-timeout``. Source: PyPI vllm 0.18.0 vllm/engine/arg_utils.py."""

LENGTH_FITTED_SINCE: Final = Version(0, 14)
"""First release that takes ``--max-model-len auto`` and -1. Source: PyPI vllm 0.14.0
vllm/engine/arg_utils.py human_readable_int_or_auto."""


class YarnForm(StrEnum):
    """How a longer context is asked for."""

    ROPE_SCALING = "--rope-scaling"
    HF_OVERRIDES = "--hf-overrides"


YARN_FORM: Final = (
    Ruling(
        YarnForm.ROPE_SCALING,
        Version(0, 0),
        "QwenLM/Qwen3@7a2f61f docs/source/deployment/vllm.md",
        "A",
    ),
    Ruling(
        YarnForm.HF_OVERRIDES,
        Version(0, 11, 1),
        "PyPI vllm 0.11.1 vllm/engine/arg_utils.py: --rope-scaling is gone",
        "A",
    ),
)
"""Which flag switches YaRN on."""

YARN_FACTOR_STRETCHES: Final = (
    Ruling(
        value=True,
        since=Version(0, 0),
        source="PyPI vllm 0.29.0 vllm/config/model.py: original length x factor",
        confidence="A",
    ),
    Ruling(
        value=False,
        since=Version(0, 30),
        source="PyPI vllm 0.30.0 vllm/config/model.py: max_position_embeddings is taken as it is",
        confidence="A",
    ),
)
"""Whether YaRN's factor lengthens the context that the engine derives; where it does not, the
length is stated beside it (which is harmless where it does)."""

FP8_MOE_REFINES_BLOCKS: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI vllm 0.28.0 vllm/model_executor/layers/quantization/fp8.py",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=Version(0, 29),
        source="PyPI vllm 0.29.0 vllm/model_executor/layers/quantization/fp8.py"
        " refine_fp8_moe_block_shape",
        confidence="A",
    ),
)
"""Whether FP8 experts whose slice is no multiple of 128 get finer scales instead of an error."""

PACKING_MAJOR: Final = 10
"""Compute capability major whose matrix units multiply by packed powers of two.

Source: PyPI vllm 0.33.0 vllm/model_executor/layers/quantization/utils/fp8_utils.py
deepgemm_post_process_weight_scale_block."""

PACKED_BLOCK_SCALES: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI vllm 0.11.0 vllm/model_executor/layers/quantization/fp8.py: float32 scales",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=Version(0, 11, 1),
        source="PyPI vllm 0.11.1 vllm/model_executor/layers/quantization/utils/fp8_utils.py"
        " deepgemm_post_process_fp8_weight_block; VLLM_USE_DEEP_GEMM is on from 0.11.0",
        confidence="B",
    ),
)
"""Whether DeepGEMM keeps the scales of FP8 blocks as packed powers of two on capability 10.x."""

DEEP_GEMM_BREAKS_BLOCK_FP8: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI vllm 0.22.0 vllm/platforms/cuda.py support_deep_gemm: not on 12.x",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=Version(0, 24),
        source="PyPI vllm 0.24.0 vllm/platforms/cuda.py support_deep_gemm names 12.x; 0.27.1 on an"
        " RTX PRO 6000: 'Unknown SF transformation' until VLLM_USE_DEEP_GEMM=0;"
        " github.com/kubesimplify/website content/blog/"
        "running-a-big-llm-across-multiple-gpus-with-vllm.md; nobody is known to have seen a later"
        " release work",
        confidence="C",
    ),
)
"""Whether DeepGEMM must be switched off for block FP8 on compute capability 12.x."""


@dataclass(frozen=True, slots=True)
class VllmSemantics:
    """Everything that holds for one version and one class of model.

    Attributes:
        version: asked for, or the newest known when newer was asked for.
        utilization: default of ``--gpu-memory-utilization``.
        graphs_in_budget: whether graphs reduce the KV pool.
        expert_buffers_stay: whether the fused experts' buffers are kept after profiling.
        runner: which model runner profiles.
        fp8_moe_refines_blocks: whether a slice of 192 is legal for FP8 experts.
        yarn_form: how a longer context is asked for.
        deep_gemm_breaks: whether DeepGEMM fails on block FP8 with compute capability 12.x.
        packs_block_scales: whether FP8 block scales are packed for each row on capability 10.x.
        batch_tiers: default scheduler sizes.
        batch_bounds: how the defaults bound each other.
        capture: which batch sizes become graphs.
        sampler_bytes: peak of the dummy sampling step per row and vocabulary entry.
        flashinfer_bytes: the same where FlashInfer samples; None: it never does.
        expert_chunk: tokens that the fused experts take at once; None: all of a step.
        pinned_count: whether memory the allocator cannot give back is taken from the KV pool.
        consumption_counts: whether what is allocated before profiling is taken from it as well.
        encoder_profiled: whether the profile run encodes images as well.
        encoded_tokens: of images that it keeps while the language model runs.
        offloads: whether weights can be kept in host memory.
        marlin_takes_blocks: whether Marlin holds FP8 blocks of dense layers on capability 8.9.
        machete_takes_awq: whether Machete holds AWQ weights on capability 9.0.
        vision_positions: rows of a VL model's rotary table for each position.
        states_per_group: blocks of a sequence for each group of a hybrid model's linear layers.
        cache_follows_files: whether the cache is fp8 by itself where the files hold its scales.
    """

    version: Version
    utilization: float
    graphs_in_budget: bool
    expert_buffers_stay: bool
    runner: Runner
    fp8_moe_refines_blocks: bool
    yarn_form: YarnForm
    deep_gemm_breaks: bool
    packs_block_scales: bool
    batch_tiers: tuple[BatchTier, ...]
    batch_bounds: BatchBounds
    capture: CaptureRule
    sampler_bytes: int
    flashinfer_bytes: int | None
    expert_chunk: int | None
    pinned_count: bool
    consumption_counts: bool
    encoder_profiled: bool
    encoded_tokens: int
    offloads: bool
    marlin_takes_blocks: bool
    machete_takes_awq: bool
    vision_positions: int
    states_per_group: int
    cache_follows_files: bool

    def expands_blocks(self, capability: tuple[int, int] | None) -> bool:
        """Whether dense layers hold an FP8 block scale once per row on such a GPU."""
        return self.marlin_takes_blocks and capability == ADA

    def table_rows(self, model: ModelArchitecture, positions: int) -> int:
        """Return the rows of a model's rotary table for so many positions."""
        return positions * (self.vision_positions if model.vision is not None else 1)

    def packs_scales(self, capability: tuple[int, int] | None) -> bool:
        """Whether a GPU of this compute capability holds FP8 block scales packed."""
        is_blackwell = capability is not None and capability[0] == PACKING_MAJOR
        return self.packs_block_scales and is_blackwell


@lru_cache(maxsize=256)
def semantics_at(version: Version, traits: frozenset[Trait] = frozenset()) -> VllmSemantics:
    """Collect the rulings in force for one version and one class of model.

    >>> semantics_at(Version(0, 11)).runner.value
    'v1'
    """
    runner = runner_at(version, traits)
    return VllmSemantics(
        version=version,
        utilization=ruling_at(UTILIZATION, version).value,
        graphs_in_budget=ruling_at(GRAPHS_IN_BUDGET[runner], version).value,
        expert_buffers_stay=ruling_at(EXPERT_BUFFERS_STAY, version).value,
        runner=runner,
        fp8_moe_refines_blocks=ruling_at(FP8_MOE_REFINES_BLOCKS, version).value,
        yarn_form=ruling_at(YARN_FORM, version).value,
        deep_gemm_breaks=ruling_at(DEEP_GEMM_BREAKS_BLOCK_FP8, version).value,
        packs_block_scales=ruling_at(PACKED_BLOCK_SCALES, version).value,
        batch_tiers=ruling_at(BATCH_TIERS, version).value,
        batch_bounds=ruling_at(BATCH_BOUNDS, version).value,
        capture=ruling_at(CAPTURE_RULES, version).value,
        sampler_bytes=ruling_at(SAMPLER_BYTES_PER_LOGIT[runner], version).value,
        flashinfer_bytes=_flashinfer_bytes(runner, version),
        expert_chunk=ruling_at(EXPERT_CHUNK_TOKENS, version).value,
        pinned_count=ruling_at(PINNED_SEGMENTS_COUNT, version).value,
        consumption_counts=ruling_at(CONSUMPTION_COUNTS, version).value,
        encoder_profiled=ruling_at(ENCODER_PROFILED[runner], version).value,
        encoded_tokens=ruling_at(ENCODED_TOKENS, version).value,
        offloads=ruling_at(OFFLOADS[runner], version).value,
        marlin_takes_blocks=ruling_at(MARLIN_TAKES_FP8_BLOCKS, version).value,
        machete_takes_awq=ruling_at(MACHETE_TAKES_AWQ, version).value,
        vision_positions=ruling_at(VISION_POSITIONS, version).value,
        states_per_group=ruling_at(STATES_PER_GROUP, version).value,
        cache_follows_files=ruling_at(CACHE_FOLLOWS_FILES, version).value,
    )


def _flashinfer_bytes(runner: Runner, version: Version) -> int | None:
    """Return what FlashInfer's sampling takes; the second runner's is no other."""
    if runner is Runner.V2:
        return None
    return ruling_at(FLASHINFER_SAMPLER_BYTES, version).value


@lru_cache(maxsize=256)
def traits_of(
    model: ModelArchitecture, *, is_quantized: bool, has_draft: bool = False
) -> frozenset[Trait]:
    """Say what of a model decides which runner starts it."""
    held = (
        (Trait.MOE, model.is_moe),
        (Trait.QUANTIZED, is_quantized),
        (Trait.VISION, model.vision is not None),
        (Trait.POOLING, model.runner == "pooling"),
        (Trait.HYBRID, model.linear_attention is not None),
        (Trait.DRAFT, has_draft),
    )
    return frozenset(trait for trait, holds in held if holds)


def default_batch(
    semantics: VllmSemantics,
    device_bytes: int,
    product: str,
    capability: tuple[int, int] | None = None,
) -> tuple[int, int]:
    """Return (max_num_batched_tokens, max_num_seqs) that the API server takes by default.

    >>> default_batch(semantics_at(Version(0, 32)), 79 * 2**30, "H100-SXM-80GB")
    (8192, 1024)
    >>> default_batch(semantics_at(Version(0, 32)), 79 * 2**30, "A100-SXM-80GB")
    (2048, 256)
    """
    tier = default_tier(semantics.batch_tiers, device_bytes, product, capability)
    return tier.max_num_batched_tokens, tier.max_num_seqs
