"""Headers of GGUF files: read exactly, and believed nothing of."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.resolving import resolve_model
from qwen3_planner.checkpoints.gguf import read_gguf
from qwen3_planner.checkpoints.gguf_model import FILE_TYPES, gguf_as_model, with_gguf
from qwen3_planner.errors import SpecError
from qwen3_planner.sizing.ggml_types import TYPES
from qwen3_planner.sizing.gguf import known_file_types, stored_tensors, tensor_bytes
from support.depth import examples
from support.gguf_files import write_gguf
from support.gguf_geometries import GEOMETRIES, NARROW, NARROW_EXPERTS, a_model

if TYPE_CHECKING:
    from pathlib import Path

    from qwen3_planner.catalog.rows import ModelArchitecture


@pytest.mark.parametrize("model", GEOMETRIES, ids=lambda model: model.name)
def test_tensors_are_read_as_they_were_written(model: ModelArchitecture, tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf", model)
    header = read_gguf(path)
    read = {(each.name, each.kind.name, each.n_bytes) for each in header.tensors}
    assert read == {
        (each.tensor.name, each.kind.name, each.n_bytes) for each in stored_tensors(model, "Q4_K_M")
    }
    assert header.file_bytes == path.stat().st_size
    assert header.metadata["general.file_type"] == 15


@pytest.mark.parametrize("model", GEOMETRIES, ids=lambda model: model.name)
def test_the_architecture_is_read_off_the_header(model: ModelArchitecture, tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "mine.gguf", model)
    resolved = gguf_as_model(str(path), load_catalog())
    found = resolved.catalog.model("mine")
    same = {"name": "mine", "source": found.source, "as_of": found.as_of}
    ignored = {
        "stores_lm_head": found.stores_lm_head,
        "rotary_share": 1.0,
        "intermediate_size": found.intermediate_size if model.is_moe else model.intermediate_size,
    }
    assert found == replace(model, **same, **ignored)
    assert resolved.quantization == "gguf:Q4_K_M"
    assert resolved.source == f"file://{path}"


def test_all_parts_of_a_split_file_are_read_from_any_of_them(tmp_path: Path) -> None:
    whole = read_gguf(write_gguf(tmp_path / "whole.gguf", NARROW))
    first = write_gguf(tmp_path / "split.gguf", NARROW, split_tensors=50)
    parts = sorted(tmp_path.glob("split-*.gguf"))
    assert len(parts) == 4
    assert first == parts[0]
    for part in parts:
        header = read_gguf(part)
        assert {each.name for each in header.tensors} == {each.name for each in whole.tensors}
        assert header.file_bytes == sum(each.stat().st_size for each in parts)
        assert header.metadata["general.architecture"] == "qwen3"
    parts[2].unlink()
    with pytest.raises(SpecError, match="00003-of-00004"):
        read_gguf(parts[0])


def test_long_arrays_are_passed_over(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(NARROW.vocab_size)]
    header = read_gguf(write_gguf(tmp_path / "words.gguf", NARROW, tokens=words))
    assert header.metadata["tokenizer.ggml.tokens"].elements == NARROW.vocab_size  # type: ignore[union-attr]  # a length
    assert len(header.tensors) == 11 * NARROW.layers + 2


def test_a_file_is_planned_from_its_own_types(tmp_path: Path) -> None:
    model = a_model("Qwen3-0.6B")
    other = [
        replace(each, kind=TYPES["Q8_0"]) if each.tensor.role == "ffn_down" else each
        for each in stored_tensors(model, "Q4_K_M")
    ]
    path = write_gguf(tmp_path / "UD-Q4_K_XL.gguf", model, stored=other)
    named = resolve_model("Qwen3-0.6B", load_catalog())
    resolved = with_gguf(named, str(path), field="--from-checkpoint")
    (row,) = (row for row in resolved.catalog.checkpoints if row.gguf is not None)
    assert row.tensor_bytes == sum(each.n_bytes for each in other)
    assert row.tensor_bytes > tensor_bytes(model, "Q4_K_M")
    assert row.gguf is not None
    assert row.gguf.file_bytes == path.stat().st_size


def test_a_file_of_another_model_is_refused(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "small.gguf", NARROW)
    named = resolve_model("Qwen3-0.6B", load_catalog())
    with pytest.raises(SpecError, match="hidden_size is 320, not 1024") as caught:
        with_gguf(named, str(path), field="--from-checkpoint")
    assert caught.value.field == "--from-checkpoint"


def test_file_types_of_the_header_are_those_that_are_sized() -> None:
    assert set(FILE_TYPES.values()) == set(known_file_types())


def refusal_of(content: bytes, tmp_path: Path) -> str:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read_gguf(path)
    assert caught.value.field == "--from-checkpoint"
    assert caught.value.value == str(path)
    return caught.value.reason


HEAD = b"GGUF" + struct.pack("<I", 3)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def one_tensor(
    shape: tuple[int, ...] = (256,), kind: int = 0, offset: int = 0, name: str = "a"
) -> bytes:
    sides = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + sides + struct.pack("<IQ", kind, offset)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it has 0 bytes"),
        (b"PK\x03\x04 a zip archive", "does not begin with its magic"),
        (b"GGUF" + struct.pack("<I", 1) + bytes(16), "has version 1"),
        (b"GGUF" + struct.pack(">I", 3) + bytes(16), "is big endian"),
        (HEAD, "ends after 8 bytes"),
        (HEAD + struct.pack("<QQ", 2**60, 0), f"states {2**60} tensors"),
        (HEAD + struct.pack("<QQ", 0, 2**62), f"states {2**62} values"),
        (HEAD + struct.pack("<QQQ", 0, 1, 2**63) + bytes(32), "bytes of a string"),
        (HEAD + struct.pack("<QQ", 0, 1) + text("k") + struct.pack("<I", 99), "type 99"),
        (
            HEAD + struct.pack("<QQ", 0, 1) + text("k") + struct.pack("<IIQ", 9, 4, 2**61),
            "elements of an array",
        ),
        (
            HEAD + struct.pack("<QQ", 0, 1) + text("k") + struct.pack("<IIQ", 9, 9, 1) + bytes(40),
            "type 9",
        ),
        (HEAD + struct.pack("<QQ", 0, 2) + 2 * (text("k") + struct.pack("<IB", 0, 1)), "twice"),
        (HEAD + struct.pack("<QQ", 1, 0) + one_tensor(kind=4) + bytes(2048), "type 4"),
        (HEAD + struct.pack("<QQ", 1, 0) + one_tensor((0,)) + bytes(2048), "shape [0]"),
        (HEAD + struct.pack("<QQ", 1, 0) + one_tensor((2**40,) * 3) + bytes(99), "which is none"),
        (HEAD + struct.pack("<QQ", 1, 0) + one_tensor((1,) * 5) + bytes(99), "5 dimensions"),
        (HEAD + struct.pack("<QQ", 1, 0) + one_tensor((255,), 12) + bytes(999), "multiple of 256"),
        (HEAD + struct.pack("<QQ", 1, 0) + one_tensor(offset=7) + bytes(2048), "no multiple"),
        (HEAD + struct.pack("<QQ", 1, 0) + one_tensor() + bytes(64), "is cut off"),
        (
            HEAD + struct.pack("<QQ", 2, 0) + one_tensor() + one_tensor(name="b") + bytes(4096),
            "inside",
        ),
        (HEAD + struct.pack("<QQ", 2, 0) + 2 * one_tensor() + bytes(4096), "a tensor twice"),
        (
            HEAD + struct.pack("<QQ", 0, 1) + text("general.alignment") + struct.pack("<II", 4, 33),
            "alignment 33",
        ),
    ],
)
def test_a_damaged_or_hostile_file_is_bad_input(content: bytes, said: str, tmp_path: Path) -> None:
    assert said in refusal_of(content, tmp_path)


@settings(max_examples=examples(80), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_breaks_the_reader(tmp_path: Path, data: st.DataObject) -> None:
    whole = tmp_path / "whole.gguf"
    if not whole.exists():
        write_gguf(whole, NARROW)
    content = bytearray(whole.read_bytes()[:12_000])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.gguf"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(SpecError):  # and nothing else: some damage leaves a shorter, whole header
        assert read_gguf(path).file_bytes == path.stat().st_size


@pytest.mark.parametrize("name", ["missing.gguf", "folder.gguf", "a\x00b.gguf"])
def test_what_is_no_file_is_bad_input(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.gguf").mkdir()
    with pytest.raises(SpecError, match="cannot be read"):
        read_gguf(f"{tmp_path}/{name}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"general.architecture": "llama"}, "llama"),
        ({"qwen3.block_count": 0}, "block_count"),
        ({"qwen3.block_count": 17}, "lacks the tensor blk.16"),
        ({"qwen3.embedding_length": "wide"}, "embedding_length"),
        ({"qwen3.attention.key_length": 128}, "attn_k.weight"),
    ],
)
def test_figures_that_make_no_sense_are_bad_input(
    change: dict[str, object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_gguf(tmp_path / "model.gguf", NARROW)
    header = read_gguf(path)
    wrong = replace(header, metadata={**header.metadata, **change})  # type: ignore[arg-type]  # what a file could hold
    monkeypatch.setattr("qwen3_planner.checkpoints.gguf_model.read_gguf", lambda *_, **__: wrong)
    with pytest.raises(SpecError, match=said):
        gguf_as_model(str(path), load_catalog())


def test_experts_are_summed_apart(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "experts.gguf", NARROW_EXPERTS)
    resolved = gguf_as_model(str(path), load_catalog())
    (row,) = (row for row in resolved.catalog.checkpoints if row.gguf is not None)
    assert row.gguf is not None
    assert all(0 < experts < size for size, experts, _ in row.gguf.layers)
