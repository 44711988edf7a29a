"""Folders with a `config.json` as a variant's repository has it, made from the catalog's rows.

No weights: the engine either constructs on the meta device or loads random ones
(`--load-format dummy`). The tokenizer knows what the parsers of answers look for, and little more.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from qwen3_planner.sizing.formats import FileLayout, WeightFormat, WeightKind

from .marks import write_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from qwen3_planner.catalog.rows import ModelArchitecture

GATES = "re:.*(mlp\\.(gate|shared_expert_gate)|linear_attn\\.in_proj_ba)$"


def write_model(folder: Path, model: ModelArchitecture, fmt: WeightFormat | None = None) -> Path:
    """Write the folder of one variant in one weight format; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    config = model_config(model)
    if fmt is not None and fmt.is_quantized and not fmt.online:
        config["quantization_config"] = quantization_config(model, fmt)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    write_tokenizer(folder)
    return folder


def model_config(model: ModelArchitecture) -> dict[str, Any]:
    """Return the `config.json` of a variant."""
    text = _text_config(model)
    if model.vision is None:
        return text
    kind = "qwen3_vl_moe" if model.is_moe else "qwen3_vl"
    text["model_type"] = f"{kind}_text"
    text["rope_parameters"] |= {"mrope_section": [24, 20, 20], "mrope_interleaved": True}
    return {
        "architectures": [f"Qwen3VL{'Moe' if model.is_moe else ''}ForConditionalGeneration"],
        "model_type": kind,
        "text_config": text,
        "vision_config": _vision_config(model, kind),
        "tie_word_embeddings": model.tied_embeddings,
        "dtype": model.torch_dtype,
        "image_token_id": 151655,
        "video_token_id": 151656,
        "vision_start_token_id": 151652,
        "vision_end_token_id": 151653,
    }


def _vision_config(model: ModelArchitecture, kind: str) -> dict[str, Any]:
    vision = model.vision
    assert vision is not None
    return {
        "model_type": kind,
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
        "hidden_act": "gelu_pytorch_tanh",
    }


def _text_config(model: ModelArchitecture) -> dict[str, Any]:
    config: dict[str, Any] = {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "hidden_size": model.hidden_size,
        "intermediate_size": model.intermediate_size,
        "num_hidden_layers": model.layers,
        "num_attention_heads": model.attention_heads,
        "num_key_value_heads": model.kv_heads,
        "head_dim": model.head_dim,
        "vocab_size": model.vocab_size,
        "max_position_embeddings": model.max_position_embeddings,
        "rope_parameters": {"rope_type": "default", "rope_theta": model.rope_theta},
        "tie_word_embeddings": model.tied_embeddings,
        "dtype": model.torch_dtype,
        "rms_norm_eps": 1e-06,
        "hidden_act": "silu",
        "attention_bias": False,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "initializer_range": 0.02,
        "use_cache": True,
    }
    if model.is_moe:
        config |= {
            "architectures": ["Qwen3MoeForCausalLM"],
            "model_type": "qwen3_moe",
            "moe_intermediate_size": model.moe_intermediate_size,
            "num_experts": model.experts,
            "num_experts_per_tok": model.experts_per_token,
            "norm_topk_prob": True,
            "decoder_sparse_step": 1,
            "mlp_only_layers": [],
        }
    hybrid = model.linear_attention
    if hybrid is not None:
        config |= {
            "architectures": ["Qwen3NextForCausalLM"],
            "model_type": "qwen3_next",
            "shared_expert_intermediate_size": model.shared_expert_intermediate_size,
            "full_attention_interval": model.full_attention_interval,
            "linear_num_key_heads": hybrid.key_heads,
            "linear_num_value_heads": hybrid.value_heads,
            "linear_key_head_dim": hybrid.key_head_dim,
            "linear_value_head_dim": hybrid.value_head_dim,
            "linear_conv_kernel_dim": hybrid.conv_kernel,
            "partial_rotary_factor": model.rotary_share,
        }
        config["rope_parameters"]["partial_rotary_factor"] = model.rotary_share
    return config


