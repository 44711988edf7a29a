"""Pure: what a change does to each resource, from how it stood before and stands after."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from qwen3_operator.observed import DEPLOYMENT_LABEL, Key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FINISHED = frozenset({"Failed", "Succeeded"})


class Effect(StrEnum):
    """What a change does to one resource, the worst first."""

    LOSES = "loses"
    """Fewer replicas run than before."""

    MOVES = "moves"
    """As many run as before, some on another node: each loads its weights anew."""

    STARTS = "starts"
    """More replicas run than before."""

    WAITS = "waits"
    """As many run as before, and fewer than are wanted."""

    NO_PLAN = "noPlan"
    """Nothing runs, and nothing will: no plan fits, or the specification means nothing."""

    UNCHANGED = "unchanged"
    """It goes on as before."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one resource stands.

    Attributes:
        wanted: replicas that are asked for.
        running: replicas whose pods all have a node.
        nodes: of its pods, each as often as it has pods there, in order.
        reason: of the condition Ready.
        message: of the condition Ready.
        is_ready: whether all replicas answer.
        has_plan: whether a plan exists.
        plan: in short; empty without one.
    """

    wanted: int
    running: int
    nodes: tuple[str, ...]
    reason: str
    message: str
    is_ready: bool
    has_plan: bool
    plan: str


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one resource.

    Attributes:
        key: of the resource.
        effect: in one word.
        before: how it stood; None where it did not exist.
        after: how it stands then.
        moves: (node that is left, node that is taken); empty where there is none.
    """

    key: Key
    effect: Effect
    before: Standing | None
    after: Standing
    moves: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Evicted:
    """A pod of somebody else that is put off its node.

    Attributes:
        namespace: of the pod.
        name: of the pod.
        node: that it leaves.
        gpus: that it holds.
        comes_back: node that it is made again on; empty: none has room, or nothing makes it again.
    """

    namespace: str
    name: str
    node: str
    gpus: int
    comes_back: str


def standing_of(body: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> Standing:
    """Say how a resource stands.

    Args:
        body: the resource with its status.
        pods: of the whole world.
    """
    status = body.get("status") or {}
    conditions = {c["type"]: c for c in status.get("conditions") or ()}
    ready = conditions.get("Ready", {})
    plan = status.get("plan") or {}
    placed = [
        pod["spec"]["nodeName"]
        for pod in pods
        if _belongs(pod, body) and pod["spec"].get("nodeName")
    ]
    spec = body["spec"]
    pods_of_one = (plan.get("layout") or {}).get("nodesPerReplica", 1)
    return Standing(
        wanted=0 if spec.get("suspend") else int(spec.get("replicas", 1)),
        running=len(placed) // pods_of_one,
        nodes=tuple(sorted(placed)),
        reason=ready.get("reason", ""),
        message=ready.get("message", ""),
        is_ready=ready.get("status") == "True",
        has_plan=conditions.get("PlanFeasible", {}).get("status") == "True",
        plan=_in_short(status),
    )


def _belongs(pod: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    metadata = pod["metadata"]
    return (
        metadata["namespace"] == body["metadata"]["namespace"]
        and (metadata.get("labels") or {}).get(DEPLOYMENT_LABEL) == body["metadata"]["name"]
        and "deletionTimestamp" not in metadata
        and (pod.get("status") or {}).get("phase") not in FINISHED
    )


def _in_short(status: Mapping[str, Any]) -> str:
    """Say the plan in a few words: ``fp8, tp2, 2x H100-SXM-80GB``."""
    plan = status.get("plan") or {}
    words = (plan.get("quantization"), status.get("layout"), status.get("gpu"))
    return ", ".join(word for word in words if word) if plan.get("feasible") else ""


def changes(before: Mapping[Key, Standing], after: Mapping[Key, Standing]) -> tuple[Change, ...]:
    """Say what becomes of every resource, the worst first, then by name."""
    order = list(Effect)
    found = [_change(key, before.get(key), standing) for key, standing in after.items()]
    return tuple(sorted(found, key=lambda one: (order.index(one.effect), one.key)))


def _change(key: Key, before: Standing | None, after: Standing) -> Change:
    was = before.nodes if before else ()
    left = sorted((Counter(was) - Counter(after.nodes)).elements())
    taken = sorted((Counter(after.nodes) - Counter(was)).elements())
    moves = tuple(
        (left[n] if n < len(left) else "", taken[n] if n < len(taken) else "")
        for n in range(max(len(left), len(taken)))
    )
    return Change(key, _effect(before, after, moves), before, after, moves)


def _effect(before: Standing | None, after: Standing, moves: Sequence[tuple[str, str]]) -> Effect:
    ran = before.running if before else 0
    if after.running < ran and after.running < after.wanted:
        return Effect.LOSES
    if after.running > ran:
        return Effect.STARTS
    if any(left and taken for left, taken in moves):
        return Effect.MOVES
    if not after.wanted or after.running >= after.wanted:
        return Effect.UNCHANGED
    return Effect.WAITS if after.has_plan else Effect.NO_PLAN


def document(
    asked: Sequence[tuple[str, str]],
    found: Sequence[Change],
    evicted: Sequence[Evicted],
    notes: Sequence[str],
) -> dict[str, Any]:
    """Say it all as JSON (``whatif/v1``).

    Args:
        asked: (option, value) as typed.
        found: of every resource.
        evicted: pods of others.
        notes: what was assumed or could not be seen.
    """
    return {
        "schema": "whatif/v1",
        "asked": [{option: value} for option, value in asked],
        "resources": [
            {
                "namespace": one.key.namespace,
                "name": one.key.name,
                "effect": one.effect.value,
                **({"before": _standing(one.before)} if one.before else {}),
                "after": _standing(one.after),
            }
            for one in found
        ],
        "evicted": [
            {
                "namespace": one.namespace,
                "name": one.name,
                "node": one.node,
                "gpus": one.gpus,
                **({"comesBackOn": one.comes_back} if one.comes_back else {}),
            }
            for one in evicted
        ],
        "notes": list(notes),
    }


def _standing(one: Standing) -> dict[str, Any]:
    return {
        "wanted": one.wanted,
        "running": one.running,
        "nodes": list(one.nodes),
        "ready": one.is_ready,
        "reason": one.reason,
        "message": one.message,
        **({"plan": one.plan} if one.plan else {}),
    }
