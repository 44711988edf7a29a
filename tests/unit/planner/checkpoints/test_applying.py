"""Weights planned from the headers of files, whatever mix of formats they hold."""

from __future__ import annotations

from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.resolving import resolve_model
from qwen3_planner.catalog.rows import (
    Checkpoint,
    LinearAttention,
    ModelArchitecture,
    Storage,
    VisionEncoder,
)
from qwen3_planner.checkpoints.applying import exact_row, with_files
from qwen3_planner.checkpoints.reading import read_checkpoint
from qwen3_planner.errors import SpecError
from qwen3_planner.plan import Layout
from qwen3_planner.sizing.files import FileTensor, checkpoint_bytes
from qwen3_planner.sizing.formats import BF16, WeightFormat, format_of
from qwen3_planner.sizing.weights import rank_weights
from support.depth import examples
from support.model_folders import config_of, write_config
from support.safetensors_files import checkpoint_of, write_file, write_folder

if TYPE_CHECKING:
    from pathlib import Path

CATALOG = load_catalog()

SMALL = replace(
    CATALOG.model("Qwen3-8B"),
    hidden_size=256,
    layers=3,
    attention_heads=4,
    kv_heads=2,
    intermediate_size=384,
    vocab_size=640,
)
SPARSE = replace(
    SMALL, moe_intermediate_size=128, experts=4, experts_per_token=2, intermediate_size=128
)
HYBRID = replace(
    SPARSE,
    layers=4,
    full_attention_interval=2,
    linear_attention=LinearAttention(2, 4, 128, 128, 4),
    attention_output_gate=True,
    shared_expert_intermediate_size=128,
    prediction_layers=1,
)
ENCODER = VisionEncoder(3, 128, 4, 256, 16, 2, 3, 2, 64, 256, (0, 2))
MODELS = {
    "dense": SMALL,
    "tied": replace(SMALL, tied_embeddings=True, stores_lm_head=True),
    "sparse": SPARSE,
    "hybrid": HYBRID,
    "vl": replace(SMALL, vision=ENCODER),
    "sparse vl": replace(SPARSE, vision=ENCODER),
    "pooling": replace(SMALL, runner="pooling", stores_lm_head=False),
}


def row(quantization: str = "bf16", **fields: object) -> Checkpoint:
    plain: dict[str, object] = {
        "variant": "small",
        "quantization": quantization,
        "uri": "hf://me/small",
        "block_size": (0, 0),
        "group_size": 0,
        "has_zero_points": False,
        "official": False,
        "source": "here",
        "as_of": "2026-11-23",
    }
    return Checkpoint(**{**plain, **fields})  # type: ignore[arg-type]


FORMATS = {
    "bf16": row(),
    "fp8 blocks": row("fp8", block_size=(128, 128), method="fp8"),
    "fp8 channels": row("fp8", method="compressed-tensors"),
    "fp8 tensors": row("fp8-static", method="modelopt", static_activations=True),
    "int8": row("int8", method="compressed-tensors"),
    "awq": row("awq-int4", group_size=128, has_zero_points=True, method="awq"),
    "gptq": row("gptq-int4", group_size=128, method="gptq"),
    "gptq by activation": row("gptq-int4", group_size=64, method="gptq", act_order=True),
    "gptq int8": row("gptq-int8", group_size=128, method="gptq"),
    "packed int4": row("gptq-int4", group_size=64, method="compressed-tensors"),
    "packed awq": row("awq-int4", group_size=64, has_zero_points=True, method="compressed-tensors"),
    "nvfp4 modelopt": row("nvfp4", group_size=16, method="modelopt", static_activations=True),
    "nvfp4": row("nvfp4", group_size=16, method="compressed-tensors", static_activations=True),
    "mxfp4": row("mxfp4", group_size=32, method="compressed-tensors"),
}
MIXES: dict[str, dict[str, object]] = {
    "standard": {},
    "head too": {"quantizes_head": True},
    "attention 16 bit": {"unquantized": ("*.self_attn.*",)},
    "first layer 16 bit": {"unquantized": ("model.layers.0", "model.language_model.layers.0")},
    "down in fp8": {"stored": (("*down_proj", Storage("fp8", (128, 128))),)},
}


