"""The pool a model's pods go to: nodes chosen by what their labels say of the accelerator.

A pool is fixed when the Deployment is first made and kept in an annotation on it: a new node,
even one whose driver writes the product's name differently, changes no child of a running model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels
from qwen3_operator.desired.alternatives import all_hold, expressions, other_ways, read
from qwen3_planner.inventory.cpu_nodes import ARCHITECTURE_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qwen3_operator.desired.alternatives import Comparisons
    from qwen3_operator.observed import Manifest, Node
    from qwen3_planner.catalog.rows import Accelerator, Catalog

PRODUCT_KEYS: Mapping[str, tuple[str, ...]] = {
    "nvidia": ("nvidia.com/gpu.product",),
    "amd": ("amd.com/gpu.product-name", "beta.amd.com/gpu.product-name"),
}
"""Labels that name the product, by vendor, preferred first. GPU Feature Discovery
(NVIDIA/k8s-device-plugin@1b826ac) and AMD's node labeller (ROCm/k8s-device-plugin@ed76468)."""

NVIDIA_MEMORY_KEY = "nvidia.com/gpu.memory"
"""MiB of one GPU as the driver reports it."""

AMD_MEMORY_KEYS = ("amd.com/gpu.vram", "beta.amd.com/gpu.vram")
"""GiB of one GPU, rounded, with the letter G."""

GPU_PRESENT_KEYS = ("nvidia.com/gpu.present", "amd.com/gpu.product-name")
"""Labels of nodes with GPUs, which pods that compute on CPUs leave to others."""

SPARE_SHARE = 4
"""One in so many cores of a node, at least one, is left to what else runs there. Assumed: decoding
waits for memory long before it uses all cores."""

MEMORY_TOLERANCE = 0.05
"""Drivers differ by a few MiB in what they report of one product; products of one name differ by
a third or more (H20 with 96 and 141 GB)."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Nodes of one accelerator.

    Attributes:
        accelerator: catalog name.
        resource: extended resource that its pods ask for (``nvidia.com/gpu``); empty: they
            compute on CPUs.
        requirements: comparisons with node labels, (key, operator, values), that must all hold.
            Empty: no label names the product; the resource alone decides.
        cores: that each pod computes with where it computes on CPUs; 0 elsewhere.
        others: other ways to be a node of the pool, for nodes that are yet to come.
        products: of the GPUs, as their driver names them, where claims ask for these.
    """

    accelerator: str
    resource: str
    requirements: Comparisons
    cores: int = 0
    others: tuple[Comparisons, ...] = ()
    products: tuple[str, ...] = ()

    @property
    def architecture(self) -> str:
        """Of its CPUs; that of nearly all GPU nodes where no label has to say it."""
        named = (values for key, _, values in self.requirements if key == ARCHITECTURE_LABEL)
        return next(named, ("amd64",))[0]

    @property
    def ways(self) -> tuple[Comparisons, ...]:
        """All ways to be a node of the pool, of which one has to hold; none: any node."""
        own = (self.requirements,) if self.requirements else ()
        return own + self.others

    def takes(self, node_labels: Mapping[str, str]) -> bool:
        """Whether a node with these labels is of the pool, as far as labels say."""
        return not self.ways or any(all_hold(way, node_labels) for way in self.ways)

    def as_text(self) -> str:
        """Write the pool as the text of an annotation."""
        fields = [self.accelerator, self.resource, self.requirements]
        more: list[Any] = [self.cores, self.others, self.products]
        while more and not more[-1]:
            more.pop()  # written as before there was anything of the kind
        return json.dumps([*fields, *more], separators=(",", ":"))

    def as_expressions(self) -> list[dict[str, Any]]:
        """Write the requirements as ``matchExpressions``."""
        return expressions(self.requirements)

    def as_terms(self) -> list[list[dict[str, Any]]]:
        """Write all ways as ``matchExpressions``, of which one has to hold; none: any node."""
        return [expressions(way) for way in self.ways]


