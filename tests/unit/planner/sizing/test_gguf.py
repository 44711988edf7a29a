"""Sizes of GGUF files against llama-quantize itself and against published files."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from qwen3_planner.request import Quantization
from qwen3_planner.sizing.gguf import (
    file_bytes,
    file_type_of,
    header_bytes,
    known_file_types,
    stored_tensors,
    tensor_bytes,
)
from qwen3_planner.sizing.gguf_mixes import (
    depends_on_importance_matrix,
    needs_importance_matrix,
)
from qwen3_planner.sizing.gguf_vision import encoder_file_bytes
from qwen3_planner.units import GIB, MIB
from support.gguf_geometries import CODER_480B, EIGHT, GEOMETRIES, NARROW, ODD, a_model

TENSOR_BYTES = {
    "0.6B": (390_753_280, 438_463_488, 489_155_584, 633_495_552),
    "1.7B": (1_101_457_408, 1_251_928_064, 1_411_803_136, 1_828_474_880),
    "4B": (2_491_323_904, 2_883_556_864, 3_300_304_384, 4_274_448_384),
    "8B": (5_021_827_072, 5_845_155_840, 6_719_942_656, 8_703_561_728),
    "14B": (8_995_793_920, 10_508_610_560, 12_115_978_240, 15_692_574_720),
    "32B": (19_756_174_336, 23_208_856_576, 26_877_331_456, 34_811_744_256),
    "30B-A3B": (18_550_716_416, 21_719_611_392, 25_086_562_304, 32_477_962_240),
    "235B-A22B": (142_148_069_376, 166_808_152_064, 193_009_489_920, 249_934_100_480),
}
"""Of Q4_K_M, Q5_K_M, Q6_K and Q8_0."""

PUBLISHED_BYTES = (
    # Qwen's own uploads; the sizes are pinned beside a SHA-256 in public programs.
    ("0.6B", "Q8_0", 639_446_688),  # Qwen/Qwen3-0.6B-GGUF@23749fe
    ("1.7B", "Q8_0", 1_834_426_016),  # Qwen/Qwen3-1.7B-GGUF@90862c4
    ("4B", "Q4_K_M", 2_497_280_256),  # Qwen/Qwen3-4B-GGUF
    ("8B", "Q4_K_M", 5_027_783_488),  # Qwen/Qwen3-8B-GGUF@7c41481
    ("14B", "Q4_K_M", 9_001_752_960),  # Qwen/Qwen3-14B-GGUF@530227a
)

VISION_BYTES = (
    # Qwen's own uploads; their header says a little more than that of a model of text alone.
    ("2B-Instruct", "Q4_K_M", 1_107_409_952),
    ("2B-Instruct", "Q8_0", 1_834_427_424),
    ("4B-Instruct", "Q4_K_M", 2_497_281_664),
    ("4B-Instruct", "Q8_0", 4_280_406_144),
    ("8B-Instruct", "Q4_K_M", 5_027_784_800),
    ("8B-Instruct", "Q8_0", 8_709_519_456),
    ("8B-Instruct", "F16", 16_388_044_896),
    ("8B-Thinking", "Q8_0", 8_709_519_360),
    ("32B-Instruct", "Q4_K_M", 19_762_150_432),
    ("32B-Thinking", "Q4_K_M", 19_762_150_336),
    ("30B-A3B-Instruct", "Q4_K_M", 18_556_687_168),
    ("30B-A3B-Instruct", "Q8_0", 32_483_932_992),
)

ENCODER_BYTES = (
    # mmproj-Qwen3VL-*.gguf of the same repositories
    ("4B-Instruct", "F16", 836_180_256),
    ("8B-Instruct", "F16", 1_159_029_824),
    ("8B-Instruct", "Q8_0", 752_289_728),
    ("32B-Instruct", "F16", 1_196_795_040),
    ("32B-Instruct", "Q8_0", 772_360_224),
    ("30B-A3B-Instruct", "F16", 1_083_499_584),
    ("30B-A3B-Instruct", "Q8_0", 712_148_928),
)

NEXT_BYTES = (
    # Made by a converter that still kept two of the matrices of linear attention in one.
    ("Instruct", "Q4_K_M", 48_410_988_384),
    ("Thinking", "Q4_K_M", 48_410_989_824),
)

PUBLISHED_GIB = (
    # Two decimals, from public logs; stock files only.
    ("32B", "Q4_K_M", 19_762_150_048 / GIB),
    ("14B", "Q4_K_M", 9_001_753_984 / GIB),
    ("30B-A3B", "Q4_K_M", 18.56e9 / GIB),
    ("32B", "Q2_K", 11.49),
    ("32B", "Q6_K", 25.03),
    ("32B", "Q8_0", 32.42),
    ("4B", "Q5_K_M", 2.69),
    ("8B", "Q6_K", 6.26),
    ("1.7B", "Q4_K_M", 1.03),
    ("30B-A3B", "Q4_K_M", 17.28),
    ("30B-A3B", "Q4_K_S", 16.25),
    ("235B-A22B", "Q3_K_S", 94.47),
)

DRY_RUN = Path(__file__).with_name("llama_quantize_dry_run.csv")
"""Sizes that ``llama_model_quantize`` of llama.cpp b11549 states in a dry run over files of these
geometries (``quant size = … MiB``); with an importance matrix only where that changes the size."""


def dry_runs() -> list[dict[str, str]]:
    with DRY_RUN.open(encoding="ascii") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("size", TENSOR_BYTES)
def test_tensor_bytes_are_exact(size: str) -> None:
    model = a_model(f"Qwen3-{size}")
    types = ("Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0")
    assert tuple(tensor_bytes(model, name) for name in types) == TENSOR_BYTES[size]


@pytest.mark.parametrize("model", GEOMETRIES, ids=lambda model: model.name)
def test_every_file_type_is_as_large_as_llama_quantize_makes_it(model: object) -> None:
    by_name = {each.name: each for each in GEOMETRIES}
    rows = [row for row in dry_runs() if by_name[row["model"]] == model]
    assert {row["file_type"] for row in rows} == set(known_file_types())
    for row in rows:
        n_bytes = tensor_bytes(
            by_name[row["model"]], row["file_type"], with_imatrix=row["with_imatrix"] == "1"
        )
        stated = float(row["tensor_mib"])
        assert n_bytes / MIB == pytest.approx(stated, abs=0.0051), row["file_type"]


def test_a_matrix_changes_the_size_only_where_that_is_said() -> None:
    changed = {row["file_type"] for row in dry_runs() if row["with_imatrix"] == "1"}
    assert changed == {name for name in known_file_types() if depends_on_importance_matrix(name)}


def test_file_types_that_need_a_matrix_are_those_that_llama_quantize_refuses_without() -> None:
    refused = {
        row["file_type"]
        for row in dry_runs()
        if row["model"] == "Qwen3-32B" and row["refused_without_imatrix"] == "1"
    }
    assert refused == {name for name in known_file_types() if needs_importance_matrix(name)}


@pytest.mark.parametrize(("size", "file_type", "published"), PUBLISHED_BYTES)
def test_qwens_own_dense_files_are_exact_to_the_byte(
    size: str, file_type: str, published: int
) -> None:
    assert file_bytes(a_model(f"Qwen3-{size}"), file_type) == published


@pytest.mark.parametrize(("name", "file_type", "published"), VISION_BYTES)
def test_qwens_own_files_of_models_that_see_are_as_large(
    name: str, file_type: str, published: int
) -> None:
    ours = file_bytes(a_model(f"Qwen3-VL-{name}"), file_type)
    assert 0 <= published - ours <= 1408


@pytest.mark.parametrize(("name", "file_type", "published"), ENCODER_BYTES)
def test_qwens_own_image_encoders_are_as_large(name: str, file_type: str, published: int) -> None:
    vision = a_model(f"Qwen3-VL-{name}").vision
    assert vision is not None
    assert 0 <= published - encoder_file_bytes(vision, file_type) <= 112


@pytest.mark.parametrize(("name", "file_type", "published"), NEXT_BYTES)
def test_qwens_own_hybrid_files_are_of_an_older_converter(
    name: str, file_type: str, published: int
) -> None:
    ours = file_bytes(a_model(f"Qwen3-Next-80B-A3B-{name}"), file_type)
    assert ours == pytest.approx(published, rel=0.002)


@pytest.mark.parametrize(("size", "file_type", "published_gib"), PUBLISHED_GIB)
def test_other_stock_files_are_within_half_a_percent(
    size: str, file_type: str, published_gib: float
) -> None:
    n_bytes = file_bytes(a_model(f"Qwen3-{size}"), file_type)
    assert n_bytes / GIB == pytest.approx(published_gib, rel=0.005)


def test_a_stored_head_counts_where_the_embedding_is_not_shared() -> None:
    stored = replace(a_model("Qwen3-1.7B"), tied_embeddings=False)
    assert file_bytes(stored, "Q4_K_M") / GIB == pytest.approx(1.19, abs=0.006)


def test_every_gguf_quantization_of_the_request_has_a_mix() -> None:
    asked = {file_type_of(each) for each in Quantization if each.is_gguf}
    assert asked == set(known_file_types())


def test_a_format_that_is_no_gguf_has_no_file_type() -> None:
    with pytest.raises(ValueError, match="awq-int4"):
        file_type_of(Quantization.AWQ_INT4)


def test_norms_and_routers_stay_f32_in_every_file_type() -> None:
    for file_type in known_file_types():
        for stored in stored_tensors(a_model("Qwen3-30B-A3B"), file_type):
            is_small = len(stored.tensor.shape) == 1 or stored.tensor.role == "ffn_gate_inp"
            assert (stored.kind.name == "F32") == is_small


def test_rows_that_no_block_divides_fall_back() -> None:
    kinds = {each.tensor.name: each.kind.name for each in stored_tensors(NARROW, "Q4_K_M")}
    assert kinds["blk.2.attn_q.weight"] == "Q5_0"
    assert kinds["token_embd.weight"] == "Q8_0"  # noqa: S105 - a tensor, no secret
    odd = {each.tensor.name: each.kind.name for each in stored_tensors(ODD, "Q4_K_M")}
    assert odd["blk.2.attn_q.weight"] == "F16"


def test_more_precise_types_are_never_smaller() -> None:
    ladder = ("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K", "IQ2_XS", "IQ1_S")
    for size in EIGHT:
        sizes = [file_bytes(a_model(f"Qwen3-{size}"), name) for name in ladder]
        assert sizes == sorted(sizes, reverse=True)


def test_header_is_the_tokenizer_and_a_description_of_each_tensor() -> None:
    assert 5_950_000 < header_bytes(a_model("Qwen3-0.6B")) < header_bytes(CODER_480B) < 6_010_000
