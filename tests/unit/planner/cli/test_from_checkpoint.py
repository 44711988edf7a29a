"""``qwen3 plan`` for weights on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.sizing.formats import BF16, format_of
from support.model_folders import config_of, write_config
from support.safetensors_files import checkpoint_of, write_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Run: TypeAlias = "Callable[..., tuple[int, str, str]]"

CATALOG = load_catalog()
HARDWARE = ("--hardware", "1xL40S-48GB", "-o", "json")


def fp8_with_a_plain_layer(folder: Path) -> Path:
    """Write a Qwen3-0.6B-FP8 whose first layer stayed at 16 bit."""
    model = CATALOG.model("Qwen3-0.6B")
    rows = CATALOG.checkpoints_of(model.name)
    row = next(row for row in rows if row.quantization == "fp8")
    mixed = replace(format_of(row), exceptions=(("model.layers.0", BF16),))
    details = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    write_config(folder, {**config_of(model), "quantization_config": details})
    return write_folder(folder, checkpoint_of(model, mixed), 2)


def test_a_folder_with_weights_is_planned_from_their_headers(qwen3: Run, tmp_path: Path) -> None:
    path = fp8_with_a_plain_layer(tmp_path / "mine")

    status, out, err = qwen3("plan", str(path), *HARDWARE)

    document = json.loads(out)
    assert (status, err, document["quantization"]) == (0, "", "fp8")
    files = sum(f.stat().st_size for f in path.glob("*.safetensors"))
    assert files * 0.999 <= document["memory"]["checkpointBytes"] < files


def test_an_official_name_is_planned_from_the_files_that_are_named(
    qwen3: Run, tmp_path: Path
) -> None:
    path = fp8_with_a_plain_layer(tmp_path / "mine")
    model = ("plan", "Qwen3-0.6B", "--source", "hf://Qwen/Qwen3-0.6B-FP8")

    _, exact, _ = qwen3(*model, "--from-checkpoint", str(path), *HARDWARE)
    _, usual, _ = qwen3(*model, *HARDWARE)

    exact_bytes, usual_bytes = (
        json.loads(text)["memory"]["checkpointBytes"] for text in (exact, usual)
    )
    layer = 1024 * 128 * 2 * (16 + 8) + 3 * 1024 * 3072
    assert 0.98 * layer <= exact_bytes - usual_bytes <= layer


def test_files_of_another_model_are_bad_input(qwen3: Run, tmp_path: Path) -> None:
    path = fp8_with_a_plain_layer(tmp_path / "mine")

    status, out, err = qwen3("plan", "Qwen3-8B", "--from-checkpoint", str(path), *HARDWARE)

    assert (status, out) == (2, "")
    assert err.startswith(f"error: --from-checkpoint: {path}: ")


def test_a_broken_download_in_a_folder_is_bad_input(qwen3: Run, tmp_path: Path) -> None:
    path = fp8_with_a_plain_layer(tmp_path / "mine")
    (path / "model-00002-of-00002.safetensors").unlink()

    status, _, err = qwen3("plan", str(path), *HARDWARE)

    assert status == 2
    assert "model-00002-of-00002.safetensors" in err
