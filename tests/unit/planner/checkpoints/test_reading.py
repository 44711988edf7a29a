"""Headers of safetensors files: true ones, and what a hostile or broken download holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.checkpoints.reading import read_checkpoint
from qwen3_planner.errors import SpecError
from qwen3_planner.sizing.files import FileTensor
from support.safetensors_files import header_of, write_file, write_folder, write_raw

if TYPE_CHECKING:
    from pathlib import Path

TWO = [FileTensor("a.weight", "BF16", (4, 8)), FileTensor("b.weight", "F8_E4M3", (16,))]


def refused(path: Path, field: str = "--from-checkpoint") -> SpecError:
    with pytest.raises(SpecError) as caught:
        read_checkpoint(path, field=field)
    assert caught.value.field == field
    return caught.value


def test_a_file_tells_its_tensors_in_the_order_of_its_data(tmp_path: Path) -> None:
    header = read_checkpoint(write_file(tmp_path / "model.safetensors", TWO))

    assert [(t.name, t.dtype, t.shape, t.n_bytes) for t in header.tensors] == [
        ("a.weight", "BF16", (4, 8), 64),
        ("b.weight", "F8_E4M3", (16,), 16),
    ]
    assert header.n_bytes == 80


def test_a_header_in_another_order_than_the_data_is_sorted(tmp_path: Path) -> None:
    entries = header_of(TWO)
    turned = dict(reversed(entries.items()))
    path = write_raw(tmp_path / "x.safetensors", json.dumps(turned).encode(), 80)

    assert [tensor.name for tensor in read_checkpoint(path).tensors] == ["a.weight", "b.weight"]


@pytest.mark.parametrize("shards", [1, 2])
def test_a_folder_is_read_with_or_without_an_index(tmp_path: Path, shards: int) -> None:
    header = read_checkpoint(str(write_folder(tmp_path / "model", TWO, shards)))

    assert {tensor.name for tensor in header.tensors} == {"a.weight", "b.weight"}
    assert header.n_bytes == 80


def test_files_that_the_index_does_not_name_are_left_out(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", TWO, 2)
    write_file(folder / "consolidated.safetensors", TWO)

    assert read_checkpoint(folder).n_bytes == 80


def test_an_empty_tensor_takes_no_bytes(tmp_path: Path) -> None:
    tensors = [FileTensor("a", "F32", (0, 4)), FileTensor("b", "F32", ())]
    assert read_checkpoint(write_file(tmp_path / "x.safetensors", tensors)).n_bytes == 4


@pytest.mark.parametrize("claimed", [2**63, 100_000_001, 3, 10**9])
def test_a_header_that_claims_more_than_there_is_is_refused_unread(
    tmp_path: Path, claimed: int
) -> None:
    path = write_raw(tmp_path / "x.safetensors", b"{}", 0, claimed=claimed)
    error = refused(path)
    assert str(claimed) in error.reason
    assert error.value == str(path)


@pytest.mark.parametrize("size", [0, 1, 7])
def test_a_file_shorter_than_a_length_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"\x00" * size)
    assert f"{size} bytes" in refused(path).reason


@pytest.mark.parametrize("missing", [1, 80])
def test_a_download_that_broke_off_is_refused(tmp_path: Path, missing: int) -> None:
    path = write_file(tmp_path / "x.safetensors", TWO)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - missing)
    assert "is not complete" in refused(path).reason


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{", b"\xff\xfe", b'{"a": 1, "a": 2}', b"[" * 100_000, b'"x"'],
    ids=["empty", "list", "open", "binary", "twice", "deep", "text"],
)
def test_a_header_that_is_no_object_is_refused(tmp_path: Path, text: bytes) -> None:
    assert "header" in refused(write_raw(tmp_path / "x.safetensors", text, 0)).reason


@pytest.mark.parametrize(
    "change",
    [
        {"data_offsets": [0, 63]},
        {"data_offsets": [64, 0]},
        {"data_offsets": [0]},
        {"data_offsets": [0, 64, 64]},
        {"data_offsets": [-64, 0]},
        {"data_offsets": "0-64"},
        {"shape": [-4, -8]},
        {"shape": [4.0, 8]},
        {"shape": [True, 32]},
        {"shape": [2**60, 0]},
        {"shape": [1] * 9},
        {"shape": None},
        {"dtype": "BF15"},
        {"dtype": ["BF16"]},
        {"dtype": "F4"},
    ],
    ids=str,
)
def test_an_entry_that_makes_no_sense_is_refused_by_its_name(
    tmp_path: Path, change: dict[str, object]
) -> None:
    header = header_of(TWO)
    entry = {"dtype": "BF16", "shape": [4, 8], "data_offsets": [0, 64]}
    text = json.dumps({**header, "a.weight": entry | change}).encode()
    assert "a.weight" in refused(write_raw(tmp_path / "x.safetensors", text, 80)).reason


@pytest.mark.parametrize(
    ("begin", "word"), [(0, "overlaps"), (48, "overlaps"), (72, "leaves a gap")]
)
def test_tensors_that_overlap_or_leave_a_gap_are_refused(
    tmp_path: Path, begin: int, word: str
) -> None:
    header = header_of(TWO)
    header["b.weight"] = {"dtype": "F8_E4M3", "shape": [16], "data_offsets": [begin, begin + 16]}
    path = write_raw(tmp_path / "x.safetensors", json.dumps(header).encode(), 88)
    assert word in refused(path).reason


def test_data_that_no_tensor_names_is_refused(tmp_path: Path) -> None:
    text = json.dumps(header_of(TWO)).encode()
    assert "is not complete" in refused(write_raw(tmp_path / "x.safetensors", text, 81)).reason


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", TWO, 2)
    (folder / "model-00002-of-00002.safetensors").unlink()
    error = refused(folder, "MODEL")
    assert "model-00002-of-00002.safetensors" in error.reason
    assert "download" in error.reason


def test_a_shard_that_lacks_what_the_index_promises_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", TWO, 2)
    write_file(folder / "model-00002-of-00002.safetensors", TWO[:1])
    assert "lacks b.weight" in refused(folder).reason


@pytest.mark.parametrize("file", ["../model.safetensors", "/etc/passwd", "sub/x.safetensors", 3])
def test_an_index_cannot_lead_out_of_its_folder(tmp_path: Path, file: object) -> None:
    folder = write_folder(tmp_path / "model", TWO, 2)
    index = {"weight_map": {"a.weight": file}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "no file beside it" in refused(folder).reason


@pytest.mark.parametrize("text", ["", "{}", '{"weight_map": []}', '{"weight_map": {}}', "[1]"])
def test_a_broken_index_is_refused(tmp_path: Path, text: str) -> None:
    folder = write_folder(tmp_path / "model", TWO, 2)
    (folder / "model.safetensors.index.json").write_text(text)
    assert "index.json" in refused(folder).reason


def test_one_tensor_in_two_files_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", TWO)
    write_file(folder / "other.safetensors", TWO[1:])
    assert "b.weight" in refused(folder).reason


def test_no_weights_no_file_and_another_kind_of_file_say_so(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"")
    assert "no .safetensors file" in refused(tmp_path).reason
    assert "no file and no folder" in refused(tmp_path / "none").reason
    assert "is no .safetensors file" in refused(tmp_path / "model.bin").reason
