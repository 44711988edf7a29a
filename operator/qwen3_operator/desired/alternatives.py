"""Ways to be a node of a pool: by the labels of its product, or by those of a pool that can grow.

Whoever provisions nodes has to know beforehand that a new one will do. It does not know what GPU
Feature Discovery writes once a node is there, so the labels that it does know are another way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qwen3_operator.observed import Node

Comparison: TypeAlias = "tuple[str, str, tuple[str, ...]]"
"""With a node's label: key, operator, values."""

Comparisons: TypeAlias = "tuple[Comparison, ...]"
"""That must all hold."""


def other_ways(own: Comparisons, carriers: Iterable[Node]) -> tuple[Comparisons, ...]:
    """Return the ways to be a node that is to come and that the pool's own way does not take.

    Args:
        own: what must hold of the nodes that exist; empty: nothing.
        carriers: nodes of the accelerator, those to come included.
    """
    nodes = list(carriers)
    if not own and any(not node.to_come for node in nodes):
        return ()  # any node will do
    ways = {
        tuple((key, "In", (value,)) for key, value in sorted(node.labels.items()))
        for node in nodes
        if node.to_come and not (own and all_hold(own, node.labels))
    }
    return tuple(sorted(ways))


def all_hold(comparisons: Comparisons, labels: Mapping[str, str]) -> bool:
    """Whether every comparison holds for a node with these labels."""
    return all(holds(one, labels) for one in comparisons)


def holds(comparison: Comparison, labels: Mapping[str, str]) -> bool:
    """Whether one comparison holds.

    >>> holds(("memory", "Gt", ("80000",)), {"memory": "81559"})
    True
    >>> holds(("gpu", "DoesNotExist", ()), {}), holds(("gpu", "In", ("a",)), {})
    (True, False)
    """
    key, operator, values = comparison
    value = labels.get(key)
    if value is None or operator == "DoesNotExist":
        return value is None and operator == "DoesNotExist"
    if operator == "In":
        return value in values
    if not value.isdecimal():
        return False
    return int(value) > int(values[0]) if operator == "Gt" else int(value) < int(values[0])


def expressions(comparisons: Comparisons) -> list[dict[str, Any]]:
    """Write comparisons as ``matchExpressions``."""
    return [
        {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
        for key, operator, values in comparisons
    ]


def read(raw: Iterable[Iterable[Any]]) -> Comparisons:
    """Read comparisons back from JSON."""
    return tuple(
        (str(key), str(operator), tuple(map(str, values))) for key, operator, values in raw
    )
