"""Every tensor of every rank: the planner's list against the real engine's own model.

vLLM's model classes are constructed as that rank on the meta device, in their true sizes but few
layers, and their weights processed as on the GPU named; see support/engine/inside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.plan import Layout
from qwen3_planner.sizing.formats import BF16
from support.engine.agreement import difference, places
from support.engine.formats import FORMATS
from support.engine.layouts import words_of
from support.engine.model_folders import write_model
from support.engine.oracle import Refused

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.sizing.formats import WeightFormat
    from support.engine.rig import Rig

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


@pytest.mark.parametrize("name", [*DENSE, *SPARSE])
def test_bf16_ranks_hold_exactly_the_planned_tensors(name: str, rig: Rig) -> None:
    model = replace(rig.catalog.model(name), layers=LAYERS)
    layouts = SPARSE_LAYOUTS if model.is_moe else DENSE_LAYOUTS
    assert _disagreements(rig, H100, model, BF16, layouts) == []


@pytest.mark.parametrize("name", RELATIVES)
def test_relatives_hold_exactly_the_planned_tensors(name: str, rig: Rig) -> None:
    model = rig.catalog.model(name)
    layers = 2 * max(LAYERS // 2, model.full_attention_interval)
    small = replace(model, layers=8 if model.vision else layers)  # images feed the first three
    assert _disagreements(rig, H100, small, BF16, RELATIVES_LAYOUTS) == []


@pytest.mark.parametrize("name", ["Qwen3-32B", "Qwen3-235B-A22B"])
def test_all_layers_together_are_the_planned_tensors(name: str, rig: Rig) -> None:
    assert _disagreements(rig, H100, rig.catalog.model(name), BF16, (Layout(8, 4),)) == []


@pytest.mark.parametrize("accelerator", [H100, A100, L4])
@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("name", ["Qwen3-8B", "Qwen3-30B-A3B"])
def test_quantized_ranks_hold_exactly_the_planned_tensors(
    name: str, fmt: str, accelerator: str, rig: Rig
) -> None:
    model = replace(rig.catalog.model(name), layers=2)
    experts = (Layout(4, expert=4),) if model.is_moe else (Layout(4),)
    layouts = (Layout(), Layout(2), Layout(2, 2), *experts)
    assert _disagreements(rig, accelerator, model, FORMATS[fmt], layouts) == []


def test_both_sides_see_a_tensor_that_only_one_has(rig: Rig) -> None:
    model = replace(rig.catalog.model("Qwen3-0.6B"), layers=1)
    folder = write_model(rig.folder, model)
    (place,) = places(Layout())
    held = rig.oracle(H100).tensors([str(folder)], 0)
    assert not isinstance(held, Refused), held
    wrong = replace(model, intermediate_size=model.intermediate_size + 64)
    found = difference(rig.planned(H100, wrong, BF16, Layout(), place), held)
    assert [name.split()[0] for _, name in found.planner_only] == [
        "gate_up_proj.weight",
        "down_proj.weight",
    ]
    assert [name.split(".")[-2] for _, name in found.engine_only] == ["gate_up_proj", "down_proj"]


def _disagreements(
    rig: Rig,
    accelerator: str,
    model: ModelArchitecture,
    fmt: WeightFormat,
    layouts: tuple[Layout, ...],
) -> list[str]:
    """Compare every rank of every layout; return what differs."""
    folder = str(write_model(rig.folder, model, fmt))
    pooling = ["--runner", "pooling"] * model.is_pooling
    found = []
    for layout in layouts:
        for place in places(layout):
            held = rig.oracle(accelerator).tensors(
                [folder, *words_of(layout), *pooling], place.rank
            )
            if isinstance(held, Refused):
                found.append(f"{layout} rank {place.rank}: {held.kind}: {held.text}\n{held.where}")
                continue
            both = difference(rig.planned(accelerator, model, fmt, layout, place), held)
            if not both.agrees:
                found.append(f"{layout} rank {place.rank}: {both}")
    return found
