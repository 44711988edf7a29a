"""Every tensor of every rank: the planner's list against the real engine's own model.

vLLM's model classes are constructed as that rank on the meta device, in their true sizes but few
layers, and their weights processed as on the GPU named; see support/engine/inside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.plan import Layout
from qwen3_planner.request import Quantization
from qwen3_planner.rules.quantized import has_fp8_units
from qwen3_planner.sizing.formats import BF16, HEAD, VISION, FileLayout, WeightFormat, WeightKind
from support.engine.agreement import difference, places, planned_tensors
from support.engine.layouts import words_of
from support.engine.model_folders import write_model
from support.engine.oracle import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qwen3_planner.catalog.rows import Catalog, ModelArchitecture
    from support.engine.oracle import Oracle

pytestmark = pytest.mark.engine

H100, A100, L4 = "H100-SXM-80GB", "A100-SXM-80GB", "L4-24GB"

DENSE = ("Qwen3-0.6B", "Qwen3-1.7B", "Qwen3-4B", "Qwen3-8B", "Qwen3-14B", "Qwen3-32B")
SPARSE = ("Qwen3-30B-A3B", "Qwen3-235B-A22B", "Qwen3-Coder-480B-A35B-Instruct")
RELATIVES = (
    "Qwen3-Next-80B-A3B-Instruct",
    "Qwen3-VL-4B-Instruct",
    "Qwen3-VL-8B-Instruct",
    "Qwen3-VL-30B-A3B-Instruct",
    "Qwen3-Embedding-0.6B",
    "Qwen3-Embedding-8B",
    "Qwen3-Reranker-4B",
)

DENSE_LAYOUTS = (Layout(), Layout(2), Layout(4), Layout(8), Layout(1, 2), Layout(2, 3))
SPARSE_LAYOUTS = (
    Layout(),
    Layout(4),
    Layout(2, expert=2),
    Layout(4, expert=4),
    Layout(2, 2, expert=2),
    Layout(2, data=2),
    Layout(1, data=3, expert=3),  # 128 experts: 43, 43 and 42
    Layout(2, 3),
)
RELATIVES_LAYOUTS = (Layout(), Layout(2), Layout(4), Layout(2, 2))

LAYERS = 5
"""Two stages of three and two, three stages of one, two and two, and one whole interval of hybrid
layers: enough for every kind of tensor and every uneven split."""


def _fmt(quantization: Quantization, kind: WeightKind, **fields: object) -> WeightFormat:
    plain = ((HEAD, BF16), (VISION, BF16))
    return WeightFormat(quantization, kind, exceptions=plain, **fields)  # type: ignore[arg-type]  # by name


FORMATS = {
    "fp8-block": _fmt(
        Quantization.FP8,
        WeightKind.FP8_BLOCK,
        block_rows=128,
        block_columns=128,
        layout=FileLayout.FP8,
    ),
    "fp8-channel": _fmt(Quantization.FP8, WeightKind.FP8_CHANNEL),
    "fp8-tensor": _fmt(
        Quantization.FP8_STATIC,
        WeightKind.FP8_TENSOR,
        layout=FileLayout.MODELOPT,
        static_activations=True,
    ),
    "int8-channel": _fmt(Quantization.INT8, WeightKind.INT8_CHANNEL),
    "awq-int4": _fmt(
        Quantization.AWQ_INT4,
        WeightKind.INT4_GROUP,
        group_size=128,
        has_zero_points=True,
        layout=FileLayout.AWQ,
    ),
    "gptq-int4": _fmt(
        Quantization.GPTQ_INT4, WeightKind.INT4_GROUP, group_size=128, layout=FileLayout.GPTQ
    ),
    "gptq-int8": _fmt(
        Quantization.GPTQ_INT8, WeightKind.INT8_GROUP, group_size=128, layout=FileLayout.GPTQ
    ),
    "w4a16": _fmt(Quantization.GPTQ_INT4, WeightKind.INT4_GROUP, group_size=128),
    "nvfp4-modelopt": _fmt(
        Quantization.NVFP4,
        WeightKind.NVFP4_GROUP,
        group_size=16,
        layout=FileLayout.MODELOPT,
        static_activations=True,
    ),
    "nvfp4": _fmt(Quantization.NVFP4, WeightKind.NVFP4_GROUP, group_size=16),
    "mxfp4": _fmt(Quantization.MXFP4, WeightKind.MXFP4_GROUP, group_size=32),
}
"""Every storage that the planner knows, as the tools that write it do."""


@pytest.mark.parametrize("name", [*DENSE, *SPARSE])
def test_bf16_ranks_hold_exactly_the_planned_tensors(
    name: str, catalog: Catalog, oracle_on: Callable[[str], Oracle], tmp_path: Path
) -> None:
    model = catalog.model(name)
    layouts = SPARSE_LAYOUTS if model.is_moe else DENSE_LAYOUTS
    assert _disagreements(model, BF16, layouts, catalog, H100, oracle_on, tmp_path) == []


@pytest.mark.parametrize("name", RELATIVES)
def test_relatives_hold_exactly_the_planned_tensors(
    name: str, catalog: Catalog, oracle_on: Callable[[str], Oracle], tmp_path: Path
) -> None:
    model = catalog.model(name)
    layouts = RELATIVES_LAYOUTS
    assert _disagreements(model, BF16, layouts, catalog, H100, oracle_on, tmp_path) == []


@pytest.mark.parametrize("name", ["Qwen3-32B", "Qwen3-235B-A22B"])
def test_all_layers_together_are_the_planned_bytes(
    name: str, catalog: Catalog, oracle_on: Callable[[str], Oracle], tmp_path: Path
) -> None:
    model = catalog.model(name)
    whole = (Layout(8, 4),)
    found = _disagreements(
        model, BF16, whole, catalog, H100, oracle_on, tmp_path, layers=model.layers
    )
    assert found == []


@pytest.mark.parametrize("accelerator", [H100, A100, L4])
@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("name", ["Qwen3-8B", "Qwen3-14B", "Qwen3-30B-A3B"])
def test_quantized_ranks_hold_exactly_the_planned_tensors(  # noqa: PLR0913 - parameters and fixtures
    name: str,
    fmt: str,
    accelerator: str,
    catalog: Catalog,
    oracle_on: Callable[[str], Oracle],
    tmp_path: Path,
) -> None:
    model = catalog.model(name)
    sparse = (Layout(), Layout(2), Layout(4, expert=4), Layout(2, 2))
    layouts = sparse if model.is_moe else (Layout(), Layout(2), Layout(4), Layout(2, 2))
    found = _disagreements(
        model, FORMATS[fmt], layouts, catalog, accelerator, oracle_on, tmp_path, layers=3
    )
    assert found == []


def test_both_sides_see_a_tensor_that_only_one_has(
    catalog: Catalog, oracle_on: Callable[[str], Oracle], tmp_path: Path
) -> None:
    model = replace(catalog.model("Qwen3-0.6B"), layers=1)
    folder = write_model(tmp_path, model)
    (place,) = places(Layout())
    held = oracle_on(H100).tensors([str(folder)], 0)
    assert not isinstance(held, Refused), held
    wrong = replace(model, intermediate_size=model.intermediate_size + 64)
    planned = planned_tensors(wrong, BF16, Layout(), place, positions=40960)
    found = difference(planned, held)
    assert [name.split()[0] for _, name in found.planner_only] == [
        "gate_up_proj.weight",
        "down_proj.weight",
    ]
    assert [name.split(".")[-2] for _, name in found.engine_only] == ["gate_up_proj", "down_proj"]


def _disagreements(  # noqa: PLR0913 - what is compared, and where
    model: ModelArchitecture,
    fmt: WeightFormat,
    layouts: tuple[Layout, ...],
    catalog: Catalog,
    accelerator: str,
    oracle_on: Callable[[str], Oracle],
    folder: Path,
    *,
    layers: int = LAYERS,
) -> list[str]:
    """Compare every rank of every layout; return what differs."""
    small = replace(model, layers=layers)
    write_model(folder, small, fmt)
    oracle = oracle_on(accelerator)
    expanded = not has_fp8_units(catalog.accelerator(accelerator))
    found = []
    for layout in layouts:
        words = [str(folder), *words_of(layout), *(["--runner", "pooling"] * model.is_pooling)]
        for place in places(layout):
            held = oracle.tensors(words, place.rank)
            if isinstance(held, Refused):
                found.append(f"{layout} rank {place.rank}: {held.kind}: {held.text}\n{held.where}")
                continue
            planned = planned_tensors(
                small,
                fmt,
                layout,
                place,
                positions=model.max_position_embeddings,
                expanded_scales=expanded,
            )
            both = difference(planned, held)
            if not both.agrees:
                found.append(f"{layout} rank {place.rank}: {both}")
    return found
