from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.resolving import (
    agree_on_quantization,
    resolve_accelerator,
    resolve_engine,
    resolve_model,
)
from qwen3_planner.errors import SpecError
from qwen3_planner.request import Quantization

CATALOG = load_catalog()


@pytest.mark.parametrize(
    ("typed", "name", "quantization", "source"),
    [
        ("Qwen3-32B", "Qwen3-32B", None, None),
        ("qwen3-32b", "Qwen3-32B", None, None),
        (" Qwen3-0.6B ", "Qwen3-0.6B", None, None),
        ("Qwen/Qwen3-32B", "Qwen3-32B", None, None),
        ("hf://Qwen/Qwen3-32B", "Qwen3-32B", None, None),
        ("Qwen/Qwen3-32B-FP8", "Qwen3-32B", "fp8", "hf://Qwen/Qwen3-32B-FP8"),
        ("qwen/qwen3-8b-awq", "Qwen3-8B", "awq-int4", "hf://Qwen/Qwen3-8B-AWQ"),
        (
            "Qwen/Qwen3-235B-A22B-GPTQ-Int4",
            "Qwen3-235B-A22B",
            "gptq-int4",
            "hf://Qwen/Qwen3-235B-A22B-GPTQ-Int4",
        ),
        ("Qwen/Qwen3-VL-8B-Instruct", "Qwen3-VL-8B-Instruct", None, None),
        ("qwen3-next-80b-a3b-thinking", "Qwen3-Next-80B-A3B-Thinking", None, None),
        ("Qwen/Qwen3-8B-GGUF", "Qwen3-8B", "gguf:Q4_K_M", "hf://Qwen/Qwen3-8B-GGUF"),
        ("Qwen/Qwen3-8B-GGUF:Q8_0", "Qwen3-8B", "gguf:Q8_0", "hf://Qwen/Qwen3-8B-GGUF"),
        (
            "hf://Qwen/Qwen3-8B-GGUF/Qwen3-8B-Q6_K.gguf",
            "Qwen3-8B",
            "gguf:Q6_K",
            "hf://Qwen/Qwen3-8B-GGUF",
        ),
        ("Qwen/Qwen3-0.6B-GGUF", "Qwen3-0.6B", "gguf:Q8_0", "hf://Qwen/Qwen3-0.6B-GGUF"),
        (
            "nvidia/Qwen3-235B-A22B-NVFP4",
            "Qwen3-235B-A22B",
            "nvfp4",
            "hf://nvidia/Qwen3-235B-A22B-NVFP4",
        ),
    ],
)
def test_names_and_ids_lead_to_the_model(
    typed: str, name: str, quantization: str | None, source: str | None
) -> None:
    resolved = resolve_model(typed, CATALOG)

    assert (resolved.name, resolved.quantization, resolved.source) == (name, quantization, source)
    assert resolved.catalog is CATALOG


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("Qwen3-23B", "Qwen3-32B"),
        ("Qwen3-235B", "Qwen3-235B-A22B"),
        ("Qwen/Qwen3-32B-FP", "Qwen/Qwen3-32B-FP8"),
        ("llama-3-8b", "Qwen3-8B"),
        ("Qwen3-VL-235B", "Qwen3-VL-235B-A22B-Instruct"),
        ("Qwen3-Coder-480B", "Qwen3-Coder-480B-A35B-Instruct"),
    ],
)
def test_an_unknown_model_is_repeated_as_typed_with_the_nearest_first(
    typed: str, nearest: str
) -> None:
    with pytest.raises(SpecError) as caught:
        resolve_model(typed, CATALOG)

    assert (caught.value.field, caught.value.value) == ("MODEL", typed)
    assert caught.value.choices[0] == nearest


@pytest.mark.parametrize("typed", ["", " ", "\x00", "hf://", "/", "~no-such-user/x"])
def test_odd_models_are_errors_not_defects(typed: str) -> None:
    with pytest.raises(SpecError, match="MODEL"):
        resolve_model(typed, CATALOG)


def test_a_quantized_id_and_another_quantization_contradict() -> None:
    resolved = resolve_model("Qwen/Qwen3-32B-FP8", CATALOG)

    with pytest.raises(SpecError) as caught:
        agree_on_quantization(
            resolved, Quantization.BF16, typed_model="Qwen/Qwen3-32B-FP8", field="--quantization"
        )

    assert "--quantization: bf16: contradicts Qwen/Qwen3-32B-FP8" in str(caught.value)


