from __future__ import annotations

import json

import pytest

from qwen3_planner.plan import Layout, PlacedNode, Placement
from qwen3_planner.report.plan_json import to_document
from support.plan_builders import make_gpu, make_memory, make_no_plan, make_plan, make_refusal

KEYS = [
    "schema", "feasible", "model", "engine", "quantization", "kvCacheDtype", "maxModelLen",
    "replicas", "layout", "placement", "memory", "provenance", "command", "warnings",
    "alternatives", "refusals",
]  # fmt: skip


def test_a_plan_has_the_keys_of_the_contract_in_its_order() -> None:
    assert list(to_document(make_plan())) == KEYS


def test_every_figure_arrives_under_its_name() -> None:
    plan = make_plan(layout=Layout(tensor=2, pipeline=2, nodes_per_replica=2))

    document = to_document(plan)

    assert document["schema"] == "plan/v1"
    assert document["feasible"] is True
    assert document["model"] == {
        "variant": "Qwen3-32B",
        "parameters": 32762123264,
        "source": "hf://Qwen/Qwen3-32B",
    }
    assert document["engine"] == {"name": "vllm", "version": "0.32.0"}
    assert document["layout"] == {
        "tensor": 2,
        "pipeline": 2,
        "data": 1,
        "expert": 1,
        "gpusPerReplica": 4,
        "nodesPerReplica": 2,
    }
    assert document["placement"] == {
        "accelerator": "H100-SXM-80GB",
        "nodes": [{"name": None, "gpus": 2}, {"name": None, "gpus": 2}],
    }
    assert document["command"] == list(plan.command)


def test_memory_says_each_gpu_in_rank_order_and_its_interval() -> None:
    memory = make_memory(1, per_gpu=(make_gpu(0, kv_needed_bytes=7), make_gpu(1, stage=1)))

    said = to_document(make_plan(memory=memory))["memory"]

    assert [gpu["rank"] for gpu in said["perGpu"]] == [0, 1]
    assert [gpu["stage"] for gpu in said["perGpu"]] == [0, 1]
    assert said["perGpu"][0] == {
        "rank": 0,
        "stage": 0,
        "weightsBytes": 32_845_000_000,
        "kvCacheBytes": 42_939_000_000,
        "kvNeededBytes": 7,
        "activationBytes": 794_000_000,
        "graphBytes": 375_000_000,
        "overheadBytes": 1_267_000_000,
        "budgetBytes": 78_220_000_000,
        "deviceBytes": 85_021_000_000,
    }
    assert (said["kvCacheTokensLow"], said["kvCacheTokens"], said["kvCacheTokensHigh"]) == (
        320_256,
        327_600,
        334_944,
    )
    assert said["maxConcurrency"] == pytest.approx(7.998, abs=1e-3)


def test_a_price_is_told_where_one_is_known_and_absent_elsewhere() -> None:
    assert to_document(make_plan(usd_per_hour=7.98))["cost"] == {"usdPerHour": 7.98}
    assert "cost" not in to_document(make_plan())


def test_what_does_not_apply_is_absent_never_null() -> None:
    everything = [to_document(make_plan()), to_document(make_no_plan())]

    nulls = [path for document in everything for path in _nulls(document, "")]

    assert set(nulls) <= {".placement.nodes.name", ".nearest.plan.placement.nodes.name"}


def _nulls(value: object, path: str) -> list[str]:
    if value is None:
        return [path]
    if isinstance(value, dict):
        return [found for key, part in value.items() for found in _nulls(part, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for part in value for found in _nulls(part, path)]
    return []


def test_revision_and_served_name_are_told_where_they_say_something() -> None:
    said = to_document(make_plan(revision="abc", served_name="chat"))["model"]

    assert (said["revision"], said["servedName"]) == ("abc", "chat")
    assert "servedName" not in to_document(make_plan())["model"]


def test_a_named_node_keeps_its_name() -> None:
    placement = Placement("H100-SXM-80GB", (PlacedNode("gpu-1", 2),))

    said = to_document(make_plan(placement=placement))["placement"]

    assert said["nodes"] == [{"name": "gpu-1", "gpus": 2}]


def test_a_refusal_says_its_layout_bytes_and_fixes_as_options() -> None:
    (said,) = to_document(make_plan(refusals=(make_refusal(),)))["refusals"]

    assert said["rule"] == "InsufficientGPUMemory"
    assert said["layout"]["tensor"] == 1
    assert said["neededBytes"] - said["availableBytes"] == 23_300_864_000
    assert said["fixes"] == ["--quantization fp8"]


def test_a_refusal_that_is_not_about_memory_has_no_bytes() -> None:
    refusal = make_refusal(needed_bytes=None, available_bytes=None, layout=None, accelerator=None)

    (said,) = to_document(make_plan(refusals=(refusal,)))["refusals"]

    assert {"neededBytes", "availableBytes", "layout", "accelerator"}.isdisjoint(said)


def test_alternatives_have_no_alternatives_of_their_own() -> None:
    plan = make_plan(alternatives=(make_plan(quantization="fp8"),))

    (alternative,) = to_document(plan)["alternatives"]

    assert alternative["quantization"] == "fp8"
    assert "alternatives" not in alternative


def test_no_plan_keeps_model_and_refusals_and_names_the_nearest() -> None:
    document = to_document(make_no_plan())

    assert document["feasible"] is False
    assert document["model"]["variant"] == "Qwen3-32B"
    assert len(document["refusals"]) == 1
    assert document["nearest"]["change"] == {"quantization": "fp8"}
    assert document["nearest"]["plan"]["quantization"] == "fp8"


def test_no_plan_without_a_nearest_does_not_invent_one() -> None:
    assert "nearest" not in to_document(make_no_plan(nearest=None))


def test_bytes_are_integers_in_the_json_itself() -> None:
    text = json.dumps(to_document(make_plan()))

    assert '"weightsBytes": 32845000000' in text
