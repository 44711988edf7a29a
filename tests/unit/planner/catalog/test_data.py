"""The catalog's figures against what is known of them otherwise."""

from __future__ import annotations

import re
from datetime import date

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.rows import Accelerator, AcceleratorClass, ModelArchitecture
from qwen3_planner.request import EngineName, Quantization
from qwen3_planner.sizing.files import checkpoint_bytes
from qwen3_planner.sizing.formats import BF16
from qwen3_planner.sizing.modules import active_parameters, parameters, prediction_modules

CATALOG = load_catalog()
ROWS = (*CATALOG.models, *CATALOG.checkpoints, *CATALOG.accelerators, *CATALOG.engines)
GPUS = [row for row in CATALOG.accelerators if row.device_class is AcceleratorClass.GPU]

DENSE = {
    "0.6B": 596_049_920,
    "1.7B": 1_720_574_976,
    "4B": 4_022_468_096,
    "8B": 8_190_735_360,
    "14B": 14_768_307_200,
    "32B": 32_762_123_264,
    "30B-A3B": 30_532_122_624,
    "235B-A22B": 235_093_634_560,
}
VL = {
    "2B": 2_127_532_032,
    "4B": 4_437_815_808,
    "8B": 8_767_123_696,
    "32B": 33_357_390_064,
    "30B-A3B": 31_070_754_032,
    "235B-A22B": 235_670_022_896,
}
KINDS = ("Instruct", "Thinking")
SPLIT = ("4B", "30B-A3B", "235B-A22B")
NEXT_WITH_PREDICTION = 81_324_862_720

PARAMETERS = {
    **{f"Qwen3-{size}": count for size, count in DENSE.items()},
    **{f"Qwen3-{size}-{kind}-2507": DENSE[size] for size in SPLIT for kind in KINDS},
    "Qwen3-Coder-30B-A3B-Instruct": 30_532_122_624,
    "Qwen3-Coder-480B-A35B-Instruct": 480_154_875_392,
    **{f"Qwen3-VL-{size}-{kind}": count for size, count in VL.items() for kind in KINDS},
    **{f"Qwen3-Next-80B-A3B-{kind}": 79_674_391_296 for kind in KINDS},
    "Qwen3-Embedding-0.6B": 595_776_512,
    "Qwen3-Embedding-4B": 4_021_774_336,
    "Qwen3-Embedding-8B": 7_567_295_488,
    "Qwen3-Reranker-0.6B": 595_776_512,
    "Qwen3-Reranker-4B": 4_021_784_576,
    "Qwen3-Reranker-8B": 8_188_548_096,
}
"""Published counts, those of the hub for its files; prediction layers apart."""

ACTIVE = {
    "Qwen3-30B-A3B": 3_353_032_704,
    "Qwen3-235B-A22B": 22_190_763_520,
    "Qwen3-Coder-480B-A35B-Instruct": 35_474_765_312,
}


@pytest.mark.parametrize("row", CATALOG.models, ids=lambda row: row.name)
def test_each_architecture_has_the_published_number_of_parameters(row: ModelArchitecture) -> None:
    assert parameters(row) == PARAMETERS[row.name]


@pytest.mark.parametrize(("name", "count"), ACTIVE.items())
def test_a_token_passes_the_published_number_of_parameters(name: str, count: int) -> None:
    assert active_parameters(CATALOG.model(name)) == count


def test_next_has_the_hubs_number_with_the_layer_that_predicts_ahead() -> None:
    row = CATALOG.model("Qwen3-Next-80B-A3B-Instruct")
    ahead = sum(module.elements for module in prediction_modules(row))
    assert parameters(row) + ahead == NEXT_WITH_PREDICTION


def test_all_variants_are_there_and_nothing_else() -> None:
    assert {row.name for row in CATALOG.models} == set(PARAMETERS)


