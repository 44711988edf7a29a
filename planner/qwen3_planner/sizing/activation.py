"""Transient peak of the engine's start-up profile run, and buffers that stay.

The V1 runner profiles with a full sampling step: its peak is the sampler's. Per row of the
vocabulary it holds 38 bytes: bf16 logits (2), a float32 copy (4), sorted values and their int64
indices (12), the sort's double buffer of both (12), probabilities (4) and their running sum (4).
Eight start-up logs of seven models with five vocabularies (vLLM 0.11, H100;
llm-d/llm-d-benchmark@2593348 config_explorer/empirical-vllm-memory-results.md) agree with it to
0.01 GiB; the one multimodal model there does not follow it.

The V2 runner profiles without that sampling step; a forward pass dominates. Source: vLLM 0.32.0
``v1/worker/gpu/model_runner.py`` and ``v1/worker/gpu/sample/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.units import MIB

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture

BF16_BYTES = 2
FP32_BYTES = 4

SAMPLER_BYTES_PER_LOGIT = 38
"""See the module's text."""

MATMUL_WORKSPACE_BYTES = {9: 36 * MIB, 10: 36 * MIB, 12: 36 * MIB}
"""cuBLAS workspaces by compute capability major: 32 MiB from Hopper on, with 4 MiB of small
blocks; the eight logs above leave 36 MiB."""

OLDER_MATMUL_WORKSPACE_BYTES = 12 * MIB
"""The same before Hopper: cuBLAS takes 8 MiB there."""

MOE_HIDDEN_COPIES = 5
"""Hidden-state sized buffers alive around the experts: input, residual, gathered or quantized
input, combined output, all-reduced output."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Scheduler sizes that the profile run takes.

    Attributes:
        tokens: max_num_batched_tokens.
        seqs: max_num_seqs.
    """

    tokens: int
    seqs: int

    @property
    def logit_rows(self) -> int:
        """Rows of logits that one step computes at most."""
        return min(self.tokens, self.seqs)


def matmul_workspace(capability_major: int | None) -> int:
    """Return the bytes cuBLAS keeps, allocated through the caching allocator."""
    return MATMUL_WORKSPACE_BYTES.get(capability_major or 0, OLDER_MATMUL_WORKSPACE_BYTES)


def sampler_peak(model: ModelArchitecture, batch: Batch) -> int:
    """Return the V1 runner's sampling peak: logits with their sort, beside the hidden states.

    Not divided by tensor parallelism: each rank samples from the gathered vocabulary.
    """
    rows = batch.logit_rows
    hidden = model.hidden_size * (batch.tokens + 2 * rows) * BF16_BYTES
    return SAMPLER_BYTES_PER_LOGIT * rows * model.vocab_size + hidden


def forward_peak(model: ModelArchitecture, tensor: int, batch: Batch) -> int:
    """Return the peak of one decoder layer's forward pass without attention scores."""
    hidden = model.hidden_size
    heads = 2 * model.attention_heads + 2 * max(model.kv_heads, tensor)
    attention = heads * model.head_dim // tensor + 2 * hidden
    if model.is_moe:
        mlp = MOE_HIDDEN_COPIES * hidden
    else:
        mlp = 3 * model.intermediate_size // tensor + 2 * hidden
    return batch.tokens * max(attention, mlp) * BF16_BYTES


def logits_peak(model: ModelArchitecture, tensor: int, batch: Batch) -> int:
    """Return the logits of one step: a rank's slice and the gathered whole."""
    whole = batch.logit_rows * model.vocab_size * BF16_BYTES
    return whole + whole // tensor if tensor > 1 else whole


def moe_workspaces(model: ModelArchitecture, experts_inner: int, batch: Batch) -> int:
    """Return the two fused-experts buffers that stay allocated; 0 for dense models.

    Source: vLLM 0.32.0 ``fused_moe/experts/triton_moe.py`` workspace_shapes: per token and chosen
    expert one buffer of max(inner, hidden) and one of max(2 * inner, hidden).

    Args:
        model: the architecture.
        experts_inner: ranks that share one expert's inner size.
        batch: of the engine; over all data-parallel ranks when they exchange tokens.
    """
    if not model.is_moe:
        return 0
    inner = model.moe_intermediate_size // experts_inner
    rows = batch.tokens * model.experts_per_token
    first = max(inner, model.hidden_size)
    second = max(2 * inner, model.hidden_size)
    return rows * (first + second) * BF16_BYTES


def sampler_state(model: ModelArchitecture, batch: Batch) -> int:
    """Return what the V2 runner keeps per sequence slot for penalties.

    An int32 count and one bit per vocabulary entry. Source: vLLM 0.32.0
    ``v1/worker/gpu/sample/penalties.py``.
    """
    return batch.seqs * (model.vocab_size * FP32_BYTES + model.vocab_size // 8)
