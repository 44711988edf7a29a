"""Every layout worth asking about, over one or several nodes of each pool. Bounded, ordered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.catalog.tensor_sizes import divides_vocabulary, legal_tensor_sizes
from qwen3_planner.plan import Layout
from qwen3_planner.units import MIB, ceil_div

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import Accelerator, ModelArchitecture
    from qwen3_planner.inventory.hardware import Inventory, NodeGroup
    from qwen3_planner.question import WeightChoice
    from qwen3_planner.request import ParallelismWish

LARGEST_FREE_REPLICA = 64
"""GPUs of one replica that the planner considers unasked: 235B in bf16 needs 32 of the smallest
GPUs that take part. A larger one can be asked for."""

MOST_SPANS_TRIED = 1024
"""Node counts that are tried for a replica that has no room anyway."""

MOST_FREE_STAGES = 16
"""Pipeline stages that the planner considers unasked."""


@dataclass(frozen=True, slots=True)
class NodeKind:
    """Nodes of one size in a pool.

    Attributes:
        gpus: per node.
        count: nodes.
        name: of the node, where it is one with a name.
        usd_per_gpu_hour: of one GPU; None where no price is known.
        host_bytes: memory of one node; None where not stated.
    """

    gpus: int
    count: int
    name: str | None = None
    usd_per_gpu_hour: float | None = None
    host_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """Nodes with one accelerator.

    Attributes:
        accelerator: on all of them.
        nodes: by size; those without a GPU are left out.
    """

    accelerator: Accelerator
    nodes: tuple[NodeKind, ...]

    @property
    def device_bytes(self) -> int:
        """Memory of one device, as CUDA reports it to a process."""
        return self.accelerator.usable_memory_mib * MIB

    @property
    def gpus(self) -> int:
        """GPUs of all nodes."""
        return sum(kind.gpus * kind.count for kind in self.nodes)

    @property
    def largest_node(self) -> int:
        """GPUs of the largest node."""
        return max((kind.gpus for kind in self.nodes), default=0)

    @property
    def node_count(self) -> int:
        """Nodes with at least one GPU."""
        return sum(kind.count for kind in self.nodes)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One layout in one weight format on one pool."""

    pool: Pool
    choice: WeightChoice
    layout: Layout


def pools_of(inventory: Inventory, accelerators: tuple[str, ...]) -> tuple[Pool, ...]:
    """Gather the pools that may be used, in the inventory's order.

    Args:
        inventory: all hardware.
        accelerators: names that are allowed, letter case ignored; empty: any.
    """
    allowed = {name.lower() for name in accelerators}
    pools = []
    for accelerator in inventory.accelerators:
        if allowed and accelerator.name.lower() not in allowed:
            continue
        kinds = tuple(
            _kind_of(group)
            for group in inventory.pool(accelerator)
            if group.accelerators_per_node > 0 and group.count > 0
        )
        if kinds:
            pools.append(Pool(accelerator, kinds))
    return tuple(pools)


def _kind_of(group: NodeGroup) -> NodeKind:
    price = group.usd_per_hour
    return NodeKind(
        gpus=group.accelerators_per_node,
        count=group.count,
        name=group.name if group.count == 1 else None,
        usd_per_gpu_hour=None if price is None else price / group.accelerators_per_node,
        host_bytes=group.memory_bytes,
    )


