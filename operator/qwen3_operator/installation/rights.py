"""What the operator does in a cluster, as rights: the chart's roles, read by a program.

A test holds the two to each other. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

READ = ("list", "watch")
CHILD = ("list", "watch", "create", "patch", "delete")

EVERYWHERE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("", "nodes", READ),
    ("", "pods", READ),
    ("scheduling.k8s.io", "priorityclasses", READ),
    ("resource.k8s.io", "deviceclasses", READ),
    ("resource.k8s.io", "resourceslices", READ),
    ("resource.k8s.io", "resourceclaims", READ),
    ("karpenter.sh", "nodepools", READ),
    ("gateway.networking.k8s.io", "gateways", READ),
)
"""Group, resource and verbs in the whole cluster: which GPUs there are, and who holds them."""

SERVED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("serving.qwen3.dev", "qwen3deployments", ("get", *READ)),
    ("serving.qwen3.dev", "qwen3deployments/status", ("patch",)),
    ("serving.qwen3.dev", "qwen3deployments/scale", ("patch",)),
    ("serving.qwen3.dev", "qwen3deployments/finalizers", ("update",)),
    ("autoscaling", "horizontalpodautoscalers", ("list",)),
    ("apps", "deployments", CHILD),
    ("apps", "statefulsets", CHILD),
    ("apps", "controllerrevisions", CHILD),
    ("leaderworkerset.x-k8s.io", "leaderworkersets", CHILD),
    ("policy", "poddisruptionbudgets", CHILD),
    ("", "services", CHILD),
    ("", "configmaps", CHILD),
    ("", "resourcequotas", READ),
    ("", "pods", (*READ, "patch", "delete")),
    ("", "persistentvolumeclaims", CHILD),
    ("resource.k8s.io", "resourceclaimtemplates", CHILD),
    ("kueue.x-k8s.io", "localqueues", READ),
    ("batch", "jobs", CHILD),
    ("networking.k8s.io", "ingresses", CHILD),
    ("networking.k8s.io", "networkpolicies", CHILD),
    ("gateway.networking.k8s.io", "httproutes", CHILD),
    ("inference.networking.k8s.io", "inferencepools", CHILD),
    ("monitoring.coreos.com", "podmonitors", CHILD),
    ("events.k8s.io", "events", (*READ, "create")),
)
"""The same in the namespaces that are served."""


@dataclass(frozen=True, slots=True)
class Right:
    """Something that the operator must be allowed to do.

    Attributes:
        group: of the API; empty: the core.
        resource: in plural, with its subresource: ``qwen3deployments/status``.
        verb: ``list``, ``patch`` …
        namespace: where; empty: everywhere.
        name: of the one object that is meant; empty: of any.
    """

    group: str
    resource: str
    verb: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        """Say it as kubectl auth can-i is asked.

        >>> str(Right("apps", "deployments", "patch", "team-a")), str(Right("", "nodes", "list"))
        ('patch deployments.apps in team-a', 'list nodes in all namespaces')
        """
        resource, slash, subresource = self.resource.partition("/")
        what = f"{resource}.{self.group}" if self.group else resource
        where = self.namespace or "all namespaces"
        named = f" {self.name}" if self.name else ""
        return f"{self.verb} {what}{slash}{subresource}{named} in {where}"

    def as_question(self) -> dict[str, Any]:
        """Return the SelfSubjectAccessReview that asks for it."""
        resource, _, subresource = self.resource.partition("/")
        asked = {
            "group": self.group,
            "resource": resource,
            "subresource": subresource,
            "verb": self.verb,
            "namespace": self.namespace,
            "name": self.name,
        }
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in asked.items() if value}},
        }


def needed(
    namespaces: Sequence[str], lease: tuple[str, str], groups: Collection[str]
) -> tuple[Right, ...]:
    """List every right that an operator needs.

    Args:
        namespaces: that it serves; none: all.
        lease: namespace and name of its Lease.
        groups: that the API server serves; what the cluster lacks needs no right.
    """
    home, name = lease
    found = [
        *_rights(EVERYWHERE, ""),
        *(right for where in namespaces or ("",) for right in _rights(SERVED, where)),
        Right("coordination.k8s.io", "leases", "create", home),
        *(Right("coordination.k8s.io", "leases", verb, home, name) for verb in ("get", "update")),
    ]
    return tuple(right for right in found if not right.group or right.group in groups)


def _rights(table: Sequence[tuple[str, str, Sequence[str]]], namespace: str) -> Iterator[Right]:
    for group, resource, verbs in table:
        for verb in verbs:
            yield Right(group, resource, verb, namespace)
