"""The reference page of rights: what the chart's roles allow, and why, verb by verb.

The rules are those that the chart renders (tests/golden/chart, which the cluster tests hold to
Helm's own output); the reasons stand here. A right without a reason, or a reason without a right,
is an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "chart"
RENDERED = (GOLDEN / "everything.out.yaml", GOLDEN / "defaults.out.yaml")
"""In the first, served namespaces are named, so each role stands apart; the second has the users'.
"""


class Reason(NamedTuple):
    """Why some verbs are needed on one resource."""

    verbs: str
    why: str


_SEEN = Reason("list watch", "to see what is there, and drift")
_KEPT = (
    _SEEN,
    Reason("create patch", "server-side apply, which makes and mends in one request"),
    Reason("delete", "what the resource no longer asks for"),
)

EVERYWHERE: dict[str, Sequence[Reason]] = {
    "nodes": [Reason("list watch", "which GPUs there are, on which nodes")],
    "pods": [
        Reason("list watch", "who holds them; of pods of others only node, GPUs and priority stay")
    ],
    "scheduling.k8s.io/priorityclasses": [Reason("list watch", "who gets GPUs first")],
    "resource.k8s.io/deviceclasses": [Reason("list watch", "GPUs by dynamic resource allocation")],
    "resource.k8s.io/resourceslices": [Reason("list watch", "the same: which devices nodes have")],
    "resource.k8s.io/resourceclaims": [Reason("list watch", "the same: who holds them")],
    "karpenter.sh/nodepools": [Reason("list watch", "pools that can grow")],
    "gateway.networking.k8s.io/gateways": [
        Reason("list watch", "under which URL a route is reached; Gateways live elsewhere")
    ],
}

SERVED: dict[str, Sequence[Reason]] = {
    "serving.qwen3.dev/qwen3deployments": [
        Reason("list watch", "what is asked for"),
        Reason("get", "one of them afresh, before a decision that must not be made twice"),
    ],
    "serving.qwen3.dev/qwen3deployments/status": [Reason("patch", "the plan and the conditions")],
    "serving.qwen3.dev/qwen3deployments/scale": [
        Reason("patch", "replicas by load, as an autoscaler writes them")
    ],
    "serving.qwen3.dev/qwen3deployments/finalizers": [
        Reason("update", "owner references that block deletion; nothing is written there")
    ],
    "autoscaling/horizontalpodautoscalers": [
        Reason("list", "a resource that another autoscaler scales is left to it")
    ],
    "apps/deployments": _KEPT,
    "apps/statefulsets": _KEPT,
    "leaderworkerset.x-k8s.io/leaderworkersets": _KEPT,
    "apps/controllerrevisions": [
        Reason("list watch", "what pods were made from, for upgrades and for going back"),
        Reason("create patch", "writing that down, by server-side apply"),
        Reason("delete", "revisions that nothing may return to any more"),
    ],
    "policy/poddisruptionbudgets": _KEPT,
    "services": _KEPT,
    "configmaps": [
        Reason(
            "list watch", "those with our label: code in engines, adapters of a model that runs"
        ),
        *_KEPT[1:],
    ],
    "resourcequotas": [Reason("list watch", "what a namespace may hold at most")],
    "pods": [
        Reason("list watch", "how the model's own pods are"),
        Reason("patch", "lifting the scheduling gate of a replica over several nodes"),
        Reason("delete", "taking such a replica back as a whole, or restarting all its ranks"),
    ],
    "persistentvolumeclaims": [
        Reason("list watch", "claims of caches, and who else uses them"),
        Reason("create patch", "making one, and joining or leaving it"),
        Reason("delete", "a claim that the operator made and whose last user leaves it"),
    ],
    "batch/jobs": [
        Reason("list watch", "how far the filling of a cache is"),
        Reason("create patch", "filling one, and joining it"),
        Reason("delete", "what is done, or failed and is tried again"),
    ],
    "resource.k8s.io/resourceclaimtemplates": _KEPT,
    "kueue.x-k8s.io/localqueues": [
        Reason("list watch", "whether the queue that is named is there")
    ],
    "networking.k8s.io/ingresses": _KEPT,
    "networking.k8s.io/networkpolicies": _KEPT,
    "gateway.networking.k8s.io/httproutes": _KEPT,
    "inference.networking.k8s.io/inferencepools": _KEPT,
    "monitoring.coreos.com/podmonitors": _KEPT,
    "events.k8s.io/events": [
        Reason("list watch", "StatefulSets and Jobs say only there that their pods are refused"),
        Reason("create", "saying what happened to a resource"),
    ],
}

HOME: dict[str, Sequence[Reason]] = {
    "coordination.k8s.io/leases": [
        Reason("create", "the Lease of the one operator that works; cannot be limited to a name"),
        Reason("get update", "the same, this one by its name only"),
    ],
}

USERS: dict[str, Sequence[Reason]] = {
    "serving.qwen3.dev/qwen3deployments": [
        Reason("get list watch", "`view`, `edit` and `admin`"),
        Reason("create delete deletecollection patch update", "`edit` and `admin`"),
    ],
    "serving.qwen3.dev/qwen3deployments/scale": [
        Reason("get list watch", "`view`, `edit` and `admin`"),
        Reason("create delete deletecollection patch update", "`edit` and `admin`: kubectl scale"),
    ],
    "serving.qwen3.dev/qwen3deployments/status": [
        Reason("get list watch", "`view`; nobody but the operator writes it")
    ],
}

_HEAD = """\
# Rights

