"""Why replicas wait for GPUs, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_HOLDERS = 5
"""Named in a message; the others would be many words for few GPUs."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds GPUs in the pool."""

    name: str
    gpus: int


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """GPUs of one node that its device plugin does not offer."""

    node: str
    gpus: int
    of: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why replicas wait, in numbers.

    Attributes:
        resource: the extended resource in short supply.
        gpus_per_replica: of it.
        accelerator: what the GPUs are, by catalog name; empty where the nodes differ or do not say.
        missing_replicas: how many replicas wait.
        nodes: of the pool that pods can go to now.
        gpus_total: what these nodes offer.
        gpus_free: what nobody holds.
        gpus_free_on_one_node: the most that is free on one node.
        gpus_promised: what admitted pods not yet bound may take of it.
        gpus_missing: how many more have to become free, on the right nodes, at the least.
        other_resource: ``cpu``, ``memory`` or ``pods`` where GPUs are free but that is not.
        holders: workloads on these nodes that may be named, the largest first: those of the
            resource's own namespace, and others as ``namespace/name`` where settings say so.
        other_holders: how many further workloads of other namespaces there are.
        other_gpus: what those hold together.
        position: in the queue, 1 is next.
        waiting: how many resources wait.
        unhealthy: GPUs of the pool that nobody can have, by node.
        quota: ``name of the ResourceQuota: used of hard`` where that is what binds; empty
            otherwise.
        nodes_per_replica: each of which has to give as many GPUs.
        nodes_to_come: of the nodes, those that the pool may grow by.
    """

    resource: str
    gpus_per_replica: int
    missing_replicas: int
    nodes: int
    gpus_total: int
    gpus_free: int
    gpus_free_on_one_node: int
    gpus_promised: int
    other_resource: str
    holders: tuple[Holder, ...]
    other_holders: int
    other_gpus: int
    position: int
    waiting: int
    quota: str = ""
    nodes_per_replica: int = 1
    accelerator: str = ""
    gpus_missing: int = 0
    unhealthy: tuple[Unhealthy, ...] = ()
    nodes_to_come: int = 0


def explain(wanted: int, shortage: Shortage) -> Verdict:
    """Say why replicas wait and what would help."""
    if shortage.quota:
        return Verdict(Reason.QUOTA_EXCEEDED, _quota_sentence(wanted, shortage))
    who = _replicas(shortage.missing_replicas, wanted)
    if not shortage.resource:
        return Verdict(Reason.INSUFFICIENT_CPU, _on_cpus(who, shortage))
    sentences = [f"{who} for {_what(shortage)} {_spread(shortage)}.", _where(shortage)]
    if shortage.holders or shortage.other_holders:
        sentences.append(f"Held by {_holders(shortage)}.")
    if shortage.unhealthy:
        sentences.append(say_unhealthy(shortage.unhealthy))
    sentences.append(f"Position {shortage.position} of {shortage.waiting} in the queue.")
    return Verdict(Reason.INSUFFICIENT_GPU, " ".join(sentences))


def _on_cpus(who: str, shortage: Shortage) -> str:
    """Say what replicas that compute on CPUs wait for."""
    noun = "node" if shortage.nodes == 1 else "nodes"
    short = {"cpu": "too few cores", "memory": "too little memory"}.get(shortage.other_resource)
    why = f"each has {short or 'no room'} free" if shortage.nodes else "none takes pods now"
    return (
        f"{who} for a node with enough cores and memory: of {shortage.nodes} {noun} of the pool"
        f" {why}. spec.resources.requests.cpu takes fewer. Position {shortage.position} of"
        f" {shortage.waiting} in the queue."
    )


def _spread(shortage: Shortage) -> str:
    """Say over what: a replica over several nodes holds nothing until it has everything."""
    if shortage.nodes_per_replica > 1:
        return f"on each of {shortage.nodes_per_replica} nodes at once"
    missing = f": {shortage.gpus_missing} more must be free" if shortage.gpus_missing else ""
    return f"on one node{missing}"


def _replicas(missing: int, wanted: int) -> str:
    if missing == wanted:
        return "The replica waits" if wanted == 1 else f"All {wanted} replicas wait, each"
    verb = "waits" if missing == 1 else "wait, each"
    return f"{missing} of {wanted} replicas {verb}"


def _what(shortage: Shortage) -> str:
    """Say what each replica takes: ``4 x H100-SXM-80GB (nvidia.com/gpu)``."""
    count, resource = shortage.gpus_per_replica, shortage.resource
    if not shortage.accelerator:
        return f"{count} x {resource}"
    return f"{count} x {shortage.accelerator} ({resource})"


def say_unhealthy(found: Sequence[Unhealthy]) -> str:
    """Name GPUs that their device plugins do not offer.

    >>> say_unhealthy([Unhealthy("h100-0", 2, 8), Unhealthy("h100-1", 8, 8)])
    'Unhealthy GPUs: 2 of 8 on h100-0, 8 of 8 on h100-1.'
    """
    told = sorted(found, key=lambda one: one.node)
    named = [f"{one.gpus} of {one.of} on {one.node}" for one in told[:MAX_HOLDERS]]
    rest = told[MAX_HOLDERS:]
    if rest:
        named.append(f"{sum(one.gpus for one in rest)} on {len(rest)} more nodes")
    return f"Unhealthy GPUs: {', '.join(named)}."


def missing_gpus(free: Sequence[int], per_replica: int, replicas: int) -> int:
    """Count the GPUs that have to become free for so many replicas more, at the least.

    Args:
        free: GPUs by node.
        per_replica: all on one node.
        replicas: that wait.

    >>> missing_gpus([3, 3], per_replica=4, replicas=1), missing_gpus([0], 4, 2)
    (1, 8)
    """
    if not per_replica:
        return 0
    waiting = replicas - sum(count // per_replica for count in free)
    over = sorted((count % per_replica for count in free), reverse=True)
    return sum(per_replica - (over[n] if n < len(over) else 0) for n in range(max(0, waiting)))


def _quota_sentence(wanted: int, shortage: Shortage) -> str:
    who = _replicas(shortage.missing_replicas, wanted)
    return (
        f"{who} for {shortage.gpus_per_replica} x {shortage.resource} within the namespace's"
        f" ResourceQuota {shortage.quota}. Raise the quota or free some of it."
    )


def _where(shortage: Shortage) -> str:
    if not shortage.nodes:
        return "No node of the pool takes pods now: all are cordoned, NotReady or gone."
    nodes = "The 1 node" if shortage.nodes == 1 else f"The {shortage.nodes} nodes"
    has = "has" if shortage.nodes == 1 else "have"
    text = f"{nodes} of the pool {has} {shortage.gpus_free} of {shortage.gpus_total} free"
    if shortage.nodes > 1:
        text += f", at most {shortage.gpus_free_on_one_node} on one node"
    if shortage.nodes_to_come:
        text += f", {shortage.nodes_to_come} of the nodes yet to come"
    if shortage.gpus_promised:
        text += f", and {shortage.gpus_promised} are promised to pods that are being placed"
    if shortage.other_resource:
        text += f"; where GPUs are free, {shortage.other_resource} is not"
    return text + "."


def _holders(shortage: Shortage) -> str:
    named = [f"{holder.name} ({holder.gpus})" for holder in shortage.holders[:MAX_HOLDERS]]
    rest = shortage.holders[MAX_HOLDERS:]
    if rest:
        named.append(f"{len(rest)} more here ({sum(holder.gpus for holder in rest)})")
    if shortage.other_holders:
        count = shortage.other_holders
        noun = "workload" if count == 1 else "workloads"
        named.append(f"{count} {noun} of other namespaces ({shortage.other_gpus})")
    return ", ".join(named)
