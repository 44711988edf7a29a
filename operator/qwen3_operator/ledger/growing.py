"""Keeps in the books as many nodes to come as the pools that can grow may still get."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_operator.decisions.growth import GrowingPool
    from qwen3_operator.ledger.books import Books
    from qwen3_operator.observed import Node


class Growing:
    """Pools that can grow, with the nodes that exist of each; every method returns at once."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._pools: dict[str, GrowingPool] = {}
        self._nodes: dict[str, Node] = {}
        self._existing: dict[str, set[str]] = {}
        self._coming: dict[str, tuple[Node, ...]] = {}

    def put(self, pool: GrowingPool) -> bool:
        """Take a pool in its present shape; return whether the books changed."""
        if self._pools.get(pool.name) == pool:
            return False
        self._pools[pool.name] = pool
        self._existing[pool.name] = {n.name for n in self._nodes.values() if pool.has(n)}
        return self._expect(pool.name)

    def drop(self, name: str) -> bool:
        """Forget a pool; return whether the books changed."""
        self._pools.pop(name, None)
        self._existing.pop(name, None)
        return self._expect(name)

    def follow(self, before: Node | None, after: Node | None) -> bool:
        """Take a change of a node that exists; return whether other nodes are to come now."""
        changed = False
        if before is not None:
            self._nodes.pop(before.name, None)
        if after is not None:
            self._nodes[after.name] = after
        for name, pool in self._pools.items():
            existing = self._existing[name]
            count = len(existing)
            if before is not None:
                existing.discard(before.name)
            if after is not None and pool.has(after):
                existing.add(after.name)
            if len(existing) != count:
                changed |= self._expect(name)
        return changed

    def _expect(self, name: str) -> bool:
        """Bring the nodes to come of one pool into the books."""
        pool = self._pools.get(name)
        wanted = pool.nodes_to_come(len(self._existing[name])) if pool else ()
        kept = {node.name for node in wanted}
        changed = False
        for node in self._coming.get(name, ()):
            if node.name not in kept:
                changed |= self._books.delete_node(node.name)
        for node in wanted:
            changed |= self._books.upsert_node(node)
        self._coming[name] = wanted
        return changed
