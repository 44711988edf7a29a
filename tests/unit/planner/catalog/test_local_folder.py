from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.resolving import resolve_model
from qwen3_planner.errors import SpecError
from qwen3_planner.request import Quantization
from support.model_folders import config_of, write_config

if TYPE_CHECKING:
    from pathlib import Path

    from qwen3_planner.catalog.rows import ModelArchitecture

CATALOG = load_catalog()
DENSE: dict[str, Any] = {
    "architectures": ["Qwen3ForCausalLM"],
    "hidden_size": 4096,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "intermediate_size": 12288,
    "vocab_size": 151936,
    "tie_word_embeddings": False,
    "max_position_embeddings": 40960,
    "rope_theta": 1000000,
    "torch_dtype": "bfloat16",
}
SPARSE: dict[str, Any] = {
    **DENSE,
    "architectures": ["Qwen3MoeForCausalLM"],
    "moe_intermediate_size": 768,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
}


def folder(tmp_path: Path, config: object, name: str = "my-tune") -> Path:
    path = tmp_path / name
    path.mkdir()
    (path / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return path


def test_a_fine_tune_is_planned_from_its_own_figures(tmp_path: Path) -> None:
    path = folder(tmp_path, {**DENSE, "num_hidden_layers": 40, "max_position_embeddings": 262144})

    resolved = resolve_model(str(path), CATALOG)

    row = resolved.catalog.model("my-tune")
    assert (resolved.name, row.layers, row.max_position_embeddings) == ("my-tune", 40, 262144)
    assert row.is_moe is False
    assert (resolved.quantization, resolved.source) == (None, None)
    (checkpoint,) = resolved.catalog.checkpoints_of("my-tune")
    assert (checkpoint.quantization, checkpoint.uri) == ("bf16", f"file://{path}")


def test_a_mixture_of_experts_keeps_its_experts(tmp_path: Path) -> None:
    resolved = resolve_model(str(folder(tmp_path, SPARSE)), CATALOG)

    row = resolved.catalog.model("my-tune")
    assert (row.experts, row.experts_per_token, row.moe_intermediate_size) == (128, 8, 768)


def test_the_shipped_catalog_is_left_as_it_is(tmp_path: Path) -> None:
    resolved = resolve_model(str(folder(tmp_path, DENSE)), CATALOG)

    assert resolved.catalog.models == (*CATALOG.models, resolved.catalog.model(resolved.name))
    assert load_catalog() is CATALOG


def test_a_folder_called_like_a_catalog_row_gets_another_name(tmp_path: Path) -> None:
    path = folder(tmp_path, DENSE, "qwen3-8b")

    resolved = resolve_model(str(path), CATALOG)

    assert resolved.name == "qwen3-8b-local"


def test_a_name_of_the_catalog_wins_over_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path, DENSE, "Qwen3-32B")
    monkeypatch.chdir(tmp_path)

    assert resolve_model("Qwen3-32B", CATALOG).catalog is CATALOG
    assert resolve_model("./Qwen3-32B", CATALOG).name == "Qwen3-32B-local"


