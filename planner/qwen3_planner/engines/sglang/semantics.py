"""What SGLang does with memory, layouts and flags, by version: data, each row with its source.

A row holds from its ``since`` until the next row's. The Python of every release from 0.4.6.post1
(the first that serves Qwen3) to 0.5.23 was read, so each ``since`` is the true first release.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.sglang.fraction import (
    EAGER_FREES_DECODE,
    FRACTION_FORM,
    FractionForm,
)
from qwen3_planner.engines.sglang.graph_sizes import (
    DECODE_SIZES,
    PREFILL_GRAPHS,
    DecodeSizes,
    PrefillGraphs,
)
from qwen3_planner.engines.sglang.releases import OLDEST_READ, read_in
from qwen3_planner.engines.sglang.tiers import TIERS, DeviceTier
from qwen3_planner.engines.versions import Version, ruling_at

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture

SGLANG_VENDORS: Final = ("nvidia", "amd")
"""GPUs that this release plans SGLang on."""

FEWEST_REQUESTS: Final = 2048
MOST_REQUESTS: Final = 4096
"""Bounds of the default of ``--max-running-requests``. Source: PyPI sglang 0.5.23
``mem_cache/kv_cache_configurator.py`` resolve_max_num_reqs; alike since 0.4.6.post1."""

CONTEXT_SLACK_TOKENS: Final = 4
"""Columns that the table of requests has beside the context. Source: PyPI sglang 0.5.23
``mem_cache/kv_cache_configurator.py``; alike since 0.4.6.post1."""

LARGEST_SHUTDOWN_SECONDS: Final = 5
"""How often a server that was told to end looks whether requests are left.

It drains them however long that takes; no flag bounds it. Source: PyPI sglang 0.5.23
``managers/tokenizer_manager.py`` sigterm_watchdog.
"""


class ExpertForm(StrEnum):
    """How expert parallelism is asked for."""

    ALL_RANKS = "--enable-ep-moe"
    ANY_SIZE = "--ep-size"


class DataForm(StrEnum):
    """How data parallelism of the attention layers is asked for."""

    TWO_FLAGS = "--enable-dp-attention --dp-size"
    ONE_FLAG = "--attn-dp-size"


EXPERT_FORM: Final = (
    read_in(ExpertForm.ALL_RANKS, OLDEST_READ, "server_args.py, layers/moe/ep_moe/layer.py"),
    read_in(
        ExpertForm.ANY_SIZE,
        Version(0, 5, 1),
        "layers/moe/ep_moe/layer.py get_moe_impl_class, fused_moe_triton/layer.py",
    ),
)
"""Before 0.5.1 the group is all ranks or none; then any size that divides them."""

DATA_FORM: Final = (
    read_in(DataForm.TWO_FLAGS, OLDEST_READ, "server_args.py"),
    read_in(DataForm.ONE_FLAG, Version(0, 5, 22), "arg_groups/fields/parallel.py"),
)
"""Spelling of attention data parallelism; the old one goes after 2026-12-31."""

DENSE_DATA: Final = (
    read_in(value=False, since=OLDEST_READ, path="models/qwen3.py"),
    read_in(value=True, since=Version(0, 4, 9), path="models/qwen3.py"),
)
"""Whether dense Qwen3 takes attention data parallelism."""

EXPERTS_DATA: Final = (
    read_in(value=False, since=OLDEST_READ, path="models/qwen3_moe.py"),
    read_in(value=True, since=Version(0, 4, 6, 5), path="models/qwen3_moe.py"),
)
"""Whether the mixture-of-experts models take attention data parallelism."""

EXPERTS_PARALLEL: Final = (
    read_in(value=False, since=OLDEST_READ, path="models/qwen3_moe.py"),
    read_in(value=True, since=Version(0, 4, 6, 2), path="models/qwen3_moe.py"),
)
"""Whether Qwen3's experts can be spread over ranks."""

PIPELINE: Final = (
    read_in(value=False, since=OLDEST_READ, path="models/qwen3.py, models/qwen3_moe.py"),
    read_in(value=True, since=Version(0, 4, 6, 5), path="models/qwen3.py, models/qwen3_moe.py"),
)
"""Whether Qwen3 can be cut into pipeline stages."""