def pool_for(
    accelerator: Accelerator, nodes: Iterable[Node], catalog: Catalog, live: Manifest | None = None
) -> Pool:
    """Choose the pool of an accelerator.

    Args:
        accelerator: of the plan.
        nodes: of the cluster.
        catalog: says which products share a name.
        live: the Deployment as it lives; its pool is kept while a node still matches it.
    """
    name = accelerator.name
    carriers = [n for n in nodes if any(one.accelerator.name == name for one in n.groups)]
    kept = pool_of(live) if live is not None else None
    if kept is not None and kept.accelerator == accelerator.name and _still_matches(kept, carriers):
        return kept
    if not accelerator.resource:
        return _cpu_pool(accelerator, carriers)
    requirements = _requirements(accelerator, carriers, catalog)
    return Pool(
        accelerator=accelerator.name,
        resource=accelerator.resource,
        requirements=requirements,
        others=other_ways(requirements, carriers),
        products=tuple(sorted({product for node in carriers for product in node.products})),
    )


def accelerator_named(name: str, nodes: Iterable[Node], catalog: Catalog) -> Accelerator:
    """Return what a plan calls its accelerator: a node's, as it was read, or the catalog's.

    CPUs and GPUs that no catalog holds are known by the nodes that have them.

    Raises:
        KeyError: nobody knows it.
    """
    for node in nodes:
        for group in node.groups:
            if group.accelerator.name == name:
                return group.accelerator
    return catalog.accelerator(name)


def _cpu_pool(accelerator: Accelerator, carriers: list[Node]) -> Pool:
    """Choose nodes by what their CPUs understand; their memory is chosen by what pods ask for.

    A replica takes most of a node's cores, so that no second one comes beside it: the plan counts
    on all of the memory's bandwidth.
    """
    cores = min((int(n.cpu.cpu or 0) for n in carriers if n.cpu is not None), default=0)
    return Pool(
        accelerator=accelerator.name,
        resource="",
        requirements=(
            (ARCHITECTURE_LABEL, "In", (accelerator.architecture,)),
            *((key, "DoesNotExist", ()) for key in GPU_PRESENT_KEYS),
        ),
        cores=max(1, cores - max(1, cores // SPARE_SHARE)),
    )


def pool_of(deployment: Manifest) -> Pool | None:
    """Read the pool that a Deployment was made for; None where the annotation is not readable."""
    text = (deployment["metadata"].get("annotations") or {}).get(labels.POOL, "")
    try:
        accelerator, resource, requirements, *more = json.loads(text)
        cores = more[0] if more else 0
        others = more[1] if len(more) > 1 else ()
        return Pool(
            accelerator=str(accelerator),
            resource=str(resource),
            requirements=read(requirements),
            cores=int(cores),
            others=tuple(read(way) for way in others),
            products=tuple(map(str, more[2])) if len(more) > 2 else (),  # noqa: PLR2004 - its place
        )
    except (ValueError, TypeError):
        return None


def _still_matches(pool: Pool, carriers: list[Node]) -> bool:
    """Whether the pool is not empty, or nothing better could be chosen anyway."""
    return not carriers or any(pool.takes(node.labels) for node in carriers)


def _requirements(accelerator: Accelerator, carriers: list[Node], catalog: Catalog) -> Comparisons:
    for key in PRODUCT_KEYS.get(accelerator.vendor, ()):
        products = tuple(sorted({n.labels[key] for n in carriers if n.labels.get(key)}))
        if products:
            chosen = ((key, "In", products),)
            if any(_is_ambiguous(product, accelerator.vendor, catalog) for product in products):
                return chosen + _memory_requirements(accelerator, carriers)
            return chosen
    return ()


def _is_ambiguous(product: str, vendor: str, catalog: Catalog) -> bool:
    """Whether the label names several accelerators; the longest name that it begins with counts."""
    lengths = [
        max((len(name) for name in row.product_labels if product.startswith(name)), default=0)
        for row in catalog.accelerators
        if row.vendor == vendor
    ]
    return lengths.count(max(lengths, default=0)) > 1


def _memory_requirements(accelerator: Accelerator, carriers: list[Node]) -> Comparisons:
    if accelerator.vendor == "nvidia":
        low = int(accelerator.memory_mib * (1 - MEMORY_TOLERANCE))
        high = int(accelerator.memory_mib * (1 + MEMORY_TOLERANCE))
        return ((NVIDIA_MEMORY_KEY, "Gt", (str(low),)), (NVIDIA_MEMORY_KEY, "Lt", (str(high),)))
    for key in AMD_MEMORY_KEYS:
        sizes = tuple(sorted({n.labels[key] for n in carriers if n.labels.get(key)}))
        if sizes:
            return ((key, "In", sizes),)
    return ()
