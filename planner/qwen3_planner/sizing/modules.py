"""The modules of a checkpoint as its files name them, whole: nothing is shared or joined here.

Source: the family's model classes in transformers 4.57 ``models/{qwen3,qwen3_moe,qwen3_next,
qwen3_vl}/modeling_*.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

from qwen3_planner.sizing.formats import HEAD, VISION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import LinearAttention, ModelArchitecture, VisionEncoder

PREDICTION = "mtp"
"""Name of the layers that predict tokens ahead."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear layer of the files, which quantization may change.

    Attributes:
        name: of the module; ``*`` stands for the number of an expert.
        rows: outputs.
        columns: inputs.
        copies: experts that have one each; 1 elsewhere.
        keeps_precision: whether quantization leaves it alone (router, gates).
        has_bias: whether a bias is stored, which stays 16 bit.
    """

    name: str
    rows: int
    columns: int
    copies: int = 1
    keeps_precision: bool = False
    has_bias: bool = False

    @property
    def elements(self) -> int:
        """Weights and biases of all copies."""
        return self.copies * self.rows * (self.columns + (1 if self.has_bias else 0))


@dataclass(frozen=True, slots=True)
class Vector:
    """A tensor that no quantization touches: a norm, an embedding, a convolution.

    Attributes:
        name: of the tensor, in full.
        shape: of it.
    """

    name: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """Elements of the tensor."""
        return prod(self.shape)


def language_name(model: ModelArchitecture) -> str:
    """Return the name of the language model in the files."""
    return "model.language_model" if model.vision else "model"


def layer_name(model: ModelArchitecture, layer: int) -> str:
    """Return the name of a decoder layer in the files."""
    return f"{language_name(model)}.layers.{layer}"


def layer_modules(model: ModelArchitecture, layer: int) -> Iterator[Linear | Vector]:
    """Yield the modules of one decoder layer."""
    attention = None if model.has_full_attention(layer) else model.linear_attention
    yield from _decoder_layer(model, layer_name(model, layer), attention)


def _decoder_layer(
    model: ModelArchitecture, name: str, attention: LinearAttention | None
) -> Iterator[Linear | Vector]:
    hidden = model.hidden_size
    if attention is None:
        yield from _full_attention(model, f"{name}.self_attn")
    else:
        yield from _delta_net(model, attention, f"{name}.linear_attn")
    if model.is_moe:
        yield from _experts(model, f"{name}.mlp")
    else:
        yield from _mlp(hidden, model.intermediate_size, f"{name}.mlp")
    yield Vector(f"{name}.input_layernorm.weight", (hidden,))
    yield Vector(f"{name}.post_attention_layernorm.weight", (hidden,))


def _full_attention(model: ModelArchitecture, name: str) -> Iterator[Linear | Vector]:
    hidden, width = model.hidden_size, model.head_dim
    queries = model.attention_heads * width
    gated = queries * (2 if model.attention_output_gate else 1)
    yield Linear(f"{name}.q_proj", gated, hidden)
    yield Linear(f"{name}.k_proj", model.kv_heads * width, hidden)
    yield Linear(f"{name}.v_proj", model.kv_heads * width, hidden)
    yield Linear(f"{name}.o_proj", hidden, queries)
    yield Vector(f"{name}.q_norm.weight", (width,))
    yield Vector(f"{name}.k_norm.weight", (width,))


def _delta_net(
    model: ModelArchitecture, attention: LinearAttention, name: str
) -> Iterator[Linear | Vector]:
    hidden = model.hidden_size
    values = attention.value_heads * attention.value_head_dim
    yield Linear(f"{name}.in_proj_qkvz", attention.conv_width + values, hidden)
    yield Linear(f"{name}.in_proj_ba", 2 * attention.value_heads, hidden, keeps_precision=True)
    yield Vector(f"{name}.conv1d.weight", (attention.conv_width, 1, attention.conv_kernel))
    yield Vector(f"{name}.dt_bias", (attention.value_heads,))
    yield Vector(f"{name}.A_log", (attention.value_heads,))
    yield Vector(f"{name}.norm.weight", (attention.value_head_dim,))
    yield Linear(f"{name}.out_proj", hidden, values)


def _mlp(hidden: int, inner: int, name: str, copies: int = 1) -> Iterator[Linear]:
    yield Linear(f"{name}.gate_proj", inner, hidden, copies)
    yield Linear(f"{name}.up_proj", inner, hidden, copies)
    yield Linear(f"{name}.down_proj", hidden, inner, copies)


def _experts(model: ModelArchitecture, name: str) -> Iterator[Linear]:
    hidden = model.hidden_size
    yield Linear(f"{name}.gate", model.experts, hidden, keeps_precision=True)
    if model.shared_expert_intermediate_size:
        yield Linear(f"{name}.shared_expert_gate", 1, hidden, keeps_precision=True)
        yield from _mlp(hidden, model.shared_expert_intermediate_size, f"{name}.shared_expert")
    yield from _mlp(hidden, model.moe_intermediate_size, f"{name}.experts.*", model.experts)


def outside_modules(model: ModelArchitecture, *, with_head: bool) -> Iterator[Linear | Vector]:
    """Yield what is outside the decoder layers: vocabulary, last norm, image encoder.

    Args:
        model: the architecture.
        with_head: whether the output head is one of them.
    """
    language = language_name(model)
    yield Vector(f"{language}.embed_tokens.weight", (model.vocab_size, model.hidden_size))
    yield Vector(f"{language}.norm.weight", (model.hidden_size,))
    if with_head:
        yield Linear(HEAD, model.vocab_size, model.hidden_size)
    if model.vision is not None:
        yield from vision_modules(model.vision)


def vision_modules(vision: VisionEncoder) -> Iterator[Linear | Vector]:
    """Yield the image encoder's modules; all its linear layers have biases."""
    hidden = vision.hidden_size
    patch = (vision.in_channels, vision.temporal_patch_size, vision.patch_size, vision.patch_size)
    yield Vector(f"{VISION}.patch_embed.proj.weight", (hidden, *patch))
    yield Vector(f"{VISION}.patch_embed.proj.bias", (hidden,))
    yield Vector(f"{VISION}.pos_embed.weight", (vision.position_embeddings, hidden))
    yield from _merger(vision, f"{VISION}.merger", hidden)
    merged = hidden * vision.spatial_merge_size**2
    for index in range(len(vision.deepstack_layers)):
        yield from _merger(vision, f"{VISION}.deepstack_merger_list.{index}", merged)
    for block in range(vision.depth):
        yield from _vision_block(vision, f"{VISION}.blocks.{block}")


