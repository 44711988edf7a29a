"""Why nothing fits is told in the words of the resource."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_operator.decisions.eligibility import Selector
from qwen3_operator.decisions.feasibility import (
    SPEC_FIELDS,
    explain_no_hardware,
    explain_no_plan,
    say_change,
)
from qwen3_planner.api.reasons import Reason
from qwen3_planner.plan import CHANGE_NAMES, Change, NoPlan, Refusal
from support.values import node, selector

if TYPE_CHECKING:
    from qwen3_operator.observed import Node


NOT_IN_A_RESOURCE = {
    "hardware", "maxNodesPerReplica",
}  # fmt: skip
"""What the command line can be asked for and a resource cannot say."""


def test_every_change_of_the_resource_has_its_field() -> None:
    assert set(SPEC_FIELDS) == set(CHANGE_NAMES) - NOT_IN_A_RESOURCE


def test_a_list_is_written_as_a_list() -> None:
    change = Change((("accelerators", "H100-SXM-80GB"),))

    assert say_change(change) == "spec.accelerators: [H100-SXM-80GB]"


def test_a_change_that_this_version_cannot_make_is_not_offered() -> None:
    fixes = (Change((("maxNodesPerReplica", 2),)), Change((("quantization", "fp8"),)))
    refusal = Refusal("MultiNodeNotSupported", "It fits over 2 nodes.", "bf16", fixes=fixes)

    verdict = explain_no_plan(NoPlan("Qwen3-32B", 1, "hf://x/y", (refusal,)))

    assert verdict.reason is Reason.MULTI_NODE_NOT_SUPPORTED
    assert verdict.message == "It fits over 2 nodes. What would fit: spec.quantization: fp8."


def test_nothing_is_promised_where_nothing_would_fit() -> None:
    refusal = Refusal("InsufficientGPUMemory", "Too big.", "bf16")

    verdict = explain_no_plan(NoPlan("Qwen3-32B", 1, "hf://x/y", (refusal,)))

    assert verdict.message == "Too big."


def test_no_candidate_at_all_is_an_answer_too() -> None:
    assert explain_no_plan(NoPlan("Qwen3-32B", 1, "s", ())).reason is Reason.NO_FEASIBLE_PLAN


@pytest.mark.parametrize(
    ("nodes", "reason", "words"),
    [
        pytest.param(
            [], Reason.NO_MATCHING_NODES, "No node of the cluster offers GPUs.", id="none"
        ),
        pytest.param(
            [node("cpu", gpus=0)],
            Reason.NO_MATCHING_NODES,
            "No node of the cluster offers GPUs.",
            id="no GPU",
        ),
        pytest.param(
            [node("b", labels={"zone": "b"})],
            Reason.NO_MATCHING_NODES,
            "1 node offers GPUs, but none satisfies",
            id="elsewhere",
        ),
        pytest.param(
            [replace(node("a", labels={"zone": "a"}), group=None, note="gpu.product is missing")],
            Reason.NO_GPU_LABELS,
            "a: the planner cannot use the GPUs there: gpu.product is missing.",
            id="without labels",
        ),
    ],
)
def test_a_cluster_without_gpus_for_us_says_which_case_it_is(
    nodes: list[Node], reason: Reason, words: str
) -> None:
    verdict = explain_no_hardware(selector(zone="a"), nodes)

    assert verdict.reason is reason
    assert words in verdict.message


def test_who_asks_for_gpus_where_there_are_cpus_is_told_what_they_can_do() -> None:
    boards = [node(f"n{i}", gpus=0, arch="arm64", labels={"zone": "a"}) for i in range(2)]

    told = explain_no_hardware(selector(zone="a"), [*boards, node("g")])

    assert told.reason is Reason.NO_MATCHING_NODES
    assert "2 nodes without GPUs do: llama.cpp computes there" in told.message
    assert "CPU" not in explain_no_hardware(selector(zone="b"), boards).message


def test_many_nodes_without_labels_are_counted() -> None:
    nodes = [replace(node(f"n{i}"), group=None) for i in range(9)]

    verdict = explain_no_hardware(Selector(), nodes)

    assert verdict.message.startswith("n0, n1, n2 and 6 more:")
