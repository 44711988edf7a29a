"""The catalog's figures against what is known of them otherwise."""

from __future__ import annotations

import re
from datetime import date

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.rows import Accelerator, AcceleratorClass, ModelArchitecture
from qwen3_planner.request import EngineName, Quantization

CATALOG = load_catalog()
ROWS = (*CATALOG.models, *CATALOG.checkpoints, *CATALOG.accelerators, *CATALOG.engines)
GPUS = [row for row in CATALOG.accelerators if row.device_class is AcceleratorClass.GPU]

PARAMETERS = {
    "Qwen3-0.6B": 596_049_920,
    "Qwen3-1.7B": 1_720_574_976,
    "Qwen3-4B": 4_022_468_096,
    "Qwen3-8B": 8_190_735_360,
    "Qwen3-14B": 14_768_307_200,
    "Qwen3-32B": 32_762_123_264,
    "Qwen3-30B-A3B": 30_532_122_624,
    "Qwen3-235B-A22B": 235_093_634_560,
}
"""Published counts; https://huggingface.co/Qwen shows them rounded."""


def parameters_of(row: ModelArchitecture) -> int:
    attention = row.hidden_size * row.head_dim * 2 * (row.attention_heads + row.kv_heads)
    attention += 2 * row.head_dim
    if row.is_moe:
        inner = 3 * row.hidden_size * row.moe_intermediate_size * row.experts
        inner += row.hidden_size * row.experts
    else:
        inner = 3 * row.hidden_size * row.intermediate_size
    layer = attention + inner + 2 * row.hidden_size
    embeddings = row.vocab_size * row.hidden_size * (1 if row.tied_embeddings else 2)
    return embeddings + row.layers * layer + row.hidden_size


@pytest.mark.parametrize("row", CATALOG.models, ids=lambda row: row.name)
def test_each_architecture_has_the_published_number_of_parameters(row: ModelArchitecture) -> None:
    assert parameters_of(row) == PARAMETERS[row.name]


def test_all_eight_variants_are_there_and_nothing_else() -> None:
    assert {row.name for row in CATALOG.models} == set(PARAMETERS)


def test_head_dim_is_the_configs_not_hidden_over_heads() -> None:
    assert {row.head_dim for row in CATALOG.models} == {128}
    differing = {r.name for r in CATALOG.models if r.hidden_size // r.attention_heads != r.head_dim}
    assert differing == {"Qwen3-0.6B", "Qwen3-4B", "Qwen3-32B", "Qwen3-30B-A3B", "Qwen3-235B-A22B"}


def test_each_variant_has_the_checkpoints_that_qwen_published() -> None:
    published = {(row.variant, row.quantization) for row in CATALOG.checkpoints if row.official}

    both = {(name, quantization) for name in PARAMETERS for quantization in ("bf16", "fp8")}
    awq = {(f"Qwen3-{size}", "awq-int4") for size in ("4B", "8B", "14B", "32B")}
    gptq = {(name, "gptq-int4") for name in ("Qwen3-30B-A3B", "Qwen3-235B-A22B")}
    assert published == both | awq | gptq


def test_checkpoints_name_known_variants_and_quantizations() -> None:
    for row in CATALOG.checkpoints:
        assert row.variant in PARAMETERS
        assert Quantization(row.quantization) is not Quantization.AUTO
        assert row.uri.startswith("hf://")


def test_each_format_has_the_shape_it_needs_and_no_other() -> None:
    for row in CATALOG.checkpoints:
        assert (row.block_size != (0, 0)) == (row.quantization == "fp8")
        assert (row.group_size > 0) == row.quantization.endswith("int4")
        assert row.has_zero_points == (row.quantization == "awq-int4")


def test_the_8b_awq_files_have_the_published_size() -> None:
    """5.68 GiB: kaito-project/kaito @056b828 generator_test.go; the group size follows from it."""
    row = CATALOG.model("Qwen3-8B")
    (awq,) = [c for c in CATALOG.checkpoints_of("Qwen3-8B") if c.quantization == "awq-int4"]
    linear = parameters_of(row) - 2 * row.vocab_size * row.hidden_size
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


@pytest.mark.parametrize("name", [e.value for e in EngineName if e is not EngineName.AUTO])
def test_every_engine_has_a_release_and_an_image(name: str) -> None:
    release = CATALOG.engine(name)

    assert dict(release.images)["nvidia"].format(version="0.32.0") == "vllm/vllm-openai:v0.32.0"
    assert (release.minimum_version, release.default_version) == ("0.8.5", "0.32.0")