<!-- Written by `make generate` from the chart's roles and scripts/rights_page.py; do not edit. -->

What the chart's roles allow, each verb with its reason. Nothing is a wildcard. The operator reads
no Secret: pods name theirs, and the kubelet hands them over. It makes no pod by itself, no role, no
binding and no token, opens no shell in a container and reads no logs.
[Security](../explanation/security.md) says what follows from it.
"""


class Section(NamedTuple):
    """A part of the page."""

    title: str
    note: str
    reasons: Mapping[str, Sequence[Reason]]


SECTIONS = (
    Section(
        "In the whole cluster",
        "GPUs that others hold are not free, so nodes and pods are read everywhere, also where\n"
        "`watchNamespaces` is set.",
        EVERYWHERE,
    ),
    Section(
        "In the namespaces that are served",
        "A ClusterRole for all of them, or a Role in each of `watchNamespaces`.",
        SERVED,
    ),
    Section("In the operator's namespace", "A Role, for the Lease alone.", HOME),
    Section(
        "What users get",
        "`rbac.aggregate` adds it to the roles that Kubernetes has for people. Who may write a\n"
        "Qwen3Deployment has pods made, which `edit` and `admin` may anyway.",
        USERS,
    ),
)


def rights_page() -> str:
    """Return the page.

    Raises:
        ValueError: roles and reasons differ.
    """
    check(rendered_rights())
    lines = [_HEAD]
    for section in SECTIONS:
        lines += [f"## {section.title}", "", section.note, ""]
        lines += ["| group | resource | verbs | why |", "|---|---|---|---|"]
        for resource, rows in section.reasons.items():
            group, plural = resource.split("/", 1) if "/" in resource else ("core", resource)
            lines += [
                f"| {group} | `{plural}` | {row.verbs.replace(' ', ', ')} | {row.why} |"
                for row in rows
            ]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def check(rights: Mapping[str, frozenset[tuple[str, str]]]) -> None:
    """Hold the reasons to the rights, section by section.

    Raises:
        ValueError: naming what lacks the other.
    """
    for title, _, reasons in SECTIONS:
        explained = {
            (resource, verb)
            for resource, rows in reasons.items()
            for row in rows
            for verb in row.verbs.split()
        }
        if explained != rights[title]:
            lacking = sorted(rights[title] - explained)
            stale = sorted(explained - rights[title])
            raise ValueError(f"{title}: no reason for {lacking}; no right for {stale}")


def rendered_rights() -> dict[str, frozenset[tuple[str, str]]]:
    """Return (resource, verb) by section of the page, as the chart renders its roles."""
    named, everywhere = (_roles(path) for path in RENDERED)
    name = next(role for kind, role, _ in named if kind == "ClusterRole")
    users = [role for key, role in everywhere.items() if key[1].endswith(("-edit", "-view"))]
    found = (
        [named["ClusterRole", name, ""]],
        [named["Role", name, "team-a"]],
        [role for key, role in named.items() if key[1] == f"{name}-lease"],
        users,
    )
    return {
        section.title: frozenset(right for role in roles for right in rights_of(role))
        for section, roles in zip(SECTIONS, found, strict=True)
    }


def _roles(path: Path) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Read the roles of a rendered chart by kind, name and namespace."""
    return {
        (one["kind"], one["metadata"]["name"], one["metadata"].get("namespace", "")): one
        for one in yaml.safe_load_all(path.read_text("utf-8"))
        if one and one["kind"] in {"ClusterRole", "Role"}
    }


def rights_of(role: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (group/resource, verb) of each rule; the core group has no name."""
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield (f"{group}/{resource}" if group else resource, verb)
