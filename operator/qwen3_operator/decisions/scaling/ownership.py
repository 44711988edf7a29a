"""Whose business the number of replicas is.

Who writes ``spec.replicas`` through the scale subresource owns the field there
(``metadata.managedFields``). People do so with kubectl, once; autoscalers do so again and again,
and two of them would fight. So another one is left alone with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PEOPLE = ("kubectl", "node-fetch", "k9s", "headlamp", "Lens")
"""Beginnings of the names under which people write, by hand: kubectl, the web consoles, k9s."""

HPA_CONTROLLER = "kube-controller-manager"
"""Name under which the HorizontalPodAutoscaler's controller writes."""


def scale_managers(managed_fields: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return who owns the number of replicas through the scale subresource, sorted."""
    return tuple(
        sorted(
            str(entry.get("manager", ""))
            for entry in managed_fields
            if entry.get("subresource") == "scale"
            and "f:replicas" in (entry.get("fieldsV1") or {}).get("f:spec", {})
        )
    )


def delegated_to(managers: Iterable[str], own: str, autoscaler: str | None) -> str | None:
    """Say which other autoscaler the number of replicas belongs to; None: to us.

    Args:
        managers: who owns it through the scale subresource.
        own: the name under which this operator writes.
        autoscaler: name of the HorizontalPodAutoscaler that is about this resource; None where
            there is none. KEDA makes one of its own.
    """
    if autoscaler is not None:
        return f"HorizontalPodAutoscaler {autoscaler}"
    for manager in managers:
        # The controller's name stays on the field when its HorizontalPodAutoscaler is deleted.
        if manager not in {own, HPA_CONTROLLER} and not manager.startswith(PEOPLE):
            return f"field manager {manager}"
    return None