def weights(model: ModelArchitecture, fmt: WeightFormat, layout: Layout, stage: int = 0) -> int:
    return rank_weights(model, fmt, layout, stage=stage, expert_rank=0, positions=1024)


@settings(max_examples=examples(60), deadline=None)
@given(
    kind=st.sampled_from(sorted(MODELS)),
    form=st.sampled_from(sorted(FORMATS)),
    mix=st.sampled_from(sorted(MIXES)),
    shards=st.integers(1, 3),
    layers=st.integers(2, 3),
    tensor=st.sampled_from([1, 2]),
)
def test_files_are_planned_as_the_row_that_they_were_written_from(  # noqa: PLR0913, PLR0917 - hypothesis passes each by name
    kind: str, form: str, mix: str, shards: int, layers: int, tensor: int
) -> None:
    base = MODELS[kind]
    model = replace(base, layers=layers * base.full_attention_interval)
    written = replace(FORMATS[form], **(MIXES[mix] if form != "bf16" else {}))  # type: ignore[arg-type]
    fmt = format_of(written)
    with TemporaryDirectory() as folder:
        from pathlib import Path  # noqa: PLC0415 - a type elsewhere

        path = write_folder(Path(folder), checkpoint_of(model, fmt), shards)
        header = read_checkpoint(path)
    assert header.n_bytes == checkpoint_bytes(model, fmt)

    found = exact_row(header, model, written, field="MODEL")

    read = format_of(found)
    assert found.quantization == written.quantization
    assert checkpoint_bytes(model, read) == header.n_bytes
    layouts = [Layout(tensor=tensor), Layout(tensor=tensor, pipeline=2)]
    for layout in layouts[: 2 if model.layers > 1 else 1]:
        assert weights(model, read, layout) == weights(model, fmt, layout)


def test_a_folder_given_as_model_is_read_without_being_asked(tmp_path: Path) -> None:
    path = write_config(tmp_path / "mine", config_of(SMALL))
    mixed = replace(FORMATS["gptq"], stored=(("model.layers.1", Storage("bf16")),))
    write_folder(path, checkpoint_of(SMALL, format_of(mixed)))

    resolved = with_files(resolve_model(str(path), CATALOG), str(path), None)

    (found,) = resolved.catalog.checkpoints_of("mine")
    assert (resolved.quantization, resolved.source) == ("gptq-int4", f"file://{path}")
    assert {pattern for pattern, _ in found.stored} >= {"model.layers.1.mlp.up_proj"}
    assert checkpoint_bytes(SMALL, format_of(found)) == checkpoint_bytes(SMALL, format_of(mixed))


def test_a_folder_without_weights_stays_what_its_config_says(tmp_path: Path) -> None:
    path = write_config(tmp_path / "mine", config_of(SMALL))
    resolved = resolve_model(str(path), CATALOG)
    assert with_files(resolved, str(path), None) is resolved
    assert with_files(resolve_model("Qwen3-8B", CATALOG), "Qwen3-8B", None).catalog is CATALOG


def test_files_may_be_read_for_a_model_of_the_catalog(tmp_path: Path) -> None:
    model = CATALOG.model("Qwen3-0.6B")
    tensors = checkpoint_of(model, BF16)
    path = write_file(tmp_path / "model.safetensors", tensors)

    resolved = with_files(resolve_model("Qwen3-0.6B", CATALOG), "Qwen3-0.6B", str(path))

    assert (resolved.name, resolved.quantization) == ("Qwen3-0.6B", "bf16")
    assert resolved.source == f"file://{tmp_path}"
    row_found = resolved.catalog.checkpoints_of("Qwen3-0.6B")
    exact = next(found for found in row_found if found.uri == resolved.source)
    assert exact.tensor_bytes == 1_503_264_768


