"""Layouts: what the planner refuses the engine refuses, in the words of the rule, and no more.

Each layout is asked of the planner's rules and of vLLM's configuration and model, both on the same
described GPU, over the variants and weight formats.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from qwen3_planner.engines.versions import parse_version
from qwen3_planner.plan import Layout
from qwen3_planner.rules.chains import LAYOUT_CHAINS, layout_refusal, pool_refusal
from qwen3_planner.sizing.formats import BF16
from support.engine.environment import VLLM_VERSION
from support.engine.formats import FORMATS
from support.engine.layouts import words_of
from support.engine.model_folders import write_model
from support.engine.oracle import Refused
from support.planner_builders import layout_facts_of, pool_facts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.plan import Refusal
    from support.engine.rig import Rig

pytestmark = pytest.mark.engine

H100, A100 = "H100-SXM-80GB", "A100-SXM-80GB"

VARIANTS = (
    "Qwen3-0.6B",
    "Qwen3-4B",
    "Qwen3-14B",
    "Qwen3-32B",
    "Qwen3-30B-A3B",
    "Qwen3-235B-A22B",
    "Qwen3-Next-80B-A3B-Instruct",
)

TENSOR_SIZES = (1, 2, 3, 4, 5, 7, 8, 10, 12, 16, 32, 40, 64)

OURS_ALONE: Final = {
    "PipelineExceedsLayers": "vLLM starts with a stage that has no layer; the planner does not",
    "ExpertParallelGroup": "a size that no command can ask for",
}
"""Rules that the engine does not speak for when it is made; each says why it is a rule all the
same."""


SOMETIMES_SILENT: Final = {
    "ScaleGroupAlignment": "some kernels are made with part of a group, and load other scales",
}
"""Rules that the engine speaks for in some kernels only; each says why it is a rule in all."""

OTHER_WORDS: Final = {
    "FP8BlockAlignment": (
        "The output_size of gate's and up's weight = 48 is not divisible by weight",
    ),
    "ScaleGroupAlignment": (
        "The input size is not aligned with the quantized weight shape.",
        "Failed to find a kernel that can implement the WNA16 linear layer.",
        "splits the layer input into shards that are not a whole number of quant groups.",
        "Scale groups would otherwise cross TP",
        "cannot reshape tensor of 0 elements into shape",  # less than a group is left
    ),
}
"""What the same demand says in other methods' files; the rule quotes one of them."""


def _layouts(model: ModelArchitecture) -> Iterator[Layout]:
    for tensor in TENSOR_SIZES:
        yield Layout(tensor)
    yield Layout(2, expert=2)
    if model.is_moe:
        yield from (Layout(tensor, expert=tensor) for tensor in (4, 8, 16, 32))
        yield from (Layout(tensor, data=2) for tensor in (1, 2, 4, 8))
        yield Layout(4, data=2, expert=8)


CASES = [
    *((name, "bf16", H100) for name in VARIANTS),
    *((name, fmt, H100) for name in ("Qwen3-4B", "Qwen3-30B-A3B") for fmt in FORMATS),
    *((name, "fp8-block", H100) for name in VARIANTS if name not in {"Qwen3-4B", "Qwen3-30B-A3B"}),
    *(
        (name, fmt, A100)
        for name in ("Qwen3-0.6B", "Qwen3-30B-A3B")
        for fmt in ("fp8-block", "fp8-tensor", "awq-int4", "gptq-int4", "nvfp4", "mxfp4")
    ),
]


@pytest.mark.parametrize(("name", "fmt", "accelerator"), CASES)
def test_planner_and_engine_refuse_the_same_layouts(
    name: str, fmt: str, accelerator: str, rig: Rig
) -> None:
    model, storage = rig.catalog.model(name), FORMATS.get(fmt, BF16)
    pool = pool_facts_of(name, accelerator=accelerator, fmt=storage)
    if pool_refusal(pool) is not None:
        pytest.skip("the planner refuses this format on this GPU altogether")  # asked elsewhere
    interval = model.full_attention_interval
    folder = str(write_model(rig.folder, replace(model, layers=interval), storage))
    oracle, wrong = rig.oracle(accelerator), []
    for layout in _layouts(model):
        ours = layout_refusal(
            layout_facts_of(layout, model=name, accelerator=accelerator, fmt=storage)
        )
        theirs = oracle.tensors([folder, *words_of(layout)], 0)
        said = theirs if isinstance(theirs, Refused) else None
        if complaint := _disagreement(ours, said):
            wrong.append(f"{layout}: {complaint}")
    assert wrong == []


def _disagreement(ours: Refusal | None, theirs: Refused | None) -> str | None:
    """Say how the two answers differ; None where they agree."""
    if ours is not None and ours.rule in OURS_ALONE:
        return None
    if ours is None:
        return None if theirs is None else f"only the engine refuses: {theirs.kind}: {theirs.text}"
    if theirs is None and ours.rule in SOMETIMES_SILENT:
        return None
    if theirs is None:
        return f"only the planner refuses: {ours.rule}: {ours.message}"
    texts = [*_texts_of(ours.rule), *OTHER_WORDS.get(ours.rule, ())]
    if any(_says(theirs, text) for text in texts):
        return None
    return f"{ours.rule} names {texts}; the engine said {theirs.kind}: {theirs.text}"


def _texts_of(rule: str) -> list[str]:
    """Return what the rule says the engine's words are, in the version that is asked."""
    version = parse_version(VLLM_VERSION)
    return [
        row.said
        for chain in LAYOUT_CHAINS.values()
        for row in chain
        if row.name == rule and row.is_in_force(version)
    ]


BARE_ASSERTIONS = ("a bare AssertionError", "AssertionError: ")


def _says(theirs: Refused, text: str) -> bool:
    """Whether the engine used these words, whatever the numbers in them."""
    if text.startswith(BARE_ASSERTIONS):
        return theirs.kind == "AssertionError"
    parts = [part.strip(" .,") for part in re.split(r"\d+|…|\{\w*\}", text)]
    return all(part in theirs.text for part in parts)


def test_a_text_is_compared_by_its_words_not_its_numbers() -> None:
    theirs = Refused("ValueError", "Value error, 151936 is not divisible by 5", "")
    assert _says(theirs, "17408 is not divisible by 40")
    assert not _says(theirs, "17408 must be divisible by 40")
    assert _disagreement(None, theirs) is not None
