"""Models, reasons and GPUs as people read them: 80 columns, and nothing but what may be seen."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.cluster.requests import Api
from qwen3_operator.errors import ClusterError
from qwen3_operator.kubectl import showing, topping
from qwen3_operator.kubectl.load import Load
from qwen3_operator.kubectl.looking import View, look
from qwen3_operator.observed import Key
from support.values import GPU, amount, node, pod

if TYPE_CHECKING:
    from collections.abc import Mapping


def body(name: str, **conditions: tuple[str, str, str]) -> dict[str, Any]:
    listed = [
        {"type": kind, "status": status, "reason": reason, "message": message}
        for kind, (status, reason, message) in conditions.items()
    ]
    status = {"available": "1/1", "gpu": "2x H100-SXM-80GB", "phase": "Ready", "conditions": listed}
    metadata = {"namespace": "team-a", "name": name}
    return {"metadata": metadata, "spec": {"model": {"variant": "Qwen3-32B"}}, "status": status}


RUNS = body("runs", Ready=("True", "Ready", "1 replica answers requests."))
WAITS = body(
    "waits",
    Ready=("False", "InsufficientGPU", "The replica waits."),
    SpecValid=("True", "SpecAccepted", ""),
    PlanFeasible=("True", "PlanComputed", "Planned: fp8."),
    Scheduled=("False", "InsufficientGPU", "The replica waits. Position 1 of 1 in the queue."),
)
BROKEN = replace(node("h100-1", 6), unhealthy=((GPU, 2),), ready=False, schedulable=False)
PODS = (
    pod("r", amount(2), node="h100-0", owner="runs", namespace="team-a", ready=True),
    pod("trainer", amount(4), node="h100-0", namespace="team-b"),
    pod("w", amount(2), node="h100-1", owner="waits", namespace="team-a"),
)
VIEW = View((RUNS, WAITS), (node("h100-0"), BROKEN, node("cpu", 0)), PODS)


LOADS = {
    Key("team-a", "runs"): Load(2, 1, 1234.4, 3, 1, 0.256, problem="no answer within 5 s"),
    Key("team-a", "quiet"): Load(1, 0, problem="its metrics are not an engine's"),
}


def test_every_model_has_a_line() -> None:
    assert showing.status_table(VIEW, with_namespace=True) == [
        "NAME          READY  REASON           GPU               NODES",
        "team-a/runs   1/1    Ready            2x H100-SXM-80GB  h100-0",
        "team-a/waits  1/1    InsufficientGPU  2x H100-SXM-80GB  h100-1",
    ]


def test_gpus_are_told_with_who_holds_them_what_is_broken_and_who_waits() -> None:
    assert topping.top_lines(VIEW, {}, 90) == [
        "NODE               GPU            ALL  FREE  BROKEN  HELD BY",
        "h100-0             H100-SXM-80GB    8     2       -  team-a/runs (2), team-b/trainer (4)",
        "h100-1 (NotReady)  H100-SXM-80GB    8     4       2  team-a/waits (2)",
        "",
        "Waiting for GPUs",
        "  team-a/waits: The replica waits. Position 1 of 1 in the queue.",
    ]
    assert all(len(line) <= 80 for line in topping.top_lines(VIEW, LOADS, 80))
    first = topping.top_document(VIEW, {})["nodes"][0]
    assert (first["offered"], first["free"], first["unhealthy"]) == (8, 2, 0)


def test_what_models_do_now_is_told_with_who_did_not_tell() -> None:
    lines = topping.top_lines(VIEW, LOADS, 90)

    assert lines[4:9] == [
        "MODEL         ENGINES  RUNNING  WAITING  KV CACHE  TOKENS/S",
        "team-a/quiet        1        -        -         -         -",
        "team-a/runs         2        3        1      26 %     1,234",
        "team-a/quiet: 1 of 1 engines did not tell: its metrics are not an engine's",
        "team-a/runs: 1 of 2 engines did not tell: no answer within 5 s",
    ]
    quiet, runs = topping.top_document(VIEW, LOADS)["load"]
    assert (quiet["enginesThatTold"], "kvCacheUsage" in quiet) == (0, False)
    assert (runs["tokensPerSecond"], runs["kvCacheUsage"]) == (1234.4, 0.256)


def test_why_says_where_it_stops_and_which_pod_is_in_trouble() -> None:
    lines = showing.why_lines(WAITS, VIEW, 80)

    assert lines[:3] == [
        "team-a/waits is not ready: InsufficientGPU.",
        "  The replica waits.",
        "It stops at Scheduled (SpecValid, PlanFeasible hold).",
    ]
    assert any(line.startswith("Pod w: The node h100-1 is NotReady") for line in lines)
    found = showing.why_document(WAITS, VIEW)
    assert (found["blockedBy"], found["ready"]) == ("Scheduled", False)


def test_one_that_the_operator_has_not_seen_says_so() -> None:
    unseen = {**RUNS, "status": {}}
    empty = View((), (), ())

    assert "Is it running?" in " ".join(showing.why_lines(unseen, empty, 80))
    assert showing.status_lines(unseen, empty, 80)[0].endswith("not seen by the operator yet")
    assert showing.status_table(empty, with_namespace=False) == [
        "No Qwen3Deployment here. With -A those of all namespaces are shown."
    ]


def test_what_is_free_of_each_accelerator_is_told() -> None:
    assert topping.free_gpus(VIEW) == ["2 of 14 H100-SXM-80GB are free, at most 2 on one node"]


class Namespaced(Api):
    """A cluster that shows this user one namespace and nothing else."""

    def __init__(self) -> None:
        self.server = "https://cluster"

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        del params
        if path != "/api/v1/namespaces/team-a/pods":
            raise ClusterError(403, "Forbidden", f"may not list {path}")
        labels = {"serving.qwen3.dev/deployment": "runs"}
        metadata = {"name": "r", "namespace": "team-a", "labels": labels}
        return {"items": [{"metadata": metadata, "spec": {"nodeName": "n"}}], "metadata": {}}


def test_who_may_not_see_nodes_sees_the_pods_of_the_namespace() -> None:
    view = asyncio.run(look(Namespaced(), (RUNS,), "team-a"))

    assert not view.may_see_all
    assert [found.node for found in view.pods_of(Key("team-a", "runs"))] == ["n"]
    with pytest.raises(ClusterError, match="may not list"):
        asyncio.run(look(Namespaced(), (RUNS,), None))