LAST_STAGE_TAKES_REST: Final = (
    read_in(value=True, since=OLDEST_READ, path="distributed/utils.py get_pp_indices"),
    read_in(value=False, since=Version(0, 5, 6), path="distributed/utils.py get_pp_indices"),
)
"""Layers that do not divide go to the last stage, later one each to the last stages."""

EMBEDDING_IS_WHOLE: Final = (
    read_in(value=True, since=OLDEST_READ, path="models/qwen2_moe.py (enable_tp)"),
    read_in(value=False, since=Version(0, 5, 9), path="models/qwen2.py (use_attn_tp_group)"),
)
"""Under attention data parallelism each rank holds the whole embedding, later its share."""

HYBRID_HEAD_IS_WIDE: Final = (
    read_in(value=True, since=OLDEST_READ, path="models/qwen3_next.py (0.5.3: lm_head.float())"),
    read_in(value=False, since=Version(0, 5, 6), path="models/qwen3_next.py"),
)
"""Whether hybrid models hold their output head in float32."""

DECODE_FOLLOWS_REQUESTS: Final = (
    read_in(value=False, since=OLDEST_READ, path="server_args.py"),
    read_in(value=True, since=Version(0, 5, 22), path="arg_groups/memory_hook.py"),
)
"""Whether no larger decode batch is captured than ``--max-running-requests`` allows."""

PAGED_ON_BLACKWELL: Final = (
    read_in(
        value=False, since=OLDEST_READ, path="server_args.py (FlashInfer for dense and experts)"
    ),
    read_in(value=True, since=Version(0, 5, 7), path="server_args.py (trtllm_mha on SM100)"),
)
"""Whether data-centre Blackwell takes KV pages of 64 tokens by default."""

LONGER_CONTEXT_REFUSED: Final = (
    read_in(value=False, since=OLDEST_READ, path="configs/model_config.py"),
    read_in(value=True, since=Version(0, 5, 1), path="configs/model_config.py"),
)
"""Whether a context beyond the model's is refused without
SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN; before it only warned."""

BF16_KV_FLAG: Final = (
    read_in(value=False, since=OLDEST_READ, path="server_args.py"),
    read_in(value=True, since=Version(0, 5, 4), path="server_args.py"),
)
"""Whether ``--kv-cache-dtype`` takes bf16 by name; before, only leaving it out gives that."""

MULTIMODAL_RESERVE_MIB: Final = (
    read_in(0, OLDEST_READ, "model_executor/model_runner.py"),
    read_in(100, Version(0, 5, 18), "mem_cache/kv_cache_configurator.py, environ.py"),
)
"""Taken from the pool of a vision model for its embedding cache."""

MAMBA_SHARE: Final = (
    read_in(0.9, OLDEST_READ, "server_args.py mamba_full_memory_ratio (0.5.3.post3)"),
)
"""State of linear-attention layers for each byte of KV cache (hybrid models)."""

MAMBA_SLOTS_PER_REQUEST: Final = 3
"""State slots that one running request may take. Source: PyPI sglang 0.5.23
``mem_cache/kv_cache_configurator.py``; alike since 0.5.3.post2."""


def first_release(model: ModelArchitecture) -> Version:
    """Return the first release that serves an architecture.

    Source: the files ``models/qwen3*.py`` of each release on PyPI.
    """
    if model.is_hybrid:
        return Version(0, 5, 3, 3)
    if model.vision is not None:
        return Version(0, 5, 3)
    return OLDEST_READ


