"""The operator itself comes to rest on a copy of a cluster, and nothing reaches the cluster."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from qwen3_operator.cluster.requests import Api
from qwen3_operator.errors import ClusterError
from qwen3_operator.kubectl.connecting import Cluster
from qwen3_operator.kubectl.outcomes import Change, Effect
from qwen3_operator.kubectl.rehearsal.selecting import is_selected
from qwen3_operator.kubectl.whatif import Answer, Question, rehearse
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.short_form import parse_hardware
from support.controlplane import H100_SXM_80GB, NodeSpec
from support.controlplane.nodes import make_node
from support.resources import resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_operator.cluster.connection import Connection

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SPEC = "maxModelLen: 8192\nquantization: bf16\naccelerators: [H100-SXM-80GB]\n"
WHOLE = f"{SPEC}parallelism: {{tensor: 8}}\n"
RESOURCES = "/apis/serving.qwen3.dev/v1alpha1/qwen3deployments"
GROUPS = "/apis/leaderworkerset.x-k8s.io/v1/leaderworkersets"
KINDS = (RESOURCES, "/api/v1/nodes", "/api/v1/pods", "/apis/apps/v1/deployments")


@dataclass
class Snapshot(Api):
    """A cluster that can only be listed."""

    held: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    kinds: tuple[str, ...] = KINDS
    forbidden: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.server = "https://cluster"

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        if path in self.forbidden:
            raise ClusterError(403, "Forbidden", f"you may not list {path}")
        if path not in self.kinds:
            raise ClusterError(404, "NotFound", f"{path} is not there")
        items = [raw for raw in self.held.get(path, ()) if is_selected(params or {}, raw)]
        return {"items": items, "metadata": {"resourceVersion": "500"}}


def h100(name: str) -> dict[str, Any]:
    raw = make_node(NodeSpec(name, H100_SXM_80GB, gpus=8, cpu=192, memory_gib=2048))
    raw["metadata"]["resourceVersion"] = "1"
    raw["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return raw


def model(name: str, age: int, spec: str = WHOLE) -> dict[str, Any]:
    raw = dict(resource(spec, name=name, variant="Qwen3-32B"))
    created = f"2026-11-23T10:00:{age:02}Z"
    metadata = {"name": name, "namespace": "ns", "uid": f"u-{name}", "generation": 1}
    return {**raw, "metadata": {**metadata, "creationTimestamp": created, "resourceVersion": "2"}}


def stranger(name: str, node: str, gpus: int, **metadata: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    container = {"name": "c", "resources": {"limits": {"nvidia.com/gpu": str(gpus)}}}
    return {
        "metadata": {
            "name": name, "namespace": "other", "uid": f"u-{name}", "resourceVersion": "3",
            **metadata,
        },
        "spec": {"nodeName": node, "containers": [container]},
        "status": {"phase": "Running"},
    }  # fmt: skip


def cluster(**held: list[dict[str, Any]]) -> Snapshot:
    paths = {
        "models": RESOURCES,
        "nodes": "/api/v1/nodes",
        "pods": "/api/v1/pods",
        "deployments": "/apis/apps/v1/deployments",
    }
    return Snapshot({paths[kind]: raws for kind, raws in held.items()})


def ask(snapshot: Snapshot, **question: Any) -> Answer:  # noqa: ANN401 - fields of a question
    place = Cluster(cast("Connection", None), snapshot, "ns")
    return asyncio.run(rehearse(place, Question(**question), None, NOW))


def effects(answer: Answer) -> dict[str, Effect]:
    return {one.key.name: one.effect for one in answer.changes}


def of(answer: Answer, name: str) -> Change:
    return next(one for one in answer.changes if one.key.name == name)


def hardware(typed: str) -> list[tuple[str, Any]]:
    return [(typed, parse_hardware(typed, load_catalog()))]


TWO_NODES = [h100("h100-0"), h100("h100-1")]


def test_who_waits_starts_on_nodes_that_are_added_in_the_order_of_the_queue() -> None:
    snapshot = cluster(nodes=TWO_NODES, models=[model(name, n) for n, name in enumerate("abcd")])

    answer = ask(snapshot, added=hardware("1x8xH100-SXM-80GB"))

    assert effects(answer) == {
        "a": Effect.UNCHANGED, "b": Effect.UNCHANGED, "c": Effect.STARTS, "d": Effect.WAITS,
    }  # fmt: skip
    assert of(answer, "c").after.nodes == ("added-1",)
    assert "Position 1 of 1 in the queue." in of(answer, "d").after.message


def test_a_drained_node_displaces_what_ran_there() -> None:
    models = [model("a", 0), model("b", 1, f"{SPEC}parallelism: {{tensor: 4}}\n")]
    snapshot = cluster(nodes=TWO_NODES, models=models)
    before = of(ask(snapshot, drained=["h100-0"]), "a").before
    assert before is not None
    (where,) = before.nodes

    answer = ask(snapshot, drained=[where])

    assert effects(answer) == {"a": Effect.LOSES, "b": Effect.UNCHANGED}
    assert of(answer, "a").after.reason == "Unschedulable"

    (small,) = of(answer, "b").after.nodes
    answer = ask(snapshot, drained=[small], added=hardware("8xH100-SXM-80GB"))

    assert effects(answer) == {"a": Effect.UNCHANGED, "b": Effect.MOVES}
    assert of(answer, "b").moves == ((small, "added-1"),)


def test_what_is_applied_is_the_youngest_and_what_is_suspended_makes_room() -> None:
    snapshot = cluster(nodes=TWO_NODES, models=[model("a", 0), model("b", 1)])
    suspended = resource(f"{WHOLE}suspend: true\n", name="a", variant="Qwen3-32B")
    new = [resource(WHOLE, name=name, variant="Qwen3-32B") for name in ("x", "y")]

    answer = ask(snapshot, applied=[*new, suspended])

    assert effects(answer) == {
        "a": Effect.UNCHANGED, "b": Effect.UNCHANGED, "x": Effect.STARTS, "y": Effect.WAITS,
    }  # fmt: skip
    assert of(answer, "a").after.reason == "Suspended"


def test_a_changed_model_is_replaced_on_its_own_gpus() -> None:
    snapshot = cluster(nodes=TWO_NODES, models=[model("a", 0), model("b", 1)])
    changed = resource(WHOLE.replace("8192", "4096"), name="a", variant="Qwen3-32B")

    answer = ask(snapshot, applied=[changed])

    assert effects(answer) == {"a": Effect.UNCHANGED, "b": Effect.UNCHANGED}
    assert of(answer, "a").after.is_ready


@pytest.mark.thorough
@pytest.mark.parametrize("has_lws", [False, True], ids=["StatefulSets", "LeaderWorkerSet"])
def test_a_group_starts_whole_and_is_displaced_whole(*, has_lws: bool) -> None:
    layout = f"{SPEC}parallelism: {{tensor: 8, pipeline: 2}}\n"
    models = [model("first", 0, layout), model("second", 1, layout)]
    for body in models:
        body["spec"]["model"]["variant"] = "Qwen3-235B-A22B"
    snapshot = cluster(nodes=TWO_NODES, models=models)
    if has_lws:
        snapshot.kinds = (*KINDS, GROUPS)

    answer = ask(snapshot, added=hardware("2x8xH100-SXM-80GB"))

    assert effects(answer) == {"first": Effect.UNCHANGED, "second": Effect.STARTS}
    assert of(answer, "second").after.nodes == ("added-1", "added-2")

    answer = ask(snapshot, drained=["h100-1"])

    assert effects(answer) == {"first": Effect.LOSES, "second": Effect.WAITS}
    assert of(answer, "first").after.nodes == ()
    assert of(answer, "first").after.reason == "WaitingForGroup"


def test_pods_of_others_compete_for_room_where_something_makes_them_again() -> None:
    owner = {"ownerReferences": [{"kind": "ReplicaSet", "name": "t", "uid": "r"}]}
    pods = [stranger("kept", "h100-0", 8, **owner), stranger("bare", "h100-0", 0)]
    snapshot = cluster(nodes=TWO_NODES, pods=pods)

    answer = ask(snapshot, drained=["h100-0"])

    told = {pod.name: (pod.gpus, pod.comes_back) for pod in answer.evicted}
    assert told == {"kept": (8, "h100-1"), "bare": (0, "")}


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"drained": ["h100-7"]}, "there is no such node"),
        ({"applied": [{"kind": "Qwen3Deployment", "metadata": {"name": "x"}}]}, "spec"),
    ],
)
def test_what_cannot_be_asked_is_refused(question: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        ask(cluster(nodes=TWO_NODES), **question)


def operator(**settings: str) -> dict[str, Any]:
    """The operator's own Deployment, as its chart makes it."""
    env = [{"name": f"QWEN3_OPERATOR_{name}", "value": value} for name, value in settings.items()]
    env.append({"name": "QWEN3_OPERATOR_IDENTITY", "valueFrom": {"fieldRef": {}}})
    label = "app.kubernetes.io"
    labels = {f"{label}/part-of": "qwen3-operator", f"{label}/component": "operator"}
    metadata = {"namespace": "q", "name": "o", "labels": labels, "resourceVersion": "4"}
    container = {"name": "operator", "env": env}
    return {"metadata": metadata, "spec": {"template": {"spec": {"containers": [container]}}}}