def quantization_config(model: ModelArchitecture, fmt: WeightFormat) -> dict[str, Any]:
    """Return the `quantization_config` that tools write for such weights; routers stay plain."""
    match fmt.kind, fmt.layout:
        case WeightKind.FP8_BLOCK, _:
            return {
                "quant_method": "fp8",
                "fmt": "e4m3",
                "activation_scheme": "dynamic",
                "weight_block_size": [fmt.block_rows, fmt.block_columns],
                "modules_to_not_convert": _plain_modules(model),
            }
        case ((WeightKind.INT4_GROUP | WeightKind.INT8_GROUP), FileLayout.AWQ):
            return {
                "quant_method": "awq",
                "version": "gemm",
                "bits": fmt.bits,
                "group_size": fmt.group_size,
                "zero_point": fmt.has_zero_points,
                "modules_to_not_convert": ["mlp.gate"] if model.is_moe else None,
            }
        case ((WeightKind.INT4_GROUP | WeightKind.INT8_GROUP), FileLayout.GPTQ):
            config = {
                "quant_method": "gptq",
                "checkpoint_format": "gptq",
                "bits": fmt.bits,
                "group_size": fmt.group_size or -1,
                "desc_act": fmt.act_order,
                "sym": not fmt.has_zero_points,
                "lm_head": False,
                "static_groups": False,
                "true_sequential": True,
            }
            return config | ({"dynamic": {"-:.*mlp\\.gate$": {}}} if model.is_moe else {})
        case ((WeightKind.NVFP4_GROUP | WeightKind.FP8_TENSOR), FileLayout.MODELOPT):
            return _modelopt(model, fmt)
        case _:
            return _compressed_tensors(fmt)


def _plain_modules(model: ModelArchitecture) -> list[str]:
    names = ["lm_head"]
    if model.is_moe:
        names += [f"model.layers.{layer}.mlp.gate" for layer in range(model.layers)]
    if model.linear_attention is not None:
        names += [
            f"model.layers.{layer}.{gates}"
            for layer in range(model.layers)
            for gates in ("linear_attn.in_proj_ba", "mlp.shared_expert_gate")
        ]
    return names


def _modelopt(model: ModelArchitecture, fmt: WeightFormat) -> dict[str, Any]:
    is_fp4 = fmt.kind is WeightKind.NVFP4_GROUP
    scale: dict[str, Any] = {"dynamic": False, "num_bits": fmt.bits, "type": "float"}
    if is_fp4:
        scale["group_size"] = fmt.group_size
    group = {"weights": scale, "input_activations": scale, "targets": ["Linear"]}
    config: dict[str, Any] = {
        "quant_method": "modelopt",
        "quant_algo": "NVFP4" if is_fp4 else "FP8",
        "config_groups": {"group_0": group},
        "ignore": _plain_modules(model),
    }
    if fmt.kv_scales:
        config["kv_cache_scheme"] = {"dynamic": False, "num_bits": 8, "type": "float"}
    return config


def _compressed_tensors(fmt: WeightFormat) -> dict[str, Any]:
    form, weights, activations = _COMPRESSED[fmt.kind]
    weights = {**_SCHEME, "num_bits": fmt.bits, **weights}
    if weights["strategy"] in {"group", "tensor_group"}:
        weights["group_size"] = fmt.group_size
    if fmt.has_zero_points:
        weights["symmetric"] = False
    if fmt.act_order:
        weights["actorder"] = "group"
    given = None if activations is None else {**_SCHEME, "num_bits": fmt.bits, **activations}
    if given and given["strategy"] == "tensor_group":
        given["group_size"] = fmt.group_size
    group = {"targets": ["Linear"], "weights": weights, "input_activations": given}
    return {
        "quant_method": "compressed-tensors",
        "format": form,
        "quantization_status": "compressed",
        "ignore": ["lm_head", GATES],
        "config_groups": {"group_0": {**group, "output_activations": None}},
        "kv_cache_scheme": None,
    }


_SCHEME: dict[str, Any] = {
    "type": "int",
    "symmetric": True,
    "strategy": "channel",
    "group_size": None,
    "dynamic": False,
    "actorder": None,
}

_FLOAT = {"type": "float"}

_COMPRESSED: dict[WeightKind, tuple[str, dict[str, Any], dict[str, Any] | None]] = {
    WeightKind.INT4_GROUP: ("pack-quantized", {"strategy": "group"}, None),
    WeightKind.INT8_GROUP: ("pack-quantized", {"strategy": "group"}, None),
    WeightKind.FP8_CHANNEL: (
        "float-quantized",
        {**_FLOAT, "strategy": "channel"},
        {**_FLOAT, "strategy": "token", "dynamic": True},
    ),
    WeightKind.FP8_TENSOR: (
        "float-quantized",
        {**_FLOAT, "strategy": "tensor"},
        {**_FLOAT, "strategy": "tensor"},
    ),
    WeightKind.INT8_CHANNEL: (
        "int-quantized",
        {"strategy": "channel"},
        {"strategy": "token", "dynamic": True},
    ),
    WeightKind.NVFP4_GROUP: (
        "nvfp4-pack-quantized",
        {**_FLOAT, "strategy": "tensor_group"},
        {**_FLOAT, "strategy": "tensor_group", "dynamic": "local"},
    ),
    WeightKind.MXFP4_GROUP: (
        "mxfp4-pack-quantized",
        {**_FLOAT, "strategy": "group", "scale_dtype": "torch.uint8"},
        None,
    ),
}
"""Format name, weights and activations, as llm-compressor writes them."""