@lru_cache(maxsize=4096)
def layouts(
    model: ModelArchitecture, pool: Pool, wish: ParallelismWish, replicas: int, gpu_limit: int
) -> tuple[Layout, ...]:
    """List the layouts of one replica, smallest first.

    What the user fixed is in every one of them. Where no replica of any listed size finds room,
    the smallest is listed all the same, so that there is something to refuse.

    Args:
        model: the architecture.
        pool: where it would run.
        wish: sizes that are fixed.
        replicas: that must all find room.
        gpu_limit: GPUs of one replica that the request allows.
    """
    share = min(pool.gpus // replicas, gpu_limit, LARGEST_FREE_REPLICA)
    node_share = min(pool.largest_node, max(1, share))
    is_free = wish.tensor is None and wish.pipeline is None
    data = wish.data or 1
    found, unplaced = [], []
    for tensor in _tensor_sizes(model, wish, share // data):
        for pipeline in _pipeline_sizes(model, wish, share // (data * tensor)):
            for expert in _expert_sizes(model, wish, tensor * data):
                gpus = tensor * pipeline * data
                nodes = smallest_span(pool, gpus, replicas)
                layout = Layout(tensor, pipeline, data, expert, nodes or _nominal_span(pool, gpus))
                if nodes is None:
                    unplaced.append(layout)
                elif not is_free or stages_earn_their_node(model, layout, node_share):
                    found.append(layout)
    found = sorted(found, key=_smallest_first) or sorted(unplaced, key=_smallest_first)[:1]
    return tuple(found)


def _smallest_first(layout: Layout) -> tuple[int, Layout]:
    return layout.gpus_per_replica, layout


def _tensor_sizes(model: ModelArchitecture, wish: ParallelismWish, limit: int) -> Iterator[int]:
    """Yield the fixed size, or those that divide the vocabulary (others are never legal)."""
    if wish.tensor is not None:
        yield wish.tensor
        return
    for size in range(1, max(1, limit) + 1):
        if divides_vocabulary(model, size):
            yield size


def _pipeline_sizes(model: ModelArchitecture, wish: ParallelismWish, limit: int) -> Iterator[int]:
    if wish.pipeline is not None:
        yield wish.pipeline
        return
    yield from range(1, max(1, min(limit, model.layers, MOST_FREE_STAGES)) + 1)


def _expert_sizes(model: ModelArchitecture, wish: ParallelismWish, group: int) -> Iterator[int]:
    if wish.expert is not None:
        yield wish.expert
        return
    yield 1
    if model.is_moe and group > 1:
        yield group


def stages_earn_their_node(model: ModelArchitecture, layout: Layout, node_share: int) -> bool:
    """Whether stages that share a node do so for want of something better.

    Inside a node tensor parallelism comes first: stages share one only where they take all of the
    node that there is to take, or no legal tensor size does with as many GPUs or more. That leaves
    out nothing that holds more: with the whole node the same stages are smaller.

    Args:
        model: the architecture.
        layout: of one replica.
        node_share: GPUs of a node that one replica may take.
    """
    each = layout.gpus_per_node
    if layout.pipeline == 1 or each <= layout.tensor * layout.data or each == node_share:
        return True
    return not any(each <= size <= node_share for size in legal_tensor_sizes(model))


def smallest_span(pool: Pool, gpus: int, replicas: int) -> int | None:
    """Return the fewest nodes over which every replica can be spread evenly.

    Each replica takes ``gpus / nodes`` GPUs on each of its nodes, which are different nodes; a
    node can give as many such parts as fit. All replicas find room exactly if the nodes together
    give ``replicas x nodes`` parts, each node at most one per replica.
    """
    for nodes in range(ceil_div(gpus, pool.largest_node), min(gpus, pool.node_count) + 1):
        if gpus % nodes == 0 and replicas_that_fit(pool, gpus // nodes, nodes, replicas):
            return nodes
    return None


def replicas_that_fit(pool: Pool, gpus_per_node: int, nodes: int, replicas: int) -> bool:
    """Whether this many replicas of that shape find room in the pool."""
    parts = sum(min(kind.gpus // gpus_per_node, replicas) * kind.count for kind in pool.nodes)
    return parts >= replicas * nodes


def _nominal_span(pool: Pool, gpus: int) -> int:
    """Nodes that a replica would need if there were more of the largest; evenly filled."""
    first = ceil_div(gpus, pool.largest_node)
    tried = range(first, min(gpus, first + MOST_SPANS_TRIED) + 1)
    return next((nodes for nodes in tried if gpus % nodes == 0), gpus)


def cheapest_usd_per_hour(pool: Pool, layout: Layout, replicas: int) -> float | None:
    """Return the hourly price of the GPUs that all replicas take, cheapest nodes first.

    None where a node that is needed has no price.
    """
    wanted = replicas * layout.nodes_per_replica
    total = 0.0
    unpriced = float("inf")
    order = sorted(
        pool.nodes,
        key=lambda kind: unpriced if kind.usd_per_gpu_hour is None else kind.usd_per_gpu_hour,
    )
    for kind in order:
        parts = min(kind.gpus // layout.gpus_per_node, replicas) * kind.count
        taken = min(parts, wanted)
        if taken and kind.usd_per_gpu_hour is None:
            return None
        total += taken * layout.gpus_per_node * (kind.usd_per_gpu_hour or 0.0)
        wanted -= taken
    return total if wanted <= 0 else None


def node_name(pool: Pool, layout: Layout) -> str | None:
    """Name the node, where only one in the pool is large enough and it has a name."""
    large = [kind for kind in pool.nodes if kind.gpus >= layout.gpus_per_node]
    is_single = len(large) == 1 and large[0].count == 1
    return large[0].name if is_single else None
