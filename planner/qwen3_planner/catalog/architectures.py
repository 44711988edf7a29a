"""From a ``config.json`` to an architecture, for every architecture of the family.

Source of the keys: the family's configuration classes in transformers 5.23.0
``models/{qwen3,qwen3_moe,qwen3_next,qwen3_vl,qwen3_vl_moe}``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.rows import LinearAttention, ModelArchitecture, VisionEncoder
from qwen3_planner.errors import SpecError, nearest_first

if TYPE_CHECKING:
    from qwen3_planner.catalog.config_values import ConfigValues

_SIXTEEN_BIT = ("bfloat16", "float16")
_FULL, _LINEAR = "full_attention", "linear_attention"


@dataclass(frozen=True, slots=True)
class Kind:
    """What an architecture's name says.

    Attributes:
        is_sparse: whether its layers route to experts.
        has_vision: whether an image encoder belongs to it.
        is_hybrid: whether some of its layers have linear attention.
        is_pooling: whether it yields vectors or scores.
    """

    is_sparse: bool = False
    has_vision: bool = False
    is_hybrid: bool = False
    is_pooling: bool = False


KINDS = {
    "Qwen3ForCausalLM": Kind(),
    "Qwen3MoeForCausalLM": Kind(is_sparse=True),
    "Qwen3NextForCausalLM": Kind(is_sparse=True, is_hybrid=True),
    "Qwen3VLForConditionalGeneration": Kind(has_vision=True),
    "Qwen3VLMoeForConditionalGeneration": Kind(is_sparse=True, has_vision=True),
    "Qwen3ForSequenceClassification": Kind(is_pooling=True),
    "Qwen3Model": Kind(is_pooling=True),
    "Qwen3MoeForSequenceClassification": Kind(is_sparse=True, is_pooling=True),
}


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """What the other files of a model's folder say.

    Attributes:
        name: of the model.
        as_of: ISO date of its config.json.
        head_is_stored: whether the weights hold an output head; None: not known.
        prediction_is_stored: whether they hold layers that predict ahead; None: not known.
        embeds: whether it is set up as a sentence embedder.
    """

    name: str
    as_of: str
    head_is_stored: bool | None = None
    prediction_is_stored: bool | None = None
    embeds: bool = False


def architecture_of(config: ConfigValues, facts: FolderFacts) -> ModelArchitecture:
    """Read an architecture.

    Raises:
        SpecError: of a family, or with a setting, that the formulas do not cover.
    """
    kind = _kind_of(config)
    text = config.inner("text_config") if kind.has_vision else config
    _refuse_other_layers(text, kind)
    tied = config.get("tie_word_embeddings", bool, default=_tied(text))
    is_pooling = kind.is_pooling or facts.embeds
    usual_head = not tied and not is_pooling
    return ModelArchitecture(
        name=facts.name,
        hidden_size=text.size("hidden_size"),
        layers=text.size("num_hidden_layers"),
        attention_heads=text.size("num_attention_heads"),
        kv_heads=text.size("num_key_value_heads"),
        head_dim=text.size("head_dim"),
        intermediate_size=text.size("intermediate_size"),
        moe_intermediate_size=text.size("moe_intermediate_size") if kind.is_sparse else 0,
        experts=text.size("num_experts") if kind.is_sparse else 0,
        experts_per_token=text.size("num_experts_per_tok") if kind.is_sparse else 0,
        vocab_size=text.size("vocab_size"),
        tied_embeddings=tied,
        stores_lm_head=usual_head if facts.head_is_stored is None else facts.head_is_stored,
        max_position_embeddings=text.size("max_position_embeddings"),
        rope_theta=_rope(text, "rope_theta"),
        torch_dtype=_sixteen_bit(text if _has_dtype(text) else config),
        thinking="hybrid",
        source=config.path,
        as_of=facts.as_of,
        runner="pooling" if is_pooling else "generate",
        vision=_vision(config.inner("vision_config")) if kind.has_vision else None,
        **(_hybrid(text, facts) if kind.is_hybrid else {}),
    )


def _kind_of(config: ConfigValues) -> Kind:
    names = config.raw("architectures")
    name = names[0] if isinstance(names, list) and names else None
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        shown = "(missing)" if names is None else json.dumps(names)
        reason = "is no architecture that is planned"
        raise SpecError(f"{config.path}: architectures", shown, reason, nearest_first(shown, KINDS))
    return kind


def _refuse_other_layers(text: ConfigValues, kind: Kind) -> None:
    text.refuse_unless("attention_bias", planned=False)
    text.refuse_unless("use_sliding_window", planned=False)
    if kind.is_sparse:
        text.refuse_unless("decoder_sparse_step", planned=1)
        text.refuse_unless("mlp_only_layers", planned=[])


def _tied(text: ConfigValues) -> bool:
    return text.get("tie_word_embeddings", bool, default=False)


def _rope(text: ConfigValues, key: str) -> float:
    """Read a value of the rotary embedding; transformers 5 moved them into one object."""
    if text.raw(key) is None and isinstance(text.raw("rope_parameters"), dict):
        return text.inner("rope_parameters").get(key, float)
    return text.get(key, float)


def _has_dtype(config: ConfigValues) -> bool:
    return config.raw("torch_dtype") is not None or config.raw("dtype") is not None


def _sixteen_bit(config: ConfigValues) -> str:
    key = "dtype" if config.raw("torch_dtype") is None else "torch_dtype"
    dtype = config.get(key, str, default="bfloat16")
    if dtype not in _SIXTEEN_BIT:
        reason = "is not planned: weights must have 16 bit"
        raise SpecError(f"{config.path}: {key}", dtype, reason, _SIXTEEN_BIT)
    return dtype


def _vision(config: ConfigValues) -> VisionEncoder:
    taps = config.raw("deepstack_visual_indexes") or []
    if not isinstance(taps, list) or not all(type(tap) is int for tap in taps):
        field = f"{config.path}: deepstack_visual_indexes"
        raise SpecError(field, json.dumps(taps), "must be a list of whole numbers")
    return VisionEncoder(
        depth=config.size("depth"),
        hidden_size=config.size("hidden_size"),
        heads=config.size("num_heads"),
        intermediate_size=config.size("intermediate_size"),
        patch_size=config.size("patch_size"),
        temporal_patch_size=config.size("temporal_patch_size", 2),
        in_channels=config.size("in_channels", 3),
        spatial_merge_size=config.size("spatial_merge_size", 2),
        position_embeddings=config.size("num_position_embeddings"),
        out_hidden_size=config.size("out_hidden_size"),
        deepstack_layers=tuple(taps),
    )


def _hybrid(text: ConfigValues, facts: FolderFacts) -> dict[str, Any]:
    """Read what only hybrid models have."""
    stored = facts.prediction_is_stored
    has_share = isinstance(text.raw("rope_parameters"), dict)
    share = text.get("partial_rotary_factor", float, default=0.0 if has_share else 0.25)
    return {
        "full_attention_interval": _interval(text),
        "linear_attention": LinearAttention(
            key_heads=text.size("linear_num_key_heads"),
            value_heads=text.size("linear_num_value_heads"),
            key_head_dim=text.size("linear_key_head_dim"),
            value_head_dim=text.size("linear_value_head_dim"),
            conv_kernel=text.size("linear_conv_kernel_dim"),
        ),
        "attention_output_gate": True,
        "rotary_share": share or _rope(text, "partial_rotary_factor"),
        "shared_expert_intermediate_size": text.get("shared_expert_intermediate_size", int, 0),
        "prediction_layers": 0 if stored is False else 1,
    }


def _interval(text: ConfigValues) -> int:
    """Read how often a layer has full attention: a number, or a list of all layers' kinds.

    Raises:
        SpecError: the list has another order than every n-th layer.
    """
    kinds = text.raw("layer_types")
    if kinds is None:
        return text.size("full_attention_interval", 4)
    interval = kinds.index(_FULL) + 1 if isinstance(kinds, list) and _FULL in kinds else 0
    layers = text.size("num_hidden_layers")
    expected = [_LINEAR if not interval or (i + 1) % interval else _FULL for i in range(layers)]
    if not interval or kinds != expected:
        reason = "is not planned: full attention must come at every n-th layer"
        raise SpecError(f"{text.path}: layer_types", json.dumps(kinds)[:80], reason)
    return interval
