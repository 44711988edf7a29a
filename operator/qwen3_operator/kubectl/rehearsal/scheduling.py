"""Where pods go: as kube-scheduler chooses, as far as GPUs, CPU, memory and labels decide.

Among the nodes that a pod may go to and that have room, kube-scheduler prefers the one with the
smallest share of CPU and memory in use (NodeResourcesFit, LeastAllocated:
https://kubernetes.io/docs/reference/scheduling/config/, read 2026-11-23). Affinity between pods and
spreading are not judged: what the operator admits fits wherever they lead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.admission import slots
from qwen3_operator.decisions.eligibility import may_run_on, selector_of
from qwen3_operator.decisions.requests import pod_requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_operator.ledger import Ledger
    from qwen3_operator.observed import Node


def choose_node(pod: Mapping[str, Any], ledger: Ledger) -> str | None:
    """Return the node that a pod goes to now; None where none has room."""
    selector, need = selector_of(pod["spec"]), pod_requests(pod["spec"])
    possible = [
        node
        for node in ledger.nodes()
        if may_run_on(selector, node) and slots(ledger.free(node.name), need)
    ]
    best = min(possible, key=lambda node: (_share_in_use(node, ledger), node.name), default=None)
    return best.name if best is not None else None


def _share_in_use(node: Node, ledger: Ledger) -> float:
    free, whole = ledger.free(node.name), node.allocatable
    cpu = 1 - free.cpu_millicores / whole.cpu_millicores if whole.cpu_millicores else 1.0
    memory = 1 - free.memory_bytes / whole.memory_bytes if whole.memory_bytes else 1.0
    return round((cpu + memory) / 2, 4)
