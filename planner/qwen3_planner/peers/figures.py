"""What a peer is asked, and what it answers: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.plan import Layout


@dataclass(frozen=True, slots=True)
class PeerQuestion:
    """One layout under one load, as any planner would be asked.

    Attributes:
        model: the architecture.
        engine: ``vllm``, ``sglang`` or ``llamacpp``.
        accelerator: catalog name.
        quantization: of the weights.
        kv_cache_dtype: of the cache, never auto.
        layout: of one replica.
        input_tokens: of each prompt.
        output_tokens: of each answer.
        concurrency: requests in flight, over all data-parallel ranks.
    """

    model: ModelArchitecture
    engine: str
    accelerator: str
    quantization: str
    kv_cache_dtype: str
    layout: Layout
    input_tokens: int
    output_tokens: int
    concurrency: int


@dataclass(frozen=True, slots=True)
class PeerFigures:
    """What a peer says of one plan.

    Attributes:
        name: of the peer.
        version: of it.
        tables: what its figures rest on (``vllm 0.24.0``).
        ttft_ms: mean time to the first token; waiting for a place is not in it.
        tpot_ms: mean time per output token after it.
        output_tokens_per_second: of one replica.
        memory_bytes: that it counts on one GPU, KV cache of the load included.
        notes: what a reader should know.
    """

    name: str
    version: str
    tables: str
    ttft_ms: float
    tpot_ms: float
    output_tokens_per_second: float
    memory_bytes: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotCovered:
    """Why a peer says nothing of a plan.

    Attributes:
        name: of the peer.
        version: of it.
        reason: a clause without a final stop.
    """

    name: str
    version: str
    reason: str
