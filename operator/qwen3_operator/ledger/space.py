"""Nodes, the pods bound to them, and what these leave free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.decisions.admission import minus, plus
from qwen3_operator.observed import Resources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_operator.observed import Node, Pod

NOTHING = Resources()


class Space:
    """What is free on every node: allocatable less the requests of bound, unfinished pods."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.free: dict[str, Resources] = {}
        self._used: dict[str, Resources] = {}
        self._pods: dict[str, dict[str, Pod]] = {}

    def put_node(self, node: Node) -> None:
        """Take a node in its present state."""
        self.nodes[node.name] = node
        self._recount(node.name)

    def drop_node(self, name: str) -> None:
        """Forget a node; pods that are still listed on it wait for its return."""
        del self.nodes[name]
        del self.free[name]

    def put_pod(self, pod: Pod) -> None:
        """Take a bound pod that was not there before."""
        assert pod.node is not None, "only bound pods take space"  # noqa: S101 - for the type checker
        self._pods.setdefault(pod.node, {})[pod.uid] = pod
        self._used[pod.node] = plus(self._used.get(pod.node, NOTHING), pod.requests)
        self._recount(pod.node)

    def drop_pod(self, pod: Pod) -> None:
        """Forget a bound pod."""
        assert pod.node is not None, "only bound pods take space"  # noqa: S101 - for the type checker
        del self._pods[pod.node][pod.uid]
        self._used[pod.node] = minus(self._used[pod.node], pod.requests)
        self._recount(pod.node)

    def pods_on(self, node: str) -> Iterable[Pod]:
        """Return the pods bound to a node."""
        return self._pods.get(node, {}).values()

    def _recount(self, name: str) -> None:
        node = self.nodes.get(name)
        if node is not None:
            self.free[name] = minus(node.allocatable, self._used.get(name, NOTHING))