def test_files_of_a_named_source_replace_its_row_only(tmp_path: Path) -> None:
    model = CATALOG.model("Qwen3-0.6B")
    path = write_folder(tmp_path / "x", checkpoint_of(model, FORMATS_8))
    source = "hf://Qwen/Qwen3-0.6B-FP8"

    resolved = with_files(resolve_model("Qwen3-0.6B", CATALOG), "Qwen3-0.6B", str(path), source)

    assert len(resolved.catalog.checkpoints) == len(CATALOG.checkpoints)
    assert resolved.source == source


FORMATS_8 = format_of(FORMATS["fp8 blocks"])


def small_files(*, without: str = "", extra: tuple[FileTensor, ...] = ()) -> list[FileTensor]:
    tensors = [t for t in checkpoint_of(SPARSE, BF16) if not without or without not in t.name]
    return [*tensors, *extra]


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (small_files(without="layers.1.self_attn.q_proj"), "lacks model.layers.1.self_attn.q_proj"),
        (small_files(without="experts.3.up"), "lacks model.layers.0.mlp.experts.3.up_proj"),
        (small_files(without="lm_head"), "lacks lm_head"),
        (
            small_files(extra=(FileTensor("model.layers.3.mlp.gate.weight", "BF16", (4, 256)),)),
            "does not have",
        ),
        (
            small_files(
                extra=(
                    FileTensor("model.layers.0.mlp.experts.4.up_proj.weight", "BF16", (128, 256)),
                )
            ),
            "does not have",
        ),
        (
            [*small_files(without="lm_head"), FileTensor("lm_head.weight", "BF16", (640, 128))],
            "640 x 256",
        ),
        (
            [*small_files(without="lm_head"), FileTensor("lm_head.weight", "I32", (640, 256))],
            "in no form",
        ),
        (
            [
                *small_files(without="layers.0.mlp.experts.1.up_proj"),
                FileTensor("model.layers.0.mlp.experts.1.up_proj.weight", "I8", (128, 256)),
                FileTensor("model.layers.0.mlp.experts.1.up_proj.weight_scale", "BF16", (128, 1)),
            ],
            "2 ways",
        ),
    ],
)
def test_files_of_another_model_are_refused_with_what_is_wrong(
    tmp_path: Path, tensors: list[FileTensor], words: str
) -> None:
    header = read_checkpoint(write_file(tmp_path / "model.safetensors", tensors))
    with pytest.raises(SpecError, match=words) as caught:
        exact_row(header, SPARSE, row(), field="--from-checkpoint")
    assert caught.value.value == str(tmp_path / "model.safetensors")


def test_stacked_experts_and_old_names_of_vl_models_are_understood(tmp_path: Path) -> None:
    model = MODELS["sparse vl"]
    tensors = []
    for tensor in checkpoint_of(model, BF16):
        if ".experts." in tensor.name:
            continue
        old = tensor.name.replace("model.visual.", "visual.")
        tensors.append(replace(tensor, name=old))
    stem = "model.language_model.layers.{}.mlp.experts"
    for layer in range(model.layers):
        name = stem.format(layer)
        tensors.append(FileTensor(f"{name}.gate_up_proj", "BF16", (4, 256, 256)))
        tensors.append(FileTensor(f"{name}.down_proj", "BF16", (4, 128, 256)))
    header = read_checkpoint(write_file(tmp_path / "model.safetensors", tensors))

    found = exact_row(header, model, row(), field="MODEL")

    assert (found.quantization, found.stored) == ("bf16", ())
    assert header.n_bytes == checkpoint_bytes(model, BF16)


def test_an_embedder_whose_names_lack_their_head_is_understood(tmp_path: Path) -> None:
    model = MODELS["pooling"]
    tensors = [
        replace(tensor, name=tensor.name.removeprefix("model."))
        for tensor in checkpoint_of(model, BF16)
    ]
    header = read_checkpoint(write_file(tmp_path / "model.safetensors", tensors))
    assert exact_row(header, model, row(), field="MODEL").tensor_bytes == header.n_bytes
