"""The hardware of a cluster as the planner's inventory: ``qwen3 plan --cluster``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from qwen3_operator.decisions.capacity import inventory_for
from qwen3_operator.decisions.eligibility import Selector, Toleration
from qwen3_operator.kubectl.connecting import Cluster, Place, ask
from qwen3_operator.kubectl.looking import View, look
from qwen3_operator.kubectl.topping import free_gpus
from qwen3_planner.errors import UnreachableError

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory

GPU_TOLERATIONS = tuple(Toleration(key, "Exists") for key in ("nvidia.com/gpu", "amd.com/gpu"))
"""Every pod of the operator's tolerates these taints of GPU nodes."""


def live_inventory(catalog: Catalog) -> Inventory:
    """Return what the cluster has, whoever uses it now; say on stderr what of it is free.

    Raises:
        UnreachableError: no cluster is configured, it does not answer, or it has no GPU that can
            be planned on.
    """
    del catalog  # nodes are read with the one that comes with the package, as the operator does

    async def read(cluster: Cluster) -> View:
        return await look(cluster.api, (), None)

    view = ask(Place(), read)
    inventory = inventory_for(Selector(tolerations=GPU_TOLERATIONS), view.nodes)
    if not inventory.groups:
        why = "; ".join(f"{node.name}: {node.note}" for node in view.nodes if node.note)
        raise UnreachableError(f"no node of the cluster offers hardware to plan on. {why}".rstrip())
    for line in free_gpus(view):
        click.echo(f"cluster: {line}", err=True)
    return inventory