def _vision_block(vision: VisionEncoder, name: str) -> Iterator[Linear | Vector]:
    hidden, inner = vision.hidden_size, vision.intermediate_size
    yield from _layer_norm(f"{name}.norm1", hidden)
    yield from _layer_norm(f"{name}.norm2", hidden)
    yield Linear(f"{name}.attn.qkv", 3 * hidden, hidden, has_bias=True)
    yield Linear(f"{name}.attn.proj", hidden, hidden, has_bias=True)
    yield Linear(f"{name}.mlp.linear_fc1", inner, hidden, has_bias=True)
    yield Linear(f"{name}.mlp.linear_fc2", hidden, inner, has_bias=True)


def _merger(vision: VisionEncoder, name: str, norm_width: int) -> Iterator[Linear | Vector]:
    merged = vision.hidden_size * vision.spatial_merge_size**2
    yield from _layer_norm(f"{name}.norm", norm_width)
    yield Linear(f"{name}.linear_fc1", merged, merged, has_bias=True)
    yield Linear(f"{name}.linear_fc2", vision.out_hidden_size, merged, has_bias=True)


def _layer_norm(name: str, width: int) -> Iterator[Vector]:
    yield Vector(f"{name}.weight", (width,))
    yield Vector(f"{name}.bias", (width,))


def prediction_modules(model: ModelArchitecture) -> Iterator[Linear | Vector]:
    """Yield the layers that predict tokens ahead; they share embedding and head with the model."""
    if not model.prediction_layers:
        return
    hidden = model.hidden_size
    yield Linear(f"{PREDICTION}.fc", hidden, 2 * hidden, keeps_precision=True)
    for norm in ("norm", "pre_fc_norm_embedding", "pre_fc_norm_hidden"):
        yield Vector(f"{PREDICTION}.{norm}.weight", (hidden,))
    for layer in range(model.prediction_layers):
        yield from _decoder_layer(model, f"{PREDICTION}.layers.{layer}", None)


@lru_cache(maxsize=256)
def parameters(model: ModelArchitecture) -> int:
    """Count the model's parameters: a tied output head once, prediction layers not at all.

    >>> from qwen3_planner.catalog.rows import ModelArchitecture
    >>> parameters(ModelArchitecture("Qwen3-0.6B", 1024, 28, 16, 8, 128, 3072, 0, 0, 0, 151936,
    ...     True, True, 40960, 1e6, "bfloat16", "hybrid", "config.json", "2026-11-23"))
    596049920
    """
    return _outside(model) + sum(
        layers * sum(module.elements for module in layer_modules(model, example))
        for layers, example in _layer_kinds(model)
    )


@lru_cache(maxsize=256)
def active_parameters(model: ModelArchitecture) -> int:
    """Count the parameters that one token passes through; equal to all of them when dense."""
    idle = 3 * model.hidden_size * model.moe_intermediate_size
    return parameters(model) - model.layers * idle * (model.experts - model.experts_per_token)


def _layer_kinds(model: ModelArchitecture) -> tuple[tuple[int, int], ...]:
    """Return (layers of a kind, number of one of them)."""
    full = model.full_attention_layers()
    return ((full, model.full_attention_interval - 1), (model.layers - full, 0))


def _outside(model: ModelArchitecture) -> int:
    has_head = not model.tied_embeddings and (model.stores_lm_head or not model.is_pooling)
    return sum(module.elements for module in outside_modules(model, with_head=has_head))
