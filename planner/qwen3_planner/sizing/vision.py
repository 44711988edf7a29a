"""The image encoder of a VL model on one rank.

Source: vLLM 0.33.0 ``model_executor/models/qwen3_vl.py`` (``Qwen3_VisionTransformer``) and
``qwen2_5_vl.py`` (``Qwen2_5_VisionAttention``): shared over the tensor-parallel ranks like the
language model (``--mm-encoder-tp-mode weights``), and held by every pipeline stage.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.sizing.formats import VISION
from qwen3_planner.sizing.linear import BF16_BITS, Tensor, linear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import ModelArchitecture, VisionEncoder
    from qwen3_planner.sizing.formats import WeightFormat
    from qwen3_planner.sizing.linear import Sharding

ROTARY_POSITIONS = 8192
"""Rows of the encoder's own rotary table."""


@lru_cache(maxsize=256)
def vision_tensors(
    vision: VisionEncoder, fmt: WeightFormat, sharding: Sharding
) -> tuple[Tensor, ...]:
    """List the encoder's tensors on one rank, in the order of their allocation."""
    hidden = vision.hidden_size
    patch = (vision.in_channels, vision.temporal_patch_size, vision.patch_size, vision.patch_size)
    half_head = hidden // vision.heads // 2
    merged = hidden * vision.spatial_merge_size**2
    tensors = [
        Tensor("patch_embed.proj.weight", (hidden, *patch), BF16_BITS),
        Tensor("patch_embed.proj.bias", (hidden,), BF16_BITS),
        Tensor("pos_embed.weight", (vision.position_embeddings, hidden), BF16_BITS),
        Tensor("rotary_pos_emb.cos_sin_cache", (ROTARY_POSITIONS, half_head), BF16_BITS),
        *_merger(vision, fmt, sharding, "merger", hidden),
    ]
    for index in range(len(vision.deepstack_layers)):
        tensors += _merger(vision, fmt, sharding, f"deepstack_merger_list.{index}", merged)
    for block in range(vision.depth):
        tensors += _block(vision, fmt, sharding, f"blocks.{block}")
    return tuple(tensors)


def _block(
    vision: VisionEncoder, fmt: WeightFormat, sharding: Sharding, name: str
) -> Iterator[Tensor]:
    hidden, ranks = vision.hidden_size, sharding.tensor
    inner = vision.intermediate_size // ranks
    yield Tensor(f"{name}.norm", (hidden,), BF16_BITS, 4)
    qkv = (3 * hidden // ranks, hidden)
    yield from _with_bias(f"{name}.attn.qkv", qkv, fmt, sharding)
    yield from _with_bias(f"{name}.attn.proj", (hidden, hidden // ranks), fmt, sharding)
    yield from _with_bias(f"{name}.mlp.linear_fc1", (inner, hidden), fmt, sharding)
    yield from _with_bias(f"{name}.mlp.linear_fc2", (hidden, inner), fmt, sharding)


def _merger(
    vision: VisionEncoder, fmt: WeightFormat, sharding: Sharding, name: str, norm_width: int
) -> Iterator[Tensor]:
    merged = vision.hidden_size * vision.spatial_merge_size**2
    part = merged // sharding.tensor
    yield Tensor(f"{name}.norm", (norm_width,), BF16_BITS, 2)
    yield from _with_bias(f"{name}.linear_fc1", (part, merged), fmt, sharding)
    yield from _with_bias(f"{name}.linear_fc2", (vision.out_hidden_size, part), fmt, sharding)


def _with_bias(
    name: str, shape: tuple[int, int], fmt: WeightFormat, sharding: Sharding
) -> Iterator[Tensor]:
    yield from linear(name, shape, fmt.of(f"{VISION}.{name}"), sharding)
    yield Tensor(f"{name}.bias", (shape[0],), BF16_BITS)


def deepstack_buffers(model: ModelArchitecture, batch_tokens: int) -> Tensor:
    """Return the buffers for what the encoder's inner blocks hand to the language model.

    One of the scheduler's batch for each tapped block, allocated with the weights.
    """
    taps = len(model.vision.deepstack_layers) if model.vision else 0
    shape = (batch_tokens, model.hidden_size)
    return Tensor("deepstack_input_embeds", shape, BF16_BITS, taps if batch_tokens else 0)
