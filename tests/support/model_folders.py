"""Folders of models as the hub has them: config.json from a row of the catalog."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from qwen3_planner.catalog.rows import ModelArchitecture


def config_of(row: ModelArchitecture) -> dict[str, Any]:
    """Write an architecture the way transformers does."""
    text = {
        "hidden_size": row.hidden_size,
        "num_hidden_layers": row.layers,
        "num_attention_heads": row.attention_heads,
        "num_key_value_heads": row.kv_heads,
        "head_dim": row.head_dim,
        "intermediate_size": row.intermediate_size,
        "vocab_size": row.vocab_size,
        "max_position_embeddings": row.max_position_embeddings,
        "rope_theta": row.rope_theta,
        "torch_dtype": row.torch_dtype,
        "attention_bias": False,
        **_experts(row),
        **_hybrid(row),
    }
    outside = {"architectures": [_class_of(row)], "tie_word_embeddings": row.tied_embeddings}
    if row.vision is None:
        return {**text, **outside}
    vision = row.vision
    return {
        **outside,
        "text_config": text,
        "vision_config": {
            "depth": vision.depth,
            "hidden_size": vision.hidden_size,
            "num_heads": vision.heads,
            "intermediate_size": vision.intermediate_size,
            "patch_size": vision.patch_size,
            "temporal_patch_size": vision.temporal_patch_size,
            "in_channels": vision.in_channels,
            "spatial_merge_size": vision.spatial_merge_size,
            "num_position_embeddings": vision.position_embeddings,
            "out_hidden_size": vision.out_hidden_size,
            "deepstack_visual_indexes": list(vision.deepstack_layers),
        },
    }


def _class_of(row: ModelArchitecture) -> str:
    if row.vision:
        return f"Qwen3VL{'Moe' if row.is_moe else ''}ForConditionalGeneration"
    if row.is_hybrid:
        return "Qwen3NextForCausalLM"
    if row.is_pooling:
        return "Qwen3ForSequenceClassification"
    return "Qwen3MoeForCausalLM" if row.is_moe else "Qwen3ForCausalLM"


def _experts(row: ModelArchitecture) -> dict[str, Any]:
    if not row.is_moe:
        return {}
    return {
        "moe_intermediate_size": row.moe_intermediate_size,
        "num_experts": row.experts,
        "num_experts_per_tok": row.experts_per_token,
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
    }


def _hybrid(row: ModelArchitecture) -> dict[str, Any]:
    if row.linear_attention is None:
        return {}
    attention = row.linear_attention
    return {
        "full_attention_interval": row.full_attention_interval,
        "linear_num_key_heads": attention.key_heads,
        "linear_num_value_heads": attention.value_heads,
        "linear_key_head_dim": attention.key_head_dim,
        "linear_value_head_dim": attention.value_head_dim,
        "linear_conv_kernel_dim": attention.conv_kernel,
        "partial_rotary_factor": row.rotary_share,
        "shared_expert_intermediate_size": row.shared_expert_intermediate_size,
    }


def write_config(folder: Path, config: dict[str, Any]) -> Path:
    """Write config.json into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return folder
