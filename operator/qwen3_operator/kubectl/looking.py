"""What the cluster shows of models, nodes and pods: read once, for a page of text."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster import reducing
from qwen3_operator.cluster.applying import RESOURCE_PATH
from qwen3_operator.cluster.resources import PLURAL
from qwen3_operator.decisions.failures import explain_pod, on_its_node
from qwen3_operator.errors import ClusterError
from qwen3_operator.observed import DEPLOYMENT_LABEL, Key
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.inventory.kubernetes import read_node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.observed import Node, Pod
    from qwen3_planner.inventory.hardware import NodeGroup

PAGE_SIZE = 500
FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class View:
    """What was seen.

    Attributes:
        bodies: resources, by namespace and name.
        nodes: all of them; empty where this user may not list them.
        pods: bound or ours, unfinished.
        may_see_all: whether nodes and pods of everybody could be listed.
    """

    bodies: Sequence[Mapping[str, Any]]
    nodes: Sequence[Node]
    pods: Sequence[Pod]
    may_see_all: bool = True

    def pods_of(self, key: Key) -> list[Pod]:
        """Return the pods of a resource, those on lost nodes marked."""
        nodes = {node.name: node for node in self.nodes}
        own = [pod for pod in self.pods if pod.owner == key]
        return [on_its_node(pod, nodes.get(pod.node or "")) if nodes else pod for pod in own]

    def troubles_of(self, key: Key) -> list[tuple[str, str]]:
        """Return (pod, what is wrong with it)."""
        found = ((pod.name, explain_pod(pod)) for pod in self.pods_of(key) if not pod.ready)
        return [(name, told[1].message) for name, told in found if told is not None]


async def resources(api: Api, namespace: str | None) -> list[dict[str, Any]]:
    """List the resources of a namespace, or of all.

    Raises:
        ClusterError: they cannot be listed.
    """
    where = f"/namespaces/{namespace}" if namespace else ""
    found = await _list(api, f"{RESOURCE_PATH}{where}/{PLURAL}", {})
    return sorted(found, key=lambda b: (b["metadata"]["namespace"], b["metadata"]["name"]))


async def resource(api: Api, namespace: str, name: str) -> dict[str, Any]:
    """Read one resource.

    Raises:
        SpecError: there is none of that name; those there are are named.
        ClusterError: it cannot be read.
    """
    there = await resources(api, namespace)
    for body in there:
        if body["metadata"]["name"] == name:
            return body
    names = [body["metadata"]["name"] for body in there]
    reason = f"there is no such Qwen3Deployment in the namespace {namespace}"
    raise SpecError("NAME", name, reason, nearest_first(name, names))


async def look(api: Api, bodies: Sequence[Mapping[str, Any]], namespace: str | None) -> View:
    """Read nodes and pods; where that is not allowed, the pods of the namespace alone.

    Raises:
        ClusterError: the cluster does not answer.
    """
    try:
        nodes, pods = await asyncio.gather(
            _list(api, "/api/v1/nodes", {}), _list(api, "/api/v1/pods", {})
        )
    except ClusterError as error:
        if error.status != FORBIDDEN or namespace is None:
            raise
        ours = {"labelSelector": DEPLOYMENT_LABEL}
        pods = await _list(api, f"/api/v1/namespaces/{namespace}/pods", ours)
        return View(bodies, (), tuple(map(reducing.pod, pods)), may_see_all=False)
    return View(bodies, read_nodes(nodes), tuple(map(reducing.pod, pods)))


def read_nodes(raw: Sequence[Mapping[str, Any]]) -> tuple[Node, ...]:
    """Reduce nodes as the operator does."""
    catalog = load_catalog()

    def grouping(node: Mapping[str, Any]) -> tuple[NodeGroup | None, str]:
        reading = read_node(node, catalog)
        return reading.group, reading.reason or " ".join(reading.notes)

    return tuple(map(partial(reducing.node, grouping=grouping), raw))


async def _list(api: Api, path: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query = {**params, "limit": str(PAGE_SIZE)}
    while True:
        page = await api.get(path, query)
        found += page.get("items") or ()
        if not page["metadata"].get("continue"):
            return found
        query["continue"] = page["metadata"]["continue"]