@pytest.mark.parametrize("wished", [Quantization.AUTO, Quantization.FP8])
def test_a_quantized_id_agrees_with_itself_and_with_auto(wished: Quantization) -> None:
    resolved = resolve_model("Qwen/Qwen3-32B-FP8", CATALOG)

    agreed = agree_on_quantization(resolved, wished, typed_model="", field="")

    assert agreed is Quantization.FP8


def test_the_id_of_a_16_bit_checkpoint_leaves_the_quantization_open() -> None:
    resolved = resolve_model("Qwen/Qwen3-32B", CATALOG)

    agreed = agree_on_quantization(resolved, Quantization.FP8, typed_model="", field="")

    assert agreed is Quantization.FP8


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("H100-SXM-80GB", "H100-SXM-80GB"),
        ("h100-sxm", "H100-SXM-80GB"),
        ("H100 PCIe", "H100-PCIe-80GB"),
        ("a100-sxm-40g", "A100-SXM-40GB"),
        ("L4", "L4-24GB"),
        ("L40", "L40-48GB"),
        ("L40S", "L40S-48GB"),
        ("rtx4090", "RTX-4090-24GB"),
        ("4090", "RTX-4090-24GB"),
        ("RTX PRO 6000", "RTX-PRO-6000-96GB"),
        ("B200", "B200-SXM-180GB"),
        ("GB200", "GB200-186GB"),
        ("mi300x", "MI300X-192GB"),
        ("Apple-M2-Pro-32GB", "Apple-M2-Pro-32GB"),
        ("m2-pro-32gb", "Apple-M2-Pro-32GB"),
        ("raspberrypi5-8gb", "RaspberryPi5-8GB"),
        ("NVIDIA-H100-80GB-HBM3", "H100-SXM-80GB"),
        ("Tesla-T4", "T4-16GB"),
    ],
)
def test_short_names_and_node_labels_lead_to_one_accelerator(typed: str, name: str) -> None:
    assert resolve_accelerator(typed, CATALOG.accelerators).name == name


@pytest.mark.parametrize(
    ("typed", "matches"),
    [
        ("H100", {"H100-SXM-80GB", "H100-PCIe-80GB", "H100-NVL-94GB"}),
        ("A100-80GB", {"A100-SXM-80GB", "A100-PCIe-80GB"}),
        ("H20", {"H20-96GB", "H20-141GB"}),
        ("NVIDIA-H20", {"H20-96GB", "H20-141GB"}),
        ("M2-Pro", {"Apple-M2-Pro-16GB", "Apple-M2-Pro-32GB"}),
    ],
)
def test_an_ambiguous_name_lists_its_matches(typed: str, matches: set[str]) -> None:
    with pytest.raises(SpecError) as caught:
        resolve_accelerator(typed, CATALOG.accelerators, field="--hardware")

    assert set(caught.value.choices) == matches
    assert caught.value.value == typed


@pytest.mark.parametrize("typed", ["", "-", "80GB-H100", "H1000", "V200", "GPU"])
def test_an_unknown_accelerator_is_an_error(typed: str) -> None:
    with pytest.raises(SpecError, match="no accelerator of the catalog"):
        resolve_accelerator(typed, CATALOG.accelerators)


@pytest.mark.thorough
@given(st.text(max_size=30))
def test_no_text_breaks_the_look_up(typed: str) -> None:
    with contextlib.suppress(SpecError):
        assert resolve_accelerator(typed, CATALOG.accelerators) in CATALOG.accelerators


@pytest.mark.parametrize("row", CATALOG.accelerators, ids=lambda row: row.name)
def test_every_full_name_leads_to_itself_whatever_its_case(row: object) -> None:
    name = str(getattr(row, "name", ""))

    assert resolve_accelerator(name.swapcase(), CATALOG.accelerators).name == name


def test_engines_are_found_by_name_and_auto_stays() -> None:
    assert resolve_engine("vLLM", CATALOG) == "vllm"
    assert resolve_engine("auto", CATALOG) == "auto"
    with pytest.raises(SpecError, match="vlm: is no engine") as caught:
        resolve_engine("vlm", CATALOG)
    assert caught.value.choices[0] == "vllm"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("RTX 4070", "RTX-4070-12GB"),
        ("RTX-4070-Ti", "RTX-4070-Ti-12GB"),
        ("rtx4080", "RTX-4080-16GB"),
        ("4070 Ti Super", "RTX-4070-Ti-SUPER-16GB"),
        ("A6000", "RTX-A6000-48GB"),
    ],
)
def test_a_plain_name_means_the_plain_product(typed: str, name: str) -> None:
    assert resolve_accelerator(typed, CATALOG.accelerators).name == name