@pytest.mark.parametrize(
    ("config", "quantization", "shape"),
    [
        (
            {"quant_method": "fp8", "weight_block_size": [128, 128]},
            Quantization.FP8, ((128, 128), 0, False),
        ),
        ({"quant_method": "fp8"}, Quantization.FP8, ((0, 0), 0, False)),
        (
            {"quant_method": "awq", "bits": 4, "group_size": 64, "zero_point": True},
            Quantization.AWQ_INT4, ((0, 0), 64, True),
        ),
        (
            {"quant_method": "gptq", "bits": 4, "group_size": 128, "sym": True},
            Quantization.GPTQ_INT4, ((0, 0), 128, False),
        ),
        (
            {"quant_method": "gptq", "bits": 4, "group_size": 128, "sym": False},
            Quantization.GPTQ_INT4, ((0, 0), 128, True),
        ),
    ],
)  # fmt: skip
def test_a_quantized_folder_fixes_its_format(
    tmp_path: Path,
    config: dict[str, Any],
    quantization: Quantization,
    shape: tuple[tuple[int, int], int, bool],
) -> None:
    path = folder(tmp_path, {**DENSE, "quantization_config": config})

    resolved = resolve_model(str(path), CATALOG)

    (row,) = resolved.catalog.checkpoints_of("my-tune")
    assert (resolved.quantization, resolved.source) == (quantization, f"file://{path}")
    assert (row.block_size, row.group_size, row.has_zero_points) == shape


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"architectures": ["LlamaForCausalLM"]}, "architectures", '["LlamaForCausalLM"]'),
        ({"architectures": None}, "architectures", "(missing)"),
        ({"num_hidden_layers": None}, "num_hidden_layers", "(missing)"),
        ({"num_hidden_layers": "many"}, "num_hidden_layers", '"many"'),
        ({"num_hidden_layers": 0}, "num_hidden_layers", 0),
        ({"head_dim": True}, "head_dim", "true"),
        ({"attention_bias": True}, "attention_bias", "true"),
        ({"use_sliding_window": True}, "use_sliding_window", "true"),
        ({"torch_dtype": "float32"}, "torch_dtype", "float32"),
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, "quant_method", "bitsandbytes"),
        ({"quantization_config": {"quant_method": "awq", "bits": 8}}, "bits", 8),
        (
            {"quantization_config": {"quant_method": "fp8", "weight_block_size": 128}},
            "weight_block_size", "128",
        ),
    ],
)  # fmt: skip
def test_what_is_not_planned_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], field: str, value: object
) -> None:
    path = folder(tmp_path, {**DENSE, **change})

    with pytest.raises(SpecError) as caught:
        resolve_model(str(path), CATALOG)

    assert caught.value.field.endswith(f": {field}")
    assert "config.json" in caught.value.field
    assert caught.value.value == value


def test_layers_that_are_not_all_sparse_are_refused(tmp_path: Path) -> None:
    path = folder(tmp_path, {**SPARSE, "mlp_only_layers": [0]})

    with pytest.raises(SpecError, match="mlp_only_layers"):
        resolve_model(str(path), CATALOG)


def test_a_missing_folder_and_a_folder_without_config_say_so(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is no folder"):
        resolve_model(str(tmp_path / "none"), CATALOG)
    with pytest.raises(SpecError, match=r"has no config\.json"):
        resolve_model(str(tmp_path), CATALOG)


@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_a_broken_config_says_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(SpecError, match=r"its config\.json"):
        resolve_model(str(folder(tmp_path, text)), CATALOG)


def test_the_newer_spelling_of_dtype_and_rope_is_read(tmp_path: Path) -> None:
    config = {k: v for k, v in DENSE.items() if k not in ("torch_dtype", "rope_theta")}
    config |= {"dtype": "float16", "rope_parameters": {"rope_theta": 5000000}}

    row = resolve_model(str(folder(tmp_path, config)), CATALOG).catalog.model("my-tune")

    assert (row.torch_dtype, row.rope_theta) == ("float16", 5_000_000.0)


@pytest.mark.parametrize("stored", [True, False])
def test_the_index_of_the_weights_tells_whether_a_head_is_stored(
    tmp_path: Path, *, stored: bool
) -> None:
    path = folder(tmp_path, {**DENSE, "tie_word_embeddings": True})
    names = {"model.embed_tokens.weight": "a"} | ({"lm_head.weight": "a"} if stored else {})
    (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))

    row = resolve_model(str(path), CATALOG).catalog.model("my-tune")

    assert row.stores_lm_head is stored