@pytest.mark.parametrize(
    ("settings", "reason", "note"),
    [
        ({"OFFLINE": "true"}, "HubOffline", "Set up as the operator q/o is."),
        ({"OFFLINE": "false", "PROMETHEUS_URL": "http://p"}, "Ready", "Set up as"),
        ({"OFFLINE": "true", "WORKERS": "0"}, "Ready", "in a way that is not known here"),
        (None, "Ready", "No operator was found in the cluster"),
    ],
)
def test_the_operator_is_set_up_as_it_is_in_the_cluster(
    settings: dict[str, str] | None, reason: str, note: str
) -> None:
    deployments = [operator(**settings)] if settings is not None else []
    snapshot = cluster(nodes=TWO_NODES, models=[model("a", 0)], deployments=deployments)

    answer = ask(snapshot, added=hardware("1xL4-24GB"))

    assert of(answer, "a").after.reason == reason
    assert note in answer.notes[0]


def test_what_may_not_be_seen_is_said_and_nodes_must_be() -> None:
    snapshot = cluster(nodes=TWO_NODES)
    snapshot.forbidden = frozenset({"/api/v1/resourcequotas"})
    notes = ask(snapshot, added=hardware("1xL4-24GB")).notes
    assert "You may not list resourcequotas: taken as if there were none." in notes

    snapshot.forbidden = frozenset({"/api/v1/nodes"})
    with pytest.raises(ClusterError, match="you may not list"):
        ask(snapshot, drained=["h100-0"])
