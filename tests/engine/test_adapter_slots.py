"""Slots for LoRA adapters: the planner's bytes against what vLLM's own manager makes.

The model and its slots are constructed as that rank on the meta device, in their true sizes but few
layers; see support/engine/inside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.engines.versions import parse_version
from qwen3_planner.plan import Layout
from qwen3_planner.serving.vllm_lora import slots_at
from qwen3_planner.sizing.lora import slot_bytes
from qwen3_planner.sizing.weights import stage_range
from support.engine.agreement import places
from support.engine.environment import VLLM_VERSION
from support.engine.layouts import words_of
from support.engine.model_folders import write_model
from support.engine.oracle import Refused

if TYPE_CHECKING:
    from support.engine.rig import Rig

pytestmark = pytest.mark.engine

H100 = "H100-SXM-80GB"
LORA = ("--enable-lora", "--max-loras", "3", "--max-lora-rank", "32")
DENSE = (Layout(), Layout(4), Layout(16), Layout(2, 2))
SPARSE = (Layout(), Layout(4), Layout(4, expert=4), Layout(2, data=2))


@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize(
    ("name", "layouts"),
    [
        ("Qwen3-0.6B", DENSE),
        ("Qwen3-8B", DENSE),
        ("Qwen3-32B", (Layout(8),)),
        ("Qwen3-VL-8B-Instruct", (Layout(), Layout(2))),
        ("Qwen3-Embedding-0.6B", (Layout(), Layout(2))),
        ("Qwen3-30B-A3B", SPARSE),
        ("Qwen3-VL-30B-A3B-Instruct", (Layout(), Layout(2))),
    ],
)
def test_slots_are_those_that_the_engine_makes(
    name: str,
    layouts: tuple[Layout, ...],
    sharded: bool,  # noqa: FBT001 - a table
    rig: Rig,
) -> None:
    model = replace(rig.catalog.model(name), layers=4)
    folder = str(write_model(rig.folder, model))
    more = [*(["--runner", "pooling"] * model.is_pooling), *(["--fully-sharded-loras"] * sharded)]
    version = parse_version(VLLM_VERSION)
    slots = replace(slots_at(model, version, 3, 32), is_fully_sharded=sharded)
    found = []
    for layout in layouts:
        if sharded and layout.expert > 1:
            continue
        for place in places(layout):
            held = rig.oracle(H100).slots([folder, *words_of(layout), *LORA, *more], place.rank)
            if isinstance(held, Refused):
                found.append(f"{layout} rank {place.rank}: {held.kind}: {held.text} {held.where}")
                continue
            layers = range(*stage_range(model.layers, layout.pipeline, place.stage))
            ours = slot_bytes(model, layout, place.stage, layers, slots)
            theirs = sum(tensor.n_bytes for tensor in held)
            if ours != theirs:
                names = {t.name.split(".", 4)[-1]: (t.shape, t.n_bytes) for t in held}
                found.append(f"{layout} rank {place.rank}: {ours} and not {theirs}: {names}")
    assert found == []
