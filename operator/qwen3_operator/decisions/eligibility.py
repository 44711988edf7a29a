"""Which nodes a pod may go to, judged exactly as kube-scheduler does.

Node selector, required node affinity, taints and tolerations follow Kubernetes 1.37
(``k8s.io/component-helpers@v0.37.2/scheduling/corev1``,
``k8s.io/api@v0.37.2/core/v1/toleration.go`` and
``k8s.io/apimachinery@v0.37.2/pkg/labels/selector.go``, read 2026-11-23). Affinity between pods and
topology spread are not judged here: they depend on where other pods end up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_operator.observed import Node, Taint

REPELLING_EFFECTS = frozenset({"NoSchedule", "NoExecute"})
"""Effects that keep a pod off a node; PreferNoSchedule only makes it less liked."""

PASSING_TAINTS = frozenset(
    {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/unschedulable",
        "node.kubernetes.io/memory-pressure",
        "node.kubernetes.io/disk-pressure",
        "node.kubernetes.io/pid-pressure",
        "node.kubernetes.io/network-unavailable",
        "node.kubernetes.io/out-of-service",
        "node.cloudprovider.kubernetes.io/uninitialized",
        "node.cloudprovider.kubernetes.io/shutdown",
    }
)
"""Taints that say in what state a node is, not what it is for. They come and go, so they do not
count when the question is what hardware the cluster has."""

_INT64 = re.compile(r"[+-]?[0-9]+")
_INT64_BOUND = 2**63


@dataclass(frozen=True, slots=True)
class Requirement:
    """One comparison with a node's label or field: ``key operator values``."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """Comparisons that must all hold; one without any comparison matches no node."""

    expressions: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class Toleration:
    """A toleration; empty strings stand for fields that are absent."""

    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True)
class Selector:
    """Everything about a pod that decides which nodes it may go to.

    Attributes:
        labels: of ``nodeSelector``, sorted.
        terms: of the required node affinity, of which one must match; None where there is no
            required node affinity, so that every node will do.
        tolerations: of the pod.
    """

    labels: tuple[tuple[str, str], ...] = ()
    terms: tuple[Term, ...] | None = None
    tolerations: tuple[Toleration, ...] = ()


def selector_of(pod_spec: Mapping[str, Any]) -> Selector:
    """Read the selector out of a pod's spec, as the API server holds it."""
    affinity = pod_spec.get("affinity") or {}
    required = (affinity.get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    return Selector(
        labels=tuple(sorted((pod_spec.get("nodeSelector") or {}).items())),
        terms=None if required is None else _terms(required),
        tolerations=tuple(
            Toleration(
                key=toleration.get("key") or "",
                operator=toleration.get("operator") or "",
                value=toleration.get("value") or "",
                effect=toleration.get("effect") or "",
            )
            for toleration in pod_spec.get("tolerations") or ()
        ),
    )


def _terms(required: Mapping[str, Any]) -> tuple[Term, ...]:
    return tuple(
        Term(
            expressions=_requirements(term.get("matchExpressions")),
            fields=_requirements(term.get("matchFields")),
        )
        for term in required.get("nodeSelectorTerms") or ()
    )


def _requirements(raw: list[Mapping[str, Any]] | None) -> tuple[Requirement, ...]:
    return tuple(
        Requirement(entry["key"], entry["operator"], tuple(entry.get("values") or ()))
        for entry in raw or ()
    )


def may_run_on(selector: Selector, node: Node) -> bool:
    """Whether the scheduler may ever put the pod on this node as it is now."""
    return (
        node.schedulable
        and _is_selected(selector, node)
        and not any(_repels(taint, selector) for taint in node.taints)
    )


def belongs_to(selector: Selector, node: Node) -> bool:
    """Whether the node is hardware for this pod, in whatever state it is now.

    Cordoned and NotReady nodes belong; nodes that are set apart by a taint which the pod does not
    tolerate do not.
    """
    return _is_selected(selector, node) and not any(
        taint.key not in PASSING_TAINTS and _repels(taint, selector) for taint in node.taints
    )


def _is_selected(selector: Selector, node: Node) -> bool:
    labels = node.labels
    if any(labels.get(key) != value for key, value in selector.labels):
        return False
    return selector.terms is None or any(_term_matches(term, node) for term in selector.terms)


def _term_matches(term: Term, node: Node) -> bool:
    if not term.expressions and not term.fields:
        return False  # "nil or empty term selects no objects"
    return all(_holds(wanted, node.labels) for wanted in term.expressions) and all(
        _field_holds(wanted, node) for wanted in term.fields
    )


def _holds(wanted: Requirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(wanted.key)
    match wanted.operator:
        case "In":
            return value is not None and value in wanted.values
        case "NotIn":
            return value is None or value not in wanted.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt":
            return value is not None and _compares(wanted, value)
        case _:
            return False


def _compares(wanted: Requirement, value: str) -> bool:
    """Compare as whole numbers of 64 bits; what is no such number never matches."""
    if len(wanted.values) != 1:
        return False
    left, right = _int64(value), _int64(wanted.values[0])
    if left is None or right is None:
        return False
    return left > right if wanted.operator == "Gt" else left < right


def _int64(text: str) -> int | None:
    """Read a number as Go's ParseInt(text, 10, 64) does.

    >>> _int64("+81559"), _int64("81_559"), _int64(" 1"), _int64("9223372036854775808")
    (81559, None, None, None)
    """
    if not _INT64.fullmatch(text):
        return None
    number = int(text)
    return number if -_INT64_BOUND <= number < _INT64_BOUND else None


def _field_holds(wanted: Requirement, node: Node) -> bool:
    """Compare a field; Kubernetes knows metadata.name, In and NotIn, and one value."""
    if len(wanted.values) != 1 or wanted.operator not in ("In", "NotIn"):
        return False
    actual = node.name if wanted.key == "metadata.name" else ""
    return (actual == wanted.values[0]) is (wanted.operator == "In")


def _repels(taint: Taint, selector: Selector) -> bool:
    return taint.effect in REPELLING_EFFECTS and not any(
        _tolerates(toleration, taint) for toleration in selector.tolerations
    )


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    match toleration.operator:
        case "Exists":
            return True
        case "" | "Equal":
            return toleration.value == taint.value
        case _:  # Gt and Lt are behind a feature gate that is off by default
            return False
