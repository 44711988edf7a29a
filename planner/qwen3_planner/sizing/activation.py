"""Transient peak of the engine's start-up profile run, and buffers that stay.

The profile run is one forward pass of ``max_num_batched_tokens`` tokens without attention scores,
then, on the last pipeline stage, one sampling step. What the sampling step holds depends on the
runner and the version (``engines/vllm/profiling.py`` SAMPLER_BYTES_PER_LOGIT).

A first start also compiles the model, and the compiler holds a second copy of the embedding while
it tries kernels: the peak is at least that. Seen in every log that tells a cold start from a warm
one: vLLM 0.29 with a 2048 x 151936 model 0.67 GiB cold against 0.22 warm; 0.27.1 and 896 x 151936
0.25 (= the copy); 0.31 and 4096 x 128256 1.2 after graphs (a copy is 0.98). Pods start cold unless
they keep the compiler's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.units import MIB

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture, VisionEncoder

BF16_BYTES = 2
FP32_BYTES = 4

MATMUL_WORKSPACE_BYTES = {9: 36 * MIB, 10: 36 * MIB, 12: 36 * MIB}
"""cuBLAS workspaces by compute capability major: 32 MiB from Hopper on, with 4 MiB of small
blocks; eight logs of 0.11 on H100 leave 36 MiB."""

OLDER_MATMUL_WORKSPACE_BYTES = 12 * MIB
"""The same before Hopper: cuBLAS takes 8 MiB there."""

DENSE_HIDDEN_COPIES = 3
"""Hidden-state sized buffers alive around a dense MLP: input, residual, output. Fitted to one log
of another model that states its peak: 1.06 GiB for 32768 tokens (0.26, second runner, warm; hidden
896, inner 4864) against 1.054."""

MOE_HIDDEN_COPIES = 7
"""The same around the experts: input, residual, gathered or quantized input, scales, combined and
all-reduced output. Fitted to V004 (0.44 GiB beside 0.32 of graphs at TP4 and 8192 tokens)."""

IMAGE_TOKENS = 16384
"""Tokens of the largest image: 16777216 pixels in squares of 32. Source: size.longest_edge of
Qwen3-VL's preprocessor_config.json; logs say "profiled with 1 image items" and a budget of 16384
tokens (0.26 to 0.28)."""


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


def sampler_peak(model: ModelArchitecture, batch: Batch, bytes_per_logit: int) -> int:
    """Return the peak of a sampling step: logits and their copies, beside the hidden states.

    Not divided by tensor parallelism: each rank samples from the gathered vocabulary.
    """
    rows = batch.logit_rows
    hidden = model.hidden_size * (batch.tokens + 2 * rows) * BF16_BYTES
    return bytes_per_logit * rows * model.vocab_size + hidden


def forward_peak(model: ModelArchitecture, tensor: int, batch: Batch) -> int:
    """Return the peak of one decoder layer's forward pass without attention scores."""
    hidden = model.hidden_size
    heads = 2 * model.attention_heads + 2 * max(model.kv_heads, tensor)
    attention = heads * model.head_dim // tensor + 2 * hidden
    if model.linear_attention is not None:
        linear = model.linear_attention
        width = 2 * linear.conv_width + 2 * linear.value_heads * linear.value_head_dim
        attention = max(attention, width // tensor + 2 * hidden)
    if model.is_moe:
        mlp = MOE_HIDDEN_COPIES * hidden
    else:
        mlp = 3 * model.intermediate_size // tensor + DENSE_HIDDEN_COPIES * hidden
    return batch.tokens * max(attention, mlp) * BF16_BYTES


def logits_peak(model: ModelArchitecture, tensor: int, batch: Batch) -> int:
    """Return the logits of one step: a rank's slice and the gathered whole."""
    whole = batch.logit_rows * model.vocab_size * BF16_BYTES
    return whole + whole // tensor if tensor > 1 else whole


def compiling_peak(model: ModelArchitecture, tensor: int, batch: Batch) -> int:
    """Return what the compiler holds while it tries the embedding's kernel: a copy, and its output.

    1.18 GiB in the logs of five first starts of Qwen3-8B at 2048 tokens (0.10.2, 0.27.1, 0.28.0),
    0.74 of Qwen3-4B: 0.02 and 0.01 more than the copy alone.
    """
    return compiler_copy(model, tensor) + batch.tokens * model.hidden_size * BF16_BYTES


def eager_forward_peak(model: ModelArchitecture, tensor: int, batch: Batch) -> int:
    """Return the peak of one layer's pass that nothing compiled: one more hidden state.

    0.82 GiB in a log of Qwen3-8B at 8192 tokens (0.10.2).
    """
    return forward_peak(model, tensor, batch) + batch.tokens * model.hidden_size * BF16_BYTES


def compiler_copy(model: ModelArchitecture, tensor: int) -> int:
    """Return the second copy of a rank's embedding that compiling holds; see the module's text.

    >>> from types import SimpleNamespace
    >>> compiler_copy(SimpleNamespace(vocab_size=151936, hidden_size=5120), 2)
    777912320
    """
    return model.vocab_size // tensor * model.hidden_size * BF16_BYTES


def expert_caches(
    model: ModelArchitecture, experts_inner: int, batch: Batch, chunk: int | None
) -> int:
    """Return the two caches that a pass of the fused experts allocates and frees.

    Source: vLLM 0.11.0 ``fused_moe/fused_moe.py`` fused_experts_impl: per token and chosen expert
    one of max(2 * inner, hidden) and one of inner; 0 for dense models.

    Args:
        model: the architecture.
        experts_inner: ranks that share one expert's inner size.
        batch: of the engine; over all data-parallel ranks when they exchange tokens.
        chunk: tokens taken at once; None: all.
    """
    if not model.is_moe:
        return 0
    inner = model.moe_intermediate_size // experts_inner
    tokens = min(batch.tokens, chunk or batch.tokens)
    width = max(2 * inner, model.hidden_size) + inner
    return tokens * model.experts_per_token * width * BF16_BYTES


def moe_workspaces(
    model: ModelArchitecture, experts_inner: int, batch: Batch, chunk: int | None = None
) -> int:
    """Return the two fused-experts buffers that stay allocated; 0 for dense models.

    Source: vLLM 0.32.0 ``fused_moe/experts/triton_moe.py`` workspace_shapes: per token and chosen
    expert one buffer of max(inner, hidden) and one of max(2 * inner, hidden).

    Args:
        model: the architecture.
        experts_inner: ranks that share one expert's inner size.
        batch: of the engine; over all data-parallel ranks when they exchange tokens.
        chunk: tokens taken at once; None: all.
    """
    if not model.is_moe:
        return 0
    inner = model.moe_intermediate_size // experts_inner
    rows = min(batch.tokens, chunk or batch.tokens) * model.experts_per_token
    first = max(inner, model.hidden_size)
    second = max(2 * inner, model.hidden_size)
    return rows * (first + second) * BF16_BYTES


def sampler_state(model: ModelArchitecture, batch: Batch) -> int:
    """Return what the V2 runner keeps per sequence slot for penalties.

    An int32 count and one bit per vocabulary entry. Source: vLLM 0.32.0
    ``v1/worker/gpu/sample/penalties.py``.
    """
    return batch.seqs * (model.vocab_size * FP32_BYTES + model.vocab_size // 8)


def stage_inputs(model: ModelArchitecture, batch: Batch) -> int:
    """Return what every pipeline stage but the first keeps for what the one before it sends.

    Hidden states and residual of a whole step. Source: vLLM 0.27.1
    ``v1/worker/gpu/model_runner.py`` load_model, 0.8.5 to 0.33 ``v1/worker/gpu_model_runner.py``
    make_empty_intermediate_tensors.
    """
    return 2 * batch.tokens * model.hidden_size * BF16_BYTES


def encoder_peak(vision: VisionEncoder, tensor: int, tokens: int = IMAGE_TOKENS) -> int:
    """Return the peak of encoding one image: a block's MLP, beside what deepstack keeps.

    Args:
        vision: the encoder.
        tensor: ranks that share its layers.
        tokens: of the language model that the image becomes.
    """
    patches = tokens * vision.spatial_merge_size**2
    block = 2 * vision.hidden_size + 2 * vision.intermediate_size // tensor
    kept = len(vision.deepstack_layers) * tokens * vision.out_hidden_size
    return (patches * block + kept) * BF16_BYTES


def encoder_output(vision: VisionEncoder, tokens: int = IMAGE_TOKENS) -> int:
    """Return the encoded image, which the profile run keeps while the language model runs."""
    width = vision.out_hidden_size * (1 + len(vision.deepstack_layers))
    return tokens * width * BF16_BYTES
