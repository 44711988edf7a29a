"""Children that pods are made from: what is kept of them, and how that is put back.

Beside what runs the replicas these are what its pods cannot be without: the other ranks of a
replica over several nodes, the Service by which ranks find one another, the template of claims.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.workloads import is_workload, template_hash_of
from qwen3_operator.desired import labels, names
from qwen3_operator.desired.kinds import CLAIM_TEMPLATE, REVISION, SERVICE
from qwen3_operator.desired.metadata import marked
from qwen3_operator.observed import DEPLOYMENT, DEPLOYMENT_LABEL, LEADER_WORKER_SET, STATEFUL_SET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from qwen3_operator.observed import Manifest

OF_THE_PODS: Mapping[str, tuple[str, ...]] = {
    DEPLOYMENT: ("template", "selector"),
    LEADER_WORKER_SET: ("leaderWorkerTemplate", "networkConfig"),
    STATEFUL_SET: ("template", "selector", "serviceName", "podManagementPolicy"),
}
"""Fields of the spec, by kind, that replace pods when they change, or that never may change."""

OUTSIDE = frozenset({"replicas", "strategy", "progressDeadlineSeconds", "revisionHistoryLimit"})
"""Fields of the spec that move no pod by themselves and are rendered afresh every time."""


def plan_hash_of(children: Iterable[Manifest]) -> str:
    """Return the hash that the pods of these children carry; empty where there are no pods."""
    return next((template_hash_of(child) for child in children if is_workload(child)), "")


def are_pods_made_from(child: Manifest) -> bool:
    """Whether a child belongs to what pods are made from."""
    kind, metadata = child.get("kind"), child["metadata"]
    if kind == SERVICE.kind:
        owner = (metadata.get("labels") or {}).get(DEPLOYMENT_LABEL, "")
        return bool(metadata["name"] == names.ranks_service(owner))
    return kind in OF_THE_PODS or kind == CLAIM_TEMPLATE.kind


def written_down(children: Iterable[Manifest]) -> tuple[dict[str, Any], ...]:
    """Return what is kept of children: of what pods are made from, all that moves a pod.

    Of replicas over several nodes the first stands for all.
    """
    return tuple(
        _bare(child) for child in children if are_pods_made_from(child) and _group(child) < 1
    )


def _group(child: Manifest) -> int:
    """Return the number of the replica that other ranks belong to; -1 where it is none of them."""
    return int((child["metadata"].get("labels") or {}).get(labels.GROUP, -1))


def _bare(child: Manifest) -> dict[str, Any]:
    metadata = child["metadata"]
    annotations = {
        name: value
        for name, value in (metadata.get("annotations") or {}).items()
        if name.startswith(names.GROUP_PREFIX) and name != labels.APPLIED
    }
    return {
        "apiVersion": child["apiVersion"],
        "kind": child["kind"],
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": dict(metadata.get("labels") or {}),
            "annotations": annotations,
            "ownerReferences": list(metadata.get("ownerReferences") or ()),
        },
        "spec": {
            name: value
            for name, value in child["spec"].items()
            if not is_workload(child) or name not in OUTSIDE
        },
    }


def with_kept(
    wanted: Sequence[Manifest], kept: Sequence[Manifest], replicas: int
) -> tuple[Manifest, ...]:
    """Return the children that are wanted with pods as they were written down, workload first.

    What moves no pod is as wanted: how many replicas there are, how they are replaced, every child
    that pods are not made from.

    Args:
        wanted: as this release renders them.
        kept: what pods are made from, as written down.
        replicas: of the resource.
    """
    fresh = {(child["kind"], child["metadata"]["name"]): child for child in wanted}
    children = [marked(_merged(fresh, child, replicas)) for child in _for_all(kept, replicas)]
    return (*children, *(child for child in wanted if not are_pods_made_from(child)))


def _for_all(kept: Iterable[Manifest], replicas: int) -> Iterator[Manifest]:
    """Return what is kept with the other ranks of every replica."""
    for child in kept:
        if _group(child) < 0:
            yield child
            continue
        for group in range(replicas):
            yield _of_group(child, group)


def _of_group(child: Manifest, group: int) -> Manifest:
    """Make the other ranks of another replica: another number, and another leader's name."""
    metadata, spec = child["metadata"], child["spec"]
    before, own = metadata["name"], {labels.GROUP: str(group)}
    name = f"{before.removesuffix(str(_group(child)))}{group}"
    template = spec["template"]
    containers = [
        {**container, "env": [_told(entry, f"{before}.", f"{name}.") for entry in container["env"]]}
        if "env" in container
        else container
        for container in template["spec"]["containers"]
    ]
    return {
        **child,
        "metadata": {**metadata, "name": name, "labels": {**metadata["labels"], **own}},
        "spec": {
            **spec,
            "selector": {"matchLabels": {**spec["selector"]["matchLabels"], **own}},
            "template": {
                "metadata": {
                    **template["metadata"],
                    "labels": {**template["metadata"]["labels"], **own},
                },
                "spec": {**template["spec"], "containers": containers},
            },
        },
    }


def _told(entry: Mapping[str, Any], before: str, now: str) -> Mapping[str, Any]:
    value = entry.get("value")
    if not isinstance(value, str) or not value.startswith(before):
        return entry
    return {**entry, "value": f"{now}{value.removeprefix(before)}"}


def _merged(fresh: Mapping[tuple[str, str], Manifest], kept: Manifest, replicas: int) -> Manifest:
    """Put pods that are kept into what this release renders around them."""
    if not is_workload(kept):
        return kept
    around = fresh.get((kept["kind"], kept["metadata"]["name"]))
    if around is None:  # the pods were made by another kind of child than would be made today
        return {**kept, "spec": {**kept["spec"], "replicas": replicas}}
    fields = OF_THE_PODS[kept["kind"]]
    of_the_pods = {name: kept["spec"][name] for name in fields if name in kept["spec"]}
    return {**kept, "spec": {**around["spec"], **of_the_pods}}


def claims_of(children: Iterable[Manifest]) -> tuple[str, ...]:
    """Name the claims that pods of these children mount, those that are only written down, too."""
    found: dict[str, None] = {}
    for child in children:
        if child["kind"] == REVISION.kind:
            found.update(dict.fromkeys(claims_of(child["data"]["workloads"])))
        for template in _templates(child):
            for volume in template["spec"].get("volumes") or ():
                claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
                found.update({claim: None} if claim else {})
    return tuple(found)


def _templates(child: Manifest) -> tuple[Manifest, ...]:
    """Return the templates of a child's pods; a group's leader has one of its own."""
    spec = child.get("spec") or {}
    if child["kind"] == LEADER_WORKER_SET:
        group = spec["leaderWorkerTemplate"]
        return tuple(group[name] for name in ("leaderTemplate", "workerTemplate") if name in group)
    return (spec["template"],) if child["kind"] in OF_THE_PODS else ()
