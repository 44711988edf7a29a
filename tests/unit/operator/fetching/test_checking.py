"""Adapters are looked over before an engine loads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from qwen3_operator.__main__ import main
from qwen3_operator.fetching.checking import check_adapters
from qwen3_operator.fetching.problems import UnfitError

if TYPE_CHECKING:
    from pathlib import Path


def adapter(
    folder: Path,
    weights: str = "adapter_model.safetensors",
    **config: Any,  # noqa: ANN401 - as PEFT writes it
) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"r": 16, **config}))
    (folder / weights).write_bytes(b"x")
    return folder


def why(path: Path, engine: str = "vllm") -> str:
    with pytest.raises(UnfitError) as caught:
        check_adapters({"support": path}, engine, 16)
    return str(caught.value)


def test_adapters_that_fit_are_counted(tmp_path: Path) -> None:
    places = {name: adapter(tmp_path / name) for name in ("a", "b")}
    assert check_adapters(places, "vllm", 16) == "2 adapters fit."


def test_a_larger_rank_is_told_with_the_field_that_mends_it(tmp_path: Path) -> None:
    told = why(adapter(tmp_path / "a", r=64))
    assert told == (
        "support: its rank is 64, and slots hold 16; say rank: 64 in spec.lora.adapters, or raise"
        " spec.lora.maxLoraRank."
    )


def test_the_largest_rank_of_any_layer_counts(tmp_path: Path) -> None:
    assert "its rank is 32" in why(adapter(tmp_path / "a", rank_pattern={"q_proj": 32}))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"lora_bias": True}, "biases"),
        ({"r": None}, "names no rank"),
        ({"r": "16"}, "names no rank"),
    ],
)
def test_what_no_engine_serves_is_named(tmp_path: Path, config: dict[str, Any], told: str) -> None:
    assert told in why(adapter(tmp_path / "a", **config))


def test_a_folder_without_an_adapter_is_told(tmp_path: Path) -> None:
    assert "no LoRA adapter is there" in why(tmp_path)
    (tmp_path / "adapter_config.json").write_text("{")
    assert "no LoRA adapter is there" in why(tmp_path)


def test_a_folder_without_matrices_is_told(tmp_path: Path) -> None:
    assert "has none of adapter_model.safetensors" in why(adapter(tmp_path / "a", "other.bin"))


def test_llamacpp_takes_gguf_files_of_any_rank(tmp_path: Path) -> None:
    file = tmp_path / "adapter.gguf"
    file.write_bytes(b"GGUF" + bytes(20))
    assert check_adapters({"a": file}, "llamacpp", 1) == "1 adapters fit."
    file.write_bytes(b"PK")
    assert "convert_lora_to_gguf.py" in why(file, "llamacpp")
    assert "No such file" in why(tmp_path / "gone", "llamacpp")


def test_the_command_ends_with_a_code_and_last_words(tmp_path: Path) -> None:
    words = tmp_path / "words"
    places = [f"a={adapter(tmp_path / 'a')}", f"b={adapter(tmp_path / 'b', r=64)}"]
    given = ["check-adapters", "--max-rank", "16", "--message-file", str(words), *places]
    ended = CliRunner().invoke(main, given)
    assert ended.exit_code == 46
    assert words.read_text().startswith("b: its rank is 64")
