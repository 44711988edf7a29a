"""Where a replica over several nodes should stand: near together, by what labels say of distance.

Pure, for whoever builds groups: :func:`nearest_domain` picks the place of one group now,
:func:`domain_key` the label by which groups of a size can always be kept together here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qwen3_operator.observed import Node

NVLINK_DOMAIN = "nvidia.com/gpu.clique"
"""Label of nodes whose GPUs one NVLink switch joins: ``<ClusterUUID>.<CliqueID>``
(NVIDIA/k8s-device-plugin@1b826ac docs/gpu-feature-discovery/README.md)."""

DEFAULT_KEYS = (NVLINK_DOMAIN,)
"""Labels that say what is near, the nearest first; racks are labelled differently everywhere, so
their labels are the operator's settings."""


@dataclass(frozen=True, slots=True)
class Domain:
    """Nodes that are near each other.

    Attributes:
        key: label that tells them from others.
        value: of that label.
        room: pods of the group that find room there.
    """

    key: str
    value: str
    room: int


def nearest_domain(
    nodes: Iterable[Node], room: Mapping[str, int], size: int, keys: Sequence[str] = DEFAULT_KEYS
) -> Domain | None:
    """Choose the domain of one group: the nearest kind that holds it whole, the tightest of them.

    The tightest leaves the wide ones to larger groups. None: no domain holds the whole group, or
    no label tells domains; the group then stands anywhere.

    Args:
        nodes: that the group's pods may go to.
        room: by node, how many of its pods find room there now (absent: none).
        size: pods of the group.
        keys: labels of nodes that say what is near, the nearest first.
    """
    known = list(nodes)
    for key in keys:
        fitting = [one for one in _domains(known, room, key) if one.room >= size]
        if fitting:
            return min(fitting, key=lambda one: (one.room, one.value))
    return None


def domain_key(
    nodes: Iterable[Node], capacity: Mapping[str, int], size: int, keys: Sequence[str]
) -> str | None:
    """Return the nearest kind of domain of which one can hold a whole group at all.

    Args:
        nodes: that the group's pods may go to.
        capacity: by node, how many of its pods it holds when it is empty.
        size: pods of the group.
        keys: labels of nodes that say what is near, the nearest first.
    """
    domain = nearest_domain(nodes, capacity, size, keys)
    return domain.key if domain is not None else None


def _domains(nodes: Iterable[Node], room: Mapping[str, int], key: str) -> list[Domain]:
    together: defaultdict[str, int] = defaultdict(int)
    for node in nodes:
        value = node.labels.get(key)
        if value:
            together[value] += room.get(node.name, 0)
    return [Domain(key, value, pods) for value, pods in together.items()]