@dataclass(frozen=True, slots=True)
class SglangSemantics:
    """Everything that holds for one version.

    Attributes:
        version: asked for, or the newest known when newer was asked for.
        tiers: scheduler and graph sizes by device memory.
        fraction_form: how the default of ``--mem-fraction-static`` comes about.
        eager_frees_decode: whether it shrinks its reserve where graphs are off.
        decode_sizes: spacing of the captured decode batches.
        prefill_graphs: when prefill steps are captured.
        decode_follows_requests: whether ``--max-running-requests`` bounds the captured batches.
        expert_form: how expert parallelism is asked for.
        data_form: how attention data parallelism is asked for.
        has_dense_data: whether dense models take it.
        has_experts_data: whether mixture-of-experts models take it.
        has_expert_parallel: whether experts can be spread over ranks.
        has_pipeline: whether models can be cut into stages.
        last_stage_takes_rest: where layers go that do not divide.
        embedding_is_whole: whether attention data parallelism copies the embedding.
        hybrid_head_is_wide: whether hybrid models hold their output head in float32.
        paged_on_blackwell: whether data-centre Blackwell takes pages of 64 tokens.
        longer_context_refused: whether a longer context needs an environment variable.
        multimodal_reserve_mib: taken from a vision model's pool.
        mamba_share: linear-attention state for each byte of KV cache.
    """

    version: Version
    tiers: tuple[DeviceTier, ...]
    fraction_form: FractionForm
    eager_frees_decode: bool
    decode_sizes: DecodeSizes
    prefill_graphs: PrefillGraphs
    decode_follows_requests: bool
    expert_form: ExpertForm
    data_form: DataForm
    has_dense_data: bool
    has_experts_data: bool
    has_expert_parallel: bool
    has_pipeline: bool
    last_stage_takes_rest: bool
    embedding_is_whole: bool
    hybrid_head_is_wide: bool
    paged_on_blackwell: bool
    longer_context_refused: bool
    multimodal_reserve_mib: int
    mamba_share: float


@lru_cache(maxsize=64)
def semantics_at(version: Version) -> SglangSemantics:
    """Collect the rulings in force for one version.

    >>> semantics_at(Version(0, 5, 23)).data_form.value
    '--attn-dp-size'
    """
    return SglangSemantics(
        version=version,
        tiers=ruling_at(TIERS, version).value,
        fraction_form=ruling_at(FRACTION_FORM, version).value,
        eager_frees_decode=ruling_at(EAGER_FREES_DECODE, version).value,
        decode_sizes=ruling_at(DECODE_SIZES, version).value,
        prefill_graphs=ruling_at(PREFILL_GRAPHS, version).value,
        decode_follows_requests=ruling_at(DECODE_FOLLOWS_REQUESTS, version).value,
        expert_form=ruling_at(EXPERT_FORM, version).value,
        data_form=ruling_at(DATA_FORM, version).value,
        has_dense_data=ruling_at(DENSE_DATA, version).value,
        has_experts_data=ruling_at(EXPERTS_DATA, version).value,
        has_expert_parallel=ruling_at(EXPERTS_PARALLEL, version).value,
        has_pipeline=ruling_at(PIPELINE, version).value,
        last_stage_takes_rest=ruling_at(LAST_STAGE_TAKES_REST, version).value,
        embedding_is_whole=ruling_at(EMBEDDING_IS_WHOLE, version).value,
        hybrid_head_is_wide=ruling_at(HYBRID_HEAD_IS_WIDE, version).value,
        paged_on_blackwell=ruling_at(PAGED_ON_BLACKWELL, version).value,
        longer_context_refused=ruling_at(LONGER_CONTEXT_REFUSED, version).value,
        multimodal_reserve_mib=ruling_at(MULTIMODAL_RESERVE_MIB, version).value,
        mamba_share=ruling_at(MAMBA_SHARE, version).value,
    )


def page_tokens(semantics: SglangSemantics, capability: tuple[int, int] | None) -> int:
    """Return the tokens of one KV page: 1 but for the TensorRT-LLM kernels of SM100.

    >>> page_tokens(semantics_at(Version(0, 5, 23)), (9, 0))
    1
    """
    is_data_centre_blackwell = capability is not None and capability[0] == 10  # noqa: PLR2004 - sm_10x
    return 64 if is_data_centre_blackwell and semantics.paged_on_blackwell else 1


def kv_dtype_has_name(version: Version) -> bool:
    """Whether ``--kv-cache-dtype bf16`` parses."""
    return ruling_at(BF16_KV_FLAG, version).value
