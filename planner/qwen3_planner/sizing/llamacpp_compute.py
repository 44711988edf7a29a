"""llama.cpp's compute buffers: what ggml's allocator reserves for the largest pass.

The formulas were read off llama.cpp b11549 itself, which states the buffers of files of these
geometries without allocating them (``no_alloc``). On one device with all layers on it they are
exact, over several GPUs within 5 %. Layers that stay on the host make the GPU borrow their
matrices for large passes; how the allocator packs those is known within 18 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.llamacpp.semantics import OFFLOAD_MIN_BATCH, PIPELINE_COPIES

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.plan import Layout
    from qwen3_planner.sizing.llamacpp import Cache, Placed

F32: Final = 4
"""Bytes of an activation."""

F16: Final = 2
"""Bytes of an element of the attention mask, and of what a quantized cache is unpacked to."""

TOKEN_INPUT_BYTES: Final = 36
"""Positions, cache indices and output ids of one token."""

ALONE_ERROR: Final = 0.001
"""How far the buffer may be off, relative, where one GPU computes every layer: of 90 runs the worst
is 0.003 off."""

CPU_ERROR: Final = 0.01
"""The same without a GPU: the worst is 0.033 off."""

SPLIT_ERROR: Final = 0.04
"""The same where a model is cut over several GPUs."""

BORROWED_ERROR: Final = 0.12
"""The same where layers stay on the host."""


@dataclass(frozen=True, slots=True)
class Pass:
    """The largest pass that buffers are reserved for.

    Attributes:
        tokens: computed at once.
        logits: tokens of them whose logits are kept.
        reach: tokens of the cache that one of them attends to.
        cache: tokens of the whole cache.
    """

    tokens: int
    logits: int
    reach: int
    cache: int

    @property
    def mask_bytes(self) -> int:
        """Bytes of the attention mask."""
        return self.tokens * self.reach * F16


def _mlp_floats(model: ModelArchitecture) -> int:
    """Activations of one token in its widest layer, beside the residual stream."""
    if not model.is_moe:
        return 3 * model.intermediate_size
    chosen = model.experts_per_token
    return chosen * model.hidden_size + 3 * chosen * model.moe_intermediate_size


def _phases(model: ModelArchitecture, load: Pass, streams: int, head_streams: int) -> int:
    """Return the larger of the widest layer and the output head, mask not counted."""
    hidden = model.hidden_size
    layer = load.tokens * (streams * hidden + _mlp_floats(model))
    head = load.logits * model.vocab_size + load.tokens * head_streams * hidden
    return F32 * max(layer, head) + load.tokens * TOKEN_INPUT_BYTES


def cpu_compute_bytes(model: ModelArchitecture, load: Pass) -> int:
    """Return the compute buffer where the host computes everything."""
    return _phases(model, load, streams=5, head_streams=6) + load.mask_bytes


def host_compute_bytes(model: ModelArchitecture, load: Pass, gpus: int) -> int:
    """Return the host's compute buffer where GPUs compute: embeddings and mask."""
    streams, copies = (4, 1) if gpus == 1 else (10, PIPELINE_COPIES)
    inputs = load.tokens * (streams * model.hidden_size * F32 + TOKEN_INPUT_BYTES)
    return inputs + copies * load.mask_bytes


def gpu_compute_bytes(
    model: ModelArchitecture, load: Pass, placed: Placed, layout: Layout, gpu: int
) -> int:
    """Return the compute buffer of one GPU.

    Several GPUs with all layers on them work on several passes at a time, each with inputs of its
    own; the first of them holds the embeddings besides.

    Args:
        model: the architecture.
        load: the largest pass.
        placed: where the weights lie.
        layout: of one replica.
        gpu: which of its GPUs.
    """
    is_last = gpu == layout.pipeline - 1
    alone = load if is_last else Pass(load.tokens, 0, load.reach, load.cache)
    if layout.keeps_layers_on_host:
        if (gpu == 0 or layout.host_expert_layers) and load.tokens >= OFFLOAD_MIN_BATCH:
            return _borrowing(model, alone, placed, layout) + load.mask_bytes
        return _phases(model, alone, 2 if gpu else 4, 4) + load.mask_bytes
    if layout.pipeline == 1:
        return _phases(model, alone, 4, 4) + load.mask_bytes
    return _phases(model, alone, 17 if gpu == 0 else 12, 9) + PIPELINE_COPIES * load.mask_bytes


def _borrowing(model: ModelArchitecture, load: Pass, placed: Placed, layout: Layout) -> int:
    """Return the buffer where matrices, and a layer's cache, are copied in from the host."""
    hidden, heads = model.hidden_size, model.attention_heads * model.head_dim
    usual = _phases(model, load, streams=4, head_streams=4)
    cache = load.cache * 2 * model.kv_heads * model.head_dim * F16 if layout.host_layers else 0
    query = 2 * heads if heads > hidden else heads
    attention = cache + load.tokens * (4 * hidden + query) * F32
    if model.is_moe:
        chosen = model.experts_per_token * (hidden + model.moe_intermediate_size)
        overlaps = model.shared_expert_intermediate_size and layout.host_expert_layers > 1
        copies = 2 if overlaps else 1  # seen with Qwen3-Next: one layer's last, the next's first
        experts = copies * placed.borrowed + cache + load.tokens * (chosen + 4 * hidden) * F32
        return max(usual, attention, experts)
    inner = model.intermediate_size
    least = placed.borrowed + load.tokens * (4 * hidden + 2 * inner) * F32
    most = placed.borrowed + load.tokens * (4 * hidden + 3 * inner) * F32 + load.mask_bytes
    return max(usual, attention, (least + most) // 2)


def unpacked_cache_bytes(model: ModelArchitecture, cache: Cache) -> int:
    """Return what a quantized cache takes once more while a GPU attends to one layer of it.

    Source: ggml-org/llama.cpp b11549 ggml/src/ggml-cuda/fattn.cu.
    """
    return cache.total * 2 * model.kv_heads * model.head_dim * F16


def output_bytes(model: ModelArchitecture, slots: int) -> int:
    """Return the host's buffer of logits, one row per slot."""
    return slots * model.vocab_size * F32
