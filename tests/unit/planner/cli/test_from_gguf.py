"""``qwen3 plan`` for a GGUF file on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.sizing.ggml_types import TYPES
from qwen3_planner.sizing.gguf import stored_tensors
from support.gguf_files import write_gguf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Run: TypeAlias = "Callable[..., tuple[int, str, str]]"

MODEL = load_catalog().model("Qwen3-0.6B")
HARDWARE = ("--hardware", "RaspberryPi5-8GB", "-o", "json")


def a_custom_mix(folder: Path) -> Path:
    """Write a file whose types follow no rule."""
    stored = [
        replace(each, kind=TYPES["Q8_0"]) if each.tensor.role == "attn_v" else each
        for each in stored_tensors(MODEL, "Q4_K_M")
    ]
    return write_gguf(folder / "mine-UD-Q4_K_XL.gguf", MODEL, stored=stored)


def test_a_file_alone_says_what_it_is(qwen3: Run, tmp_path: Path) -> None:
    path = a_custom_mix(tmp_path)
    for words in (("--from-checkpoint", str(path)), (str(path),)):
        status, out, err = qwen3("plan", *words, *HARDWARE)
        document = json.loads(out)
        assert (status, err) == (0, "")
        assert document["model"]["variant"] == "mine-UD-Q4_K_XL"
        assert document["engine"]["name"] == "llamacpp"
        assert document["memory"]["checkpointBytes"] == path.stat().st_size
        command = document["command"]
        assert command[command.index("--model") + 1] == str(path)


def test_a_named_model_takes_the_weights_of_the_file(qwen3: Run, tmp_path: Path) -> None:
    path = a_custom_mix(tmp_path)
    named = ("plan", "Qwen3-0.6B", "--source", "hf://me/mine-GGUF")
    status, out, _ = qwen3(*named, "--from-checkpoint", str(path), *HARDWARE)
    document = json.loads(out)
    assert status == 0
    assert document["model"]["variant"] == "Qwen3-0.6B"
    assert document["model"]["source"] == "hf://me/mine-GGUF"
    assert document["memory"]["checkpointBytes"] == path.stat().st_size
    assert document["provenance"]["memory.weights"]["relativeError"] == 0
    assert "header" in document["provenance"]["memory.weights"]["source"]


def test_a_file_of_another_model_is_bad_input(qwen3: Run, tmp_path: Path) -> None:
    path = a_custom_mix(tmp_path)
    status, out, err = qwen3("plan", "Qwen3-4B", "--from-checkpoint", str(path), *HARDWARE)
    assert (status, out) == (2, "")
    assert "--from-checkpoint" in err
    assert "hidden_size is 1024, not 2560" in err
