"""Pure: models and reasons of a cluster, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.observed import Key
from qwen3_planner.report.table import labelled, render, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qwen3_operator.kubectl.looking import View

LABEL = 13
REFUSALS_SHOWN = 5
NODES_SHOWN = 2

CHAIN = ("SpecValid", "PlanFeasible", "ModelCached", "Scheduled", "Progressing", "Available")
"""Conditions in the order in which they have to hold."""


AT_REST = ("Suspended", "ScaledToZero")
"""Reasons of Ready where no replica is wanted and none is left."""


def key_of(body: Mapping[str, Any]) -> Key:
    """Return what names a resource."""
    return Key(body["metadata"]["namespace"], body["metadata"]["name"])


def conditions_of(body: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """Return the conditions by type."""
    return {c["type"]: c for c in (body.get("status") or {}).get("conditions") or ()}


def reason_of(body: Mapping[str, Any]) -> str:
    """Return the reason of Ready; a dash where the operator has said nothing yet."""
    return str(conditions_of(body).get("Ready", {}).get("reason", "-"))


def status_table(view: View, *, with_namespace: bool) -> list[str]:
    """Show every model on a line."""
    if not view.bodies:
        return ["No Qwen3Deployment here. With -A those of all namespaces are shown."]
    rows = []
    for body in view.bodies:
        status, key = body.get("status") or {}, key_of(body)
        nodes = dict.fromkeys(pod.node for pod in view.pods_of(key) if pod.node)
        rows.append(
            (
                str(key) if with_namespace else key.name,
                status.get("available", "-"),
                reason_of(body),
                status.get("gpu", "-"),
                _in_short(sorted(nodes)),
            )
        )
    return render(("NAME", "READY", "REASON", "GPU", "NODES"), rows)


def _in_short(nodes: Sequence[str]) -> str:
    """Name the first nodes and count the others.

    >>> _in_short(["a", "b", "c", "d"]), _in_short([])
    ('a,b +2', '-')
    """
    more = len(nodes) - NODES_SHOWN
    return (",".join(nodes[:NODES_SHOWN]) or "-") + (f" +{more}" if more > 0 else "")


def status_lines(body: Mapping[str, Any], view: View, width: int) -> list[str]:
    """Show one model whole."""
    status, key = body.get("status") or {}, key_of(body)
    lines = [f"{key}: {status.get('phase', 'not seen by the operator yet')}", ""]
    nodes = dict.fromkeys(sorted(pod.node for pod in view.pods_of(key) if pod.node))
    facts = (
        ("Model", _model(status) or body["spec"]["model"]["variant"]),
        ("Layout", " on ".join(w for w in (status.get("layout"), status.get("gpu")) if w)),
        ("Memory", status.get("memory", "")),
        ("Replicas", f"{status.get('available', '-')} answer"),
        ("Nodes", ", ".join(nodes)),
        ("Endpoint", status.get("endpoint", "")),
    )
    for label, text in facts:
        if text:
            lines += labelled(label, text, width, LABEL)
    lines += ["", *_conditions(body, width)]
    for name, told in view.troubles_of(key):
        lines += ["", *wrapped(f"{name}: {told}", width, "", "  ")]
    return lines


def _model(status: Mapping[str, Any]) -> str:
    plan = status.get("plan") or {}
    if not plan.get("feasible"):
        return ""
    engine = plan["engine"]
    return (
        f"{plan['model']['variant']} in {plan['quantization']}, context {plan['maxModelLen']},"
        f" {engine['name']} {engine['version']}"
    )


def _conditions(body: Mapping[str, Any], width: int) -> Iterator[str]:
    found = conditions_of(body)
    for kind in ("Ready", *CHAIN):
        if kind in found:
            one = found[kind]
            text = f"{one['status']}, {one['reason']}: {one.get('message', '')}"
            yield from labelled(kind, text, width, LABEL)


def why_lines(body: Mapping[str, Any], view: View, width: int) -> list[str]:
    """Say why a model is not ready, or why it runs as it does; then why not otherwise."""
    key, found = key_of(body), conditions_of(body)
    ready = found.get("Ready")
    if ready is None:
        return wrapped(
            f"{key}: the operator has said nothing yet. Is it running?"
            " kubectl get pods -A -l app.kubernetes.io/name=qwen3-operator",
            width,
        )
    lines = []
    if ready["status"] == "True":
        verb = "is at rest" if ready["reason"] in AT_REST else "is ready"
        lines += wrapped(f"{key} {verb}: {ready.get('message', '')}", width)
    else:
        lines += wrapped(f"{key} is not ready: {ready['reason']}.", width)
        lines += wrapped(ready.get("message", ""), width, "  ")
        blocked = next((kind for kind in CHAIN if _is_false(found, kind)), None)
        if blocked is not None:
            held = [kind for kind in CHAIN[: CHAIN.index(blocked)] if _is_true(found, kind)]
            before = f" ({', '.join(held)} hold)" if held else ""
            lines += wrapped(f"It stops at {blocked}{before}.", width)
    for name, told in view.troubles_of(key):
        lines += wrapped(f"Pod {name}: {told}", width, "", "  ")
    return lines + list(_why_this_plan(body, width))


def why_document(body: Mapping[str, Any], view: View) -> dict[str, Any]:
    """Say the same as JSON (``why/v1``)."""
    found, key = conditions_of(body), key_of(body)
    plan = (body.get("status") or {}).get("plan") or {}
    blocked = next((kind for kind in CHAIN if _is_false(found, kind)), None)
    return {
        "schema": "why/v1",
        "namespace": key.namespace,
        "name": key.name,
        "ready": _is_true(found, "Ready"),
        "reason": reason_of(body),
        "message": found.get("Ready", {}).get("message", ""),
        **({"blockedBy": blocked} if blocked else {}),
        "pods": [{"name": name, "message": told} for name, told in view.troubles_of(key)],
        "refusals": list(plan.get("refusals") or ()),
    }


def _is_false(found: Mapping[str, Mapping[str, str]], kind: str) -> bool:
    return found.get(kind, {}).get("status") == "False"


def _is_true(found: Mapping[str, Mapping[str, str]], kind: str) -> bool:
    return found.get(kind, {}).get("status") == "True"


def _why_this_plan(body: Mapping[str, Any], width: int) -> Iterator[str]:
    plan = (body.get("status") or {}).get("plan") or {}
    told = conditions_of(body).get("PlanFeasible", {}).get("message", "")
    if plan.get("feasible"):
        yield ""
        yield from wrapped(told, width)
    refusals = plan.get("refusals") or ()
    if refusals:
        yield ""
        yield "Why not otherwise"
    for refusal in refusals[:REFUSALS_SHOWN]:
        yield from wrapped(f"{refusal['rule']}: {refusal['message']}", width, "  ", "    ")
