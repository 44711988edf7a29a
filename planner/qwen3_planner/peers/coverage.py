"""What of our questions aiconfigurator 0.12 covers, and how it is to be asked. Pure.

Read in PyPI aiconfigurator 0.12.0 ``aiconfigurator/cli/api.py`` (cli_estimate) and the names in
aiconfigurator-core 0.12.0 ``systems/`` and ``model_configs/``, 2026-11-23.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.peers.figures import PeerQuestion

NAME = "aiconfigurator"

SYSTEMS = {
    "H100-SXM-80GB": "h100_sxm",
    "H100-PCIe-80GB": "h100_pcie",
    "H200-SXM-141GB": "h200_sxm",
    "A100-SXM-80GB": "a100_sxm",
    "A100-PCIe-80GB": "a100_pcie",
    "A30-24GB": "a30",
    "B200-SXM-180GB": "b200_sxm",
    "GB200-186GB": "gb200",
    "L4-24GB": "l4",
    "L40S-48GB": "l40s",
    "RTX-PRO-6000-96GB": "rtx_pro_6000_server",
}
"""Our cards by its names. It has no RTX, A10G, H20, MI300X, Apple or CPU."""

ENGINES = ("vllm", "sglang")

KV_DTYPES = {"bf16": "bfloat16", "fp16": "bfloat16", "fp8": "fp8"}
"""Always said: left to it, an FP8 checkpoint gets an FP8 cache, which no engine gives it."""

BUNDLED = (
    "Qwen3-0.6B",
    "Qwen3-1.7B",
    "Qwen3-8B",
    "Qwen3-32B",
    "Qwen3-30B-A3B",
    "Qwen3-235B-A22B",
    "Qwen3-Coder-480B-A35B-Instruct",
)
"""Models whose configuration it ships; it would ask the network for others."""

BUNDLED_FP8 = ("Qwen3-32B", "Qwen3-30B-A3B", "Qwen3-235B-A22B")


def reason_not_covered(question: PeerQuestion) -> str | None:
    """Say why it cannot be asked this; None where it can."""
    model = question.model
    is_other = model.is_hybrid or model.vision is not None or model.is_pooling
    objections = (
        (question.engine not in ENGINES, f"it knows no {question.engine}"),
        (
            question.accelerator not in SYSTEMS,
            f"it has no measurements of {question.accelerator}",
        ),
        (is_other, f"it is asked of text models only, not of {model.name}"),
        (
            question.quantization not in ("bf16", "fp8"),
            f"it is asked of bf16 and fp8 only, not of {question.quantization}",
        ),
        (
            question.kv_cache_dtype not in KV_DTYPES,
            f"it has no {question.kv_cache_dtype} KV cache",
        ),
        (
            question.concurrency < question.layout.data,
            "it needs a request for each data-parallel rank",
        ),
    )
    return next((reason for holds, reason in objections if holds), None)


def bundled_like(model: ModelArchitecture, models: Iterable[ModelArchitecture]) -> str | None:
    """Return the model that it ships which has the very same layers; None where there is none.

    Editions of one model (2507, Coder) differ in their training and context alone.
    """
    for known in models:
        if known.name in BUNDLED and _shape(known) == _shape(model):
            return known.name
    return None


def _shape(model: ModelArchitecture) -> tuple[object, ...]:
    return (
        model.hidden_size,
        model.layers,
        model.attention_heads,
        model.kv_heads,
        model.head_dim,
        model.intermediate_size if not model.is_moe else 0,
        model.moe_intermediate_size,
        model.experts,
        model.experts_per_token,
        model.vocab_size,
        model.tied_embeddings,
    )


def config_of(model: ModelArchitecture) -> dict[str, Any]:
    """Write a model's ``config.json`` from the catalog, for one that it does not ship."""
    config: dict[str, Any] = {
        "architectures": ["Qwen3MoeForCausalLM" if model.is_moe else "Qwen3ForCausalLM"],
        "model_type": "qwen3_moe" if model.is_moe else "qwen3",
        "hidden_size": model.hidden_size,
        "num_hidden_layers": model.layers,
        "num_attention_heads": model.attention_heads,
        "num_key_value_heads": model.kv_heads,
        "head_dim": model.head_dim,
        "intermediate_size": model.intermediate_size,
        "vocab_size": model.vocab_size,
        "max_position_embeddings": model.max_position_embeddings,
        "tie_word_embeddings": model.tied_embeddings,
        "rope_theta": model.rope_theta,
        "rms_norm_eps": 1e-6,
        "hidden_act": "silu",
        "torch_dtype": "bfloat16",
    }
    if model.is_moe:
        config |= {
            "num_experts": model.experts,
            "num_experts_per_tok": model.experts_per_token,
            "moe_intermediate_size": model.moe_intermediate_size,
            "norm_topk_prob": True,
            "decoder_sparse_step": 1,
            "mlp_only_layers": [],
        }
    return config


FP8_BLOCKS = {
    "activation_scheme": "dynamic",
    "fmt": "e4m3",
    "quant_method": "fp8",
    "weight_block_size": [128, 128],
}
"""How the official FP8 checkpoints say what they are."""


def arguments_of(question: PeerQuestion, model_path: str) -> dict[str, Any]:
    """Say a question as arguments of its ``cli_estimate``.

    Args:
        question: that is covered.
        model_path: an id that it ships, or a folder with a config.json.
    """
    layout, data = question.layout, question.layout.data
    arguments: dict[str, Any] = {
        "model_path": model_path,
        "system_name": SYSTEMS[question.accelerator],
        "backend_name": question.engine,
        "mode": "agg",
        "isl": question.input_tokens,
        "osl": question.output_tokens,
        "batch_size": max(1, question.concurrency // data),
        "tp_size": layout.tensor,
        "pp_size": layout.pipeline,
        "attention_dp_size": data,
        "kvcache_quant_mode": KV_DTYPES[question.kv_cache_dtype],
    }
    if question.model.is_moe:
        ranks = layout.tensor * data
        arguments["moe_ep_size"] = layout.expert
        arguments["moe_tp_size"] = ranks // layout.expert
    return arguments
