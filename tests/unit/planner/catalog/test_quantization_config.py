"""What each tool writes about the weights it quantized."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_planner.catalog.config_values import ConfigValues
from qwen3_planner.catalog.ignored_modules import tidy
from qwen3_planner.catalog.quantization_config import StoredFormat, stored_format
from qwen3_planner.catalog.rows import Storage
from qwen3_planner.errors import SpecError
from qwen3_planner.request import Quantization

LAYERS, EXPERTS = 4, 2


def read(quantization_config: object) -> StoredFormat:
    config = ConfigValues({"quantization_config": quantization_config}, "config.json")
    return stored_format(config, LAYERS, EXPERTS)


def scheme(weights: dict[str, Any], **details: object) -> dict[str, Any]:
    group = {"targets": ["Linear"], "weights": weights, "input_activations": None}
    return {
        "quant_method": "compressed-tensors",
        "config_groups": {"group_0": {**group, **details}},
        "ignore": ["lm_head"],
    }


FP8_CHANNEL = {"num_bits": 8, "type": "float", "strategy": "channel", "dynamic": False}
INT4 = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128, "symmetric": True}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (None, StoredFormat()),
        (scheme(FP8_CHANNEL), StoredFormat(Quantization.FP8, "compressed-tensors")),
        (
            scheme({**FP8_CHANNEL, "strategy": "block", "block_structure": [128, 128]}),
            StoredFormat(Quantization.FP8, "compressed-tensors", block_size=(128, 128)),
        ),
        (
            scheme(
                {**FP8_CHANNEL, "strategy": "tensor"},
                input_activations={"num_bits": 8, "dynamic": False},
            ),
            StoredFormat(Quantization.FP8_STATIC, "compressed-tensors", static_activations=True),
        ),
        (
            scheme({"num_bits": 8, "type": "int", "strategy": "channel"}),
            StoredFormat(Quantization.INT8, "compressed-tensors"),
        ),
        (
            scheme(INT4),
            StoredFormat(Quantization.GPTQ_INT4, "compressed-tensors", group_size=128),
        ),
        (
            scheme({**INT4, "group_size": 64, "symmetric": False}),
            StoredFormat(
                Quantization.AWQ_INT4, "compressed-tensors", group_size=64, has_zero_points=True
            ),
        ),
        (
            scheme({**INT4, "num_bits": 8, "actorder": "group"}),
            StoredFormat(
                Quantization.GPTQ_INT8, "compressed-tensors", group_size=128, act_order=True
            ),
        ),
        (
            scheme({"num_bits": 4, "type": "float", "strategy": "tensor_group", "group_size": 16}),
            StoredFormat(
                Quantization.NVFP4, "compressed-tensors", group_size=16, static_activations=True
            ),
        ),
        (
            scheme({"num_bits": 4, "type": "float", "strategy": "group", "group_size": 32}),
            StoredFormat(Quantization.MXFP4, "compressed-tensors", group_size=32),
        ),
        (
            {"quant_method": "gptq", "bits": 8, "group_size": 128, "desc_act": True},
            StoredFormat(Quantization.GPTQ_INT8, "gptq", group_size=128, act_order=True),
        ),
        (
            {"quant_method": "gptq", "bits": 4, "group_size": -1, "lm_head": True},
            StoredFormat(Quantization.GPTQ_INT4, "gptq", quantizes_head=True),
        ),
        (
            {"quant_algo": "FP8", "kv_cache_scheme": "FP8", "ignore": ["lm_head", "visual"]},
            StoredFormat(
                Quantization.FP8_STATIC, "modelopt", static_activations=True, kv_cache_dtype="fp8"
            ),
        ),
        (
            {"quant_method": "fp8", "activation_scheme": "static", "ignored_layers": ["visual"]},
            StoredFormat(Quantization.FP8_STATIC, "fp8", static_activations=True),
        ),
    ],
)  # fmt: skip
def test_each_tool_is_understood(written: object, expected: StoredFormat) -> None:
    found = read(written)
    assert found == expected or found == vision_too(expected)


def vision_too(expected: StoredFormat) -> StoredFormat:
    """Some name nothing of the image encoder, so that it is quantized where there is one."""
    from dataclasses import replace  # noqa: PLC0415 - only here

    return replace(expected, quantizes_vision=True)


def test_the_image_encoder_is_spared_where_a_list_names_it() -> None:
    named = {**scheme(FP8_CHANNEL), "ignore": ["re:visual.*", "lm_head"]}
    assert read(named).quantizes_vision is False
    assert read(scheme(FP8_CHANNEL)).quantizes_vision is True


def test_the_head_is_quantized_where_nobody_spares_it() -> None:
    assert read({**scheme(FP8_CHANNEL), "ignore": []}).quantizes_head is True
    assert read(scheme(FP8_CHANNEL)).quantizes_head is False


def test_a_second_group_is_for_the_modules_it_targets() -> None:
    written = scheme({"num_bits": 4, "type": "float", "group_size": 16})
    attention = {"targets": ["re:.*self_attn.*"], "weights": FP8_CHANNEL}
    written["config_groups"] = {
        "group_0": attention,
        "group_1": written["config_groups"]["group_0"],
    }

    found = read(written)

    assert found.quantization is Quantization.NVFP4
    assert found.stored == (("*self_attn*", Storage("fp8")),)


def test_a_list_of_all_layers_becomes_one_pattern() -> None:
    each = [f"model.layers.{i}.self_attn.q_proj" for i in range(LAYERS)]
    assert tidy(each, LAYERS) == ("model.layers.*.self_attn.q_proj",)
    assert tidy(each[:-1], LAYERS) == tuple(each[:-1])
    experts = [f"model.layers.{i}.mlp.experts.{e}.down_proj" for i in range(4) for e in range(2)]
    assert tidy(experts, LAYERS, EXPERTS) == ("model.layers.*.mlp.experts.*.down_proj",)


def test_a_list_of_what_nobody_quantizes_says_nothing() -> None:
    names = ["lm_head", "model.norm", "model.visual.blocks.0.attn.qkv", "model.embed_tokens"]
    names += [
        f"model.layers.{i}.{part}" for i in range(9) for part in ("mlp.gate", "input_layernorm")
    ]
    names += ["re:.*mlp.gate$", "model.layers.0.mlp.shared_expert_gate"]
    assert tidy(names, 9) == ()


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ({"quant_method": "bitsandbytes"}, "quant_method"),
        ({"quant_method": 4}, "quant_method"),
        ({}, "quant_method"),
        ([], "quantization_config"),
        ({"quant_method": "gptq", "bits": 3, "group_size": 128}, "bits"),
        ({"quant_method": "gptq", "bits": 4}, "group_size"),
        ({"quant_method": "modelopt", "quant_algo": "W4A8_AWQ"}, "quant_algo"),
        ({"quant_method": "modelopt", "quantization": {}, "quant_algo": None}, "quant_algo"),
        ({"quant_method": "compressed-tensors"}, "config_groups"),
        ({"quant_method": "compressed-tensors", "config_groups": {}}, "config_groups"),
        (scheme({"num_bits": 2, "type": "int"}), "num_bits"),
        (scheme({**FP8_CHANNEL, "strategy": "block"}), "block_structure"),
        ({**scheme(FP8_CHANNEL), "ignore": "lm_head"}, "ignore"),
        ({"quant_method": "fp8", "weight_block_size": [0, 128]}, "weight_block_size"),
    ],
)
def test_what_is_not_planned_is_refused_by_the_name_of_its_key(written: object, key: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(written)
    assert caught.value.field.endswith(key)
    assert caught.value.field.startswith("config.json")