def test_head_dim_is_the_configs_not_hidden_over_heads() -> None:
    assert {row.head_dim for row in CATALOG.models if not row.is_hybrid} == {128}
    assert {row.head_dim for row in CATALOG.models if row.is_hybrid} == {256}
    differing = {r.name for r in CATALOG.models if r.hidden_size // r.attention_heads != r.head_dim}
    small = {f"Qwen3-{size}" for size in ("0.6B", "4B", "32B", "30B-A3B", "235B-A22B")}
    assert differing & {f"Qwen3-{size}" for size in DENSE} == small


def test_one_layer_in_four_of_a_hybrid_model_has_a_kv_cache() -> None:
    row = CATALOG.model("Qwen3-Next-80B-A3B-Thinking")
    assert [layer for layer in range(8) if row.has_full_attention(layer)] == [3, 7]
    assert row.full_attention_layers() == 12
    assert [row.full_attention_layers(first, first + 6) for first in (0, 2, 42)] == [1, 2, 2]
    assert CATALOG.model("Qwen3-8B").full_attention_layers() == 36


def test_pooling_models_are_the_embedders_and_the_rerankers() -> None:
    pooling = {row.name for row in CATALOG.models if row.is_pooling}
    kinds = {
        f"Qwen3-{kind}-{s}" for kind in ("Embedding", "Reranker") for s in ("0.6B", "4B", "8B")
    }
    assert pooling == kinds


def test_each_variant_has_the_checkpoints_that_qwen_published() -> None:
    rows = [row for row in CATALOG.checkpoints if row.official]
    published = {(row.variant, row.quantization) for row in rows if not row.file}

    generating = [row.name for row in CATALOG.models if not row.is_pooling]
    plain = {(name, "bf16") for name in PARAMETERS}
    fp8 = {(name, "fp8") for name in generating}
    awq = {(f"Qwen3-{size}", "awq-int4") for size in ("4B", "8B", "14B", "32B")}
    gptq = {(name, "gptq-int4") for name in ("Qwen3-30B-A3B", "Qwen3-235B-A22B")}
    int8 = {(name, "gptq-int8") for name in ("Qwen3-0.6B", "Qwen3-1.7B")}
    assert published == plain | fp8 | awq | gptq | int8
    files = {(row.variant, row.quantization): row.file for row in rows if row.file}
    assert files["Qwen3-8B", "gguf:Q4_K_M"] == "Qwen3-8B-Q4_K_M.gguf"
    assert all(name.endswith(".gguf") for name in files.values())


def test_checkpoints_name_known_variants_and_quantizations() -> None:
    for row in CATALOG.checkpoints:
        assert row.variant in PARAMETERS
        assert Quantization(row.quantization) is not Quantization.AUTO
        assert row.uri.startswith("hf://")
        assert bool(row.file) == row.quantization.startswith("gguf:")
        assert row.official == row.uri.startswith("hf://Qwen/") or "PerTensor" in row.uri


def test_each_format_has_the_shape_it_needs_and_no_other() -> None:
    grouped = {"awq-int4", "gptq-int4", "gptq-int8", "nvfp4"}
    for row in CATALOG.checkpoints:
        has_blocks = row.quantization == "fp8" and "dynamic" not in row.uri
        assert (row.block_size != (0, 0)) == has_blocks
        assert (row.group_size > 0) == (row.quantization in grouped)
        assert row.has_zero_points == (row.quantization == "awq-int4")
        assert row.kv_cache_dtype == ("fp8" if row.method == "modelopt" else "")


def test_sixteen_bit_files_of_relatives_weigh_what_their_parameters_do() -> None:
    for row in CATALOG.models:
        stored = PARAMETERS[row.name] + sum(m.elements for m in prediction_modules(row))
        head = row.vocab_size * row.hidden_size
        if row.tied_embeddings and row.stores_lm_head:
            stored += head
        assert checkpoint_bytes(row, BF16) == 2 * stored


def test_the_8b_awq_files_have_the_published_size() -> None:
    """5.68 GiB: kaito-project/kaito @056b828 generator_test.go; the group size follows from it."""
    row = CATALOG.model("Qwen3-8B")
    (awq,) = [c for c in CATALOG.checkpoints_of("Qwen3-8B") if c.quantization == "awq-int4"]
    linear = parameters(row) - 2 * row.vocab_size * row.hidden_size
    bits = 4 + (16 + 4) / awq.group_size
    size_gib = (linear * bits / 8 + 2 * row.vocab_size * row.hidden_size * 2) / 2**30

    assert size_gib == pytest.approx(5.68, abs=0.01)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_row_says_where_and_when_it_was_read(row: Accelerator) -> None:
    assert "https://" in row.source
    assert date.fromisoformat(row.as_of) <= date(2026, 11, 30)
    for word in ("not linkable", "from memory", "unverified", "public log"):
        assert word not in row.source


@pytest.mark.parametrize("row", CATALOG.accelerators, ids=lambda row: row.name)
def test_accelerator_names_say_product_and_gigabytes(row: Accelerator) -> None:
    assert re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*-\d+GB", row.name)
    named = int(row.name.rpartition("-")[2].removesuffix("GB"))
    # vendors' gigabytes are binary, decimal or rounded: 141 GB are 143771 MiB = 150.8e9 bytes
    assert row.memory_mib / 1024 == pytest.approx(named, rel=0.08)


@pytest.mark.parametrize("row", CATALOG.accelerators, ids=lambda row: row.name)
def test_a_process_sees_less_than_there_is_and_the_source_says_why(row: Accelerator) -> None:
    assert 0.5 * row.memory_mib < row.usable_memory_mib < row.memory_mib
    assert 0 < row.usable_relative_error <= 0.12
    stated = re.search(r"\d GiB", row.usable_source) and "https://" in row.usable_source
    assert stated or row.usable_source.startswith("derived: ")


@pytest.mark.parametrize("row", GPUS, ids=lambda row: row.name)
def test_a_stated_usable_memory_is_the_one_in_the_source(row: Accelerator) -> None:
    stated = [float(g) for g in re.findall(r"(\d+\.\d+) GiB", row.usable_source)]
    if stated and "derived" not in row.usable_source:
        nearest = min(abs(row.usable_memory_mib / 1024 - g) / g for g in stated)
        assert nearest <= row.usable_relative_error + 1e-4


@pytest.mark.parametrize("row", GPUS, ids=lambda row: row.name)
def test_gpus_have_what_a_cluster_and_the_rules_ask_for(row: Accelerator) -> None:
    assert row.product_labels
    assert row.resource == {"nvidia": "nvidia.com/gpu", "amd": "amd.com/gpu"}[row.vendor]
    assert (row.compute_capability is not None) == (row.vendor == "nvidia")
    assert row.memory_gb_per_s >= 250


def test_rates_that_a_generation_lacks_are_absent() -> None:
    for row in GPUS:
        if row.architecture in ("turing", "ampere"):
            assert row.fp8_tflops is None
        if row.architecture != "blackwell":
            assert row.fp4_tflops is None
    assert CATALOG.accelerator("T4-16GB").bf16_tflops is None


@pytest.mark.parametrize(
    "name",
    ["H100-SXM-80GB", "H100-PCIe-80GB", "H200-SXM-141GB", "A100-SXM-40GB", "A100-SXM-80GB",
     "L4-24GB", "L40S-48GB", "A10G-24GB", "T4-16GB", "RTX-3090-24GB", "RTX-4090-24GB",
     "RTX-5090-32GB", "RTX-PRO-6000-96GB", "H20-96GB", "H20-141GB", "H800-SXM-80GB",
     "B200-SXM-180GB", "GB200-186GB", "MI300X-192GB", "Apple-M2-Pro-32GB", "RaspberryPi5-8GB"],
)  # fmt: skip
def test_the_accelerators_of_the_documentation_are_there(name: str) -> None:
    assert CATALOG.accelerator(name).name == name


RELEASES = {
    "vllm": ("0.8.4", "0.32.0", "vllm/vllm-openai:v0.32.0"),
    "sglang": ("0.4.6.post1", "0.5.23", "lmsysorg/sglang:v0.5.23"),
    "llamacpp": ("b5092", "b11549", "ghcr.io/ggml-org/llama.cpp:server-cuda12-b11549"),
}


@pytest.mark.parametrize("name", [name.value for name in EngineName if name.value != "auto"])
def test_every_engine_has_a_release_and_an_image(name: str) -> None:
    release = CATALOG.engine(name)
    minimum, default, image = RELEASES[name]

    assert dict(release.images)["nvidia"].format(version=release.default_version) == image
    assert (release.minimum_version, release.default_version) == (minimum, default)
