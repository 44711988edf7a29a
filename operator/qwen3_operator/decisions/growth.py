"""Pools that can grow: nodes that do not exist yet, but are provisioned when pods wait for them.

Such nodes enter the books as if they were there (:attr:`qwen3_operator.observed.Node.to_come`), as
many as the pool may still get. So plans count them as hardware, admission promises each of their
GPUs once, and pods are made that stay Pending until a real node takes the place of one to come.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_operator.decisions.eligibility import may_run_on
from qwen3_operator.observed import WAITING_FOR_NODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qwen3_operator.decisions.eligibility import Selector
    from qwen3_operator.observed import Node, Pod

MOST_TO_COME = 64
"""Nodes of one pool that are counted on at a time: more cost room in the books and help nobody."""

UNSCHEDULABLE = "Unschedulable"
"""What the scheduler says of a pod that no node of today can take."""


@dataclass(frozen=True, slots=True)
class GrowingPool:
    """Nodes of one kind that somebody provisions on demand.

    Attributes:
        name: as whoever set it up calls it.
        node: what each new node will be like; its labels are those that the provisioner knows
            beforehand, which tell the pool's nodes from all others.
        most: nodes that the pool may have, those that exist included.
    """

    name: str
    node: Node
    most: int

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of every node of the pool."""
        return self.node.labels

    def has(self, node: Node) -> bool:
        """Whether a node that exists is of this pool."""
        return all(node.labels.get(key) == value for key, value in self.labels.items())

    def nodes_to_come(self, existing: int) -> tuple[Node, ...]:
        """Return the nodes that the pool may still get."""
        count = max(0, min(self.most - existing, MOST_TO_COME))
        return tuple(
            replace(self.node, name=f"{self.name}/to-come-{number}", to_come=self.name)
            for number in range(count)
        )


def told_to_wait(
    pods: tuple[Pod, ...], selector: Selector, nodes: Iterable[Node]
) -> tuple[Pod, ...]:
    """Say of pods that no node of today can take that they wait for nodes to come.

    Args:
        pods: of one resource.
        selector: of the pods.
        nodes: of the cluster, those to come included.
    """
    if not any(_finds_no_node(pod) for pod in pods):
        return pods
    coming = [node for node in nodes if node.to_come and may_run_on(selector, node)]
    if not coming:
        return pods
    pools = sorted({node.to_come for node in coming})
    noun = "pool" if len(pools) == 1 else "pools"
    text = f"The {noun} {', '.join(pools)} can grow by {_nodes(len(coming))} that would do"
    return tuple(
        replace(
            pod,
            problem=WAITING_FOR_NODES,
            problem_message=f"{text}; the scheduler says: {pod.problem_message}",
        )
        if _finds_no_node(pod)
        else pod
        for pod in pods
    )


def _finds_no_node(pod: Pod) -> bool:
    return pod.node is None and pod.problem == UNSCHEDULABLE


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"
