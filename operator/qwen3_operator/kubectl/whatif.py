"""What a change would do: the operator rehearses it on a copy of the cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.requests import pod_requests
from qwen3_operator.kubectl.adding import nodes_to_add
from qwen3_operator.kubectl.configured import settings_of
from qwen3_operator.kubectl.outcomes import Change, Evicted, Standing, changes, standing_of
from qwen3_operator.kubectl.rehearsal.controllers import PODS
from qwen3_operator.kubectl.rehearsal.stage import RESOURCES, Stage
from qwen3_operator.observed import DEPLOYMENT_LABEL, Key
from qwen3_planner.api.conversion import parse
from qwen3_planner.errors import SpecError, nearest_first

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from qwen3_operator.kubectl.connecting import Cluster
    from qwen3_planner.inventory.hardware import Inventory

NODES = "/api/v1/nodes"

REQUIRED = (NODES, PODS)
"""Without these nothing can be said: GPUs that others hold are not free."""

STAMP = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be changed, all at once.

    Attributes:
        drained: names of nodes that are cordoned and emptied.
        added: (as typed, hardware) that comes.
        applied: resources that are made or changed, as documents.
    """

    drained: Sequence[str] = ()
    added: Sequence[tuple[str, Inventory]] = ()
    applied: Sequence[dict[str, Any]] = ()


@dataclass(slots=True)
class Answer:
    """What becomes of whom.

    Attributes:
        changes: of every resource, the worst first.
        evicted: pods of others that are put off their nodes.
        notes: what was assumed, or could not be seen.
    """

    changes: Sequence[Change] = ()
    evicted: Sequence[Evicted] = ()
    notes: list[str] = field(default_factory=list)


async def rehearse(
    cluster: Cluster, question: Question, namespace: str | None, now: datetime
) -> Answer:
    """Let the operator come to rest, change the world, and let it come to rest again.

    Args:
        cluster: that is asked about; nothing is written there.
        question: what is to be changed.
        namespace: of resources that name none; None: the context's.
        now: when; resources that are new are the youngest.

    Raises:
        SpecError: a node is not there, or a resource means nothing.
        ClusterError: the cluster does not answer, or does not show its nodes and pods.
    """
    where = namespace or cluster.namespace
    bodies = [_with_namespace(body, where) for body in question.applied]
    for body in bodies:
        parse(body)
    moment = now.strftime(STAMP)
    settings, told = await settings_of(cluster.api)
    stage = Stage(settings, cluster.connection, cluster.api, moment)
    try:
        await stage.open(REQUIRED)
        _refuse_unknown(question.drained, stage)
        await stage.play()
        before = _standings(stage)
        answer = Answer(notes=_notes(stage, told))
        gone = _change(stage, question, bodies, answer)
        await stage.play()
        answer.changes = changes(before, _standings(stage))
        answer.evicted = [_evicted(pod, stage) for pod in gone]
        return answer
    finally:
        await stage.close()


def _change(
    stage: Stage, question: Question, bodies: Sequence[dict[str, Any]], answer: Answer
) -> list[dict[str, Any]]:
    """Do to the world what is asked; return the pods of others that are evicted."""
    world = stage.world
    known = list(world.all(NODES))
    for typed, inventory in question.added:
        made, notes = nodes_to_add(typed, inventory, known)
        answer.notes += notes
        known += [world.make(NODES, node, "", node["metadata"]["name"]) for node in made]
    for name in question.drained:
        node = world.find(NODES, "", name)
        assert node is not None, "asked before"  # noqa: S101 - for the type checker
        world.put(NODES, {**node, "spec": {**node.get("spec", {}), "unschedulable": True}})
    gone = [pod for name in question.drained for pod in stage.controllers.evict(name)]
    for body in bodies:
        stage.submit(body)
    return gone


def _refuse_unknown(names: Sequence[str], stage: Stage) -> None:
    there = sorted(node["metadata"]["name"] for node in stage.world.all(NODES))
    for name in names:
        if name not in there:
            raise SpecError("--drain", name, "there is no such node", nearest_first(name, there))


def _standings(stage: Stage) -> dict[Key, Standing]:
    owned: dict[Key, list[dict[str, Any]]] = {}
    for pod in stage.world.all(PODS):
        labels = pod["metadata"].get("labels") or {}
        key = Key(pod["metadata"]["namespace"], labels.get(DEPLOYMENT_LABEL, ""))
        owned.setdefault(key, []).append(pod)
    keys = {_key(body): body for body in stage.world.all(RESOURCES)}
    return {key: standing_of(body, owned.get(key, ())) for key, body in keys.items()}


def _key(body: dict[str, Any]) -> Key:
    return Key(body["metadata"]["namespace"], body["metadata"]["name"])


def _evicted(pod: dict[str, Any], stage: Stage) -> Evicted:
    metadata = pod["metadata"]
    again = stage.world.find(PODS, metadata["namespace"], f"{metadata['name']}-again")
    return Evicted(
        namespace=metadata["namespace"],
        name=metadata["name"],
        node=pod["spec"]["nodeName"],
        gpus=sum(count for _, count in pod_requests(pod["spec"]).gpus),
        comes_back=again["spec"].get("nodeName", "") if again is not None else "",
    )


def _notes(stage: Stage, told: str) -> list[str]:
    notes = [told]
    if stage.unseen:
        what = ", ".join(path.rpartition("/")[2] for path in stage.unseen)
        notes.append(f"You may not list {what}: taken as if there were none.")
    return notes


def _with_namespace(body: dict[str, Any], namespace: str) -> dict[str, Any]:
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("namespace"):
        return body
    return {**body, "metadata": {**metadata, "namespace": namespace}}
