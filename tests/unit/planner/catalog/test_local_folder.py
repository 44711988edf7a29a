from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.resolving import resolve_model
from qwen3_planner.errors import SpecError
from qwen3_planner.request import Quantization

if TYPE_CHECKING:
    from pathlib import Path

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
