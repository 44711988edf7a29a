"""The pool a model's pods go to: nodes chosen by what their labels say of the accelerator.

A pool is fixed when the Deployment is first made and kept in an annotation on it: a new node,
even one whose driver writes the product's name differently, changes no child of a running model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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

MEMORY_TOLERANCE = 0.05
"""Drivers differ by a few MiB in what they report of one product; products of one name differ by
a third or more (H20 with 96 and 141 GB)."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Nodes of one accelerator.

    Attributes:
        accelerator: catalog name.
        resource: extended resource that its pods ask for (``nvidia.com/gpu``).
        requirements: comparisons with node labels, (key, operator, values), that must all hold.
            Empty: no label names the product; the resource alone decides.
    """

    accelerator: str
    resource: str
    requirements: tuple[tuple[str, str, tuple[str, ...]], ...]

    def as_text(self) -> str:
        """Write the pool as the text of an annotation."""
        fields = [self.accelerator, self.resource, self.requirements]
        return json.dumps(fields, separators=(",", ":"))

    def as_expressions(self) -> list[dict[str, Any]]:
        """Write the requirements as ``matchExpressions``."""
        return [
            {"key": key, "operator": operator, "values": list(values)}
            for key, operator, values in self.requirements
        ]


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
    carriers = [n for n in nodes if n.group and n.group.accelerator.name == accelerator.name]
    kept = pool_of(live) if live is not None else None
    if kept is not None and kept.accelerator == accelerator.name and _still_matches(kept, carriers):
        return kept
    return Pool(
        accelerator=accelerator.name,
        resource=accelerator.resource,
        requirements=_requirements(accelerator, carriers, catalog),
    )


def pool_of(deployment: Manifest) -> Pool | None:
    """Read the pool that a Deployment was made for; None where the annotation is not readable."""
    text = (deployment["metadata"].get("annotations") or {}).get(labels.POOL, "")
    try:
        accelerator, resource, requirements = json.loads(text)
        return Pool(
            accelerator=str(accelerator),
            resource=str(resource),
            requirements=tuple(
                (str(key), str(operator), tuple(map(str, values)))
                for key, operator, values in requirements
            ),
        )
    except (ValueError, TypeError):
        return None


def _still_matches(pool: Pool, carriers: list[Node]) -> bool:
    """Whether the pool is not empty, or nothing better could be chosen anyway."""
    return not carriers or any(
        all(_holds(requirement, node.labels) for requirement in pool.requirements)
        for node in carriers
    )


def _holds(requirement: tuple[str, str, tuple[str, ...]], node_labels: Mapping[str, str]) -> bool:
    key, operator, values = requirement
    value = node_labels.get(key)
    if value is None:
        return False
    if operator == "In":
        return value in values
    if not value.isdecimal():
        return False
    return int(value) > int(values[0]) if operator == "Gt" else int(value) < int(values[0])


def _requirements(
    accelerator: Accelerator, carriers: list[Node], catalog: Catalog
) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
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


def _memory_requirements(
    accelerator: Accelerator, carriers: list[Node]
) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    if accelerator.vendor == "nvidia":
        low = int(accelerator.memory_mib * (1 - MEMORY_TOLERANCE))
        high = int(accelerator.memory_mib * (1 + MEMORY_TOLERANCE))
        return ((NVIDIA_MEMORY_KEY, "Gt", (str(low),)), (NVIDIA_MEMORY_KEY, "Lt", (str(high),)))
    for key in AMD_MEMORY_KEYS:
        sizes = tuple(sorted({n.labels[key] for n in carriers if n.labels.get(key)}))
        if sizes:
            return ((key, "In", sizes),)
    return ()