@pytest.mark.parametrize("row", CATALOG.models, ids=lambda row: row.name)
def test_every_architecture_of_the_catalog_is_read_back_from_its_config(
    tmp_path: Path, row: ModelArchitecture
) -> None:
    path = write_config(tmp_path / "copy", config_of(row))
    names = {"model.embed_tokens.weight": "a"} | (
        {"lm_head.weight": "a"} if row.stores_lm_head else {}
    )
    names |= {"mtp.fc.weight": "a"} if row.prediction_layers else {}
    (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))

    found = resolve_model(str(path), CATALOG).catalog.model("copy")

    told = {"name": row.name, "thinking": row.thinking, "source": row.source, "as_of": row.as_of}
    assert replace(found, **told) == row


def test_a_sentence_embedder_is_known_by_the_list_of_its_modules(tmp_path: Path) -> None:
    path = folder(tmp_path, {**DENSE, "tie_word_embeddings": True})
    (path / "modules.json").write_text("[]")

    row = resolve_model(str(path), CATALOG).catalog.model("my-tune")

    assert (row.runner, row.is_pooling, row.stores_lm_head) == ("pooling", True, False)


def hybrid(**change: object) -> dict[str, Any]:
    return {**config_of(CATALOG.model("Qwen3-Next-80B-A3B-Instruct")), **change}


def test_a_hybrid_model_may_list_the_kind_of_every_layer(tmp_path: Path) -> None:
    kinds = (["linear_attention"] * 3 + ["full_attention"]) * 12
    config = hybrid(layer_types=kinds, full_attention_interval=None)

    row = resolve_model(str(folder(tmp_path, config)), CATALOG).catalog.model("my-tune")

    assert (row.full_attention_interval, row.rotary_share) == (4, 0.25)
    assert row.linear_attention is not None


@pytest.mark.parametrize(
    "kinds",
    [["linear_attention"] * 48, ["full_attention", "linear_attention"] * 24, "none", []],
    ids=["none full", "full first", "text", "empty"],
)
def test_other_orders_of_layers_are_refused(tmp_path: Path, kinds: object) -> None:
    with pytest.raises(SpecError, match="layer_types"):
        resolve_model(str(folder(tmp_path, hybrid(layer_types=kinds))), CATALOG)


def test_the_rotary_share_may_stand_among_the_rope_parameters(tmp_path: Path) -> None:
    parameters = {"rope_theta": 10000000, "partial_rotary_factor": 0.5}
    config = hybrid(rope_parameters=parameters, partial_rotary_factor=None, rope_theta=None)

    row = resolve_model(str(folder(tmp_path, config)), CATALOG).catalog.model("my-tune")

    assert (row.rotary_share, row.rope_theta) == (0.5, 10_000_000.0)


@pytest.mark.parametrize("key", ["text_config", "vision_config"])
def test_a_vl_model_without_one_of_its_parts_is_refused(tmp_path: Path, key: str) -> None:
    config = config_of(CATALOG.model("Qwen3-VL-8B-Instruct"))
    with pytest.raises(SpecError, match=f"{key}.*must be an object"):
        resolve_model(str(folder(tmp_path, {**config, key: 3})), CATALOG)


def test_what_modelopt_wrote_beside_the_config_decides_the_format(tmp_path: Path) -> None:
    path = folder(tmp_path, SPARSE)
    gates = [f"model.layers.{i}.mlp.gate" for i in range(36)]
    said = {
        "producer": {"name": "modelopt"},
        "quantization": {
            "quant_algo": "NVFP4",
            "kv_cache_quant_algo": "FP8",
            "group_size": 16,
            "exclude_modules": [*gates, "lm_head"],
        },
    }
    (path / "hf_quant_config.json").write_text(json.dumps(said))

    resolved = resolve_model(str(path), CATALOG)

    (row,) = resolved.catalog.checkpoints_of("my-tune")
    assert resolved.quantization is Quantization.NVFP4
    assert (row.group_size, row.kv_cache_dtype, row.method) == (16, "fp8", "modelopt")
    assert (row.unquantized, row.quantizes_head) == ((), False)
