"""What runs replicas over several nodes: a LeaderWorkerSet, or StatefulSets where there is none.

Both forms have the same pods under the same names: ``NAME-0`` leads replica 0, ``NAME-0-1`` is its
rank 1. Without LeaderWorkerSet the leaders are one StatefulSet, since a Service, a scale and a
rollout are about them, and the other ranks of each replica another one, so that a replica comes
and goes as a whole. Pods are replaced by the operator, replica by replica, not one by one
(``OnDelete``): a leader of today and a rank of yesterday do not find each other.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import kinds, labels, names
from qwen3_operator.desired.metadata import make_metadata
from qwen3_operator.desired.ranks import (
    ADDRESS,
    NUMBER,
    Variables,
    make_rank_templates,
    of_pod,
    variable,
)
from qwen3_operator.observed import GROUP_SIZE, LEADER_WORKER_SET, STATEFUL_SET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.desired.site import Site
    from qwen3_operator.observed import Manifest
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

REVISION_HISTORY = 2

POD_INDEX = "metadata.labels['apps.kubernetes.io/pod-index']"
"""A StatefulSet's pods know their number (stable since Kubernetes 1.32)."""

GANG_SCHEDULERS = frozenset(
    {
        "godel-scheduler",
        "kai-scheduler",
        "koord-scheduler",
        "scheduler-plugins-scheduler",
        "volcano",
        "yunikorn",
    }
)
"""Schedulers that place the pods of a group together or not at all."""


class Form(StrEnum):
    """What runs replicas over several nodes."""

    LEADER_WORKER_SET = "LeaderWorkerSet"
    STATEFUL_SETS = "StatefulSets"


def is_placed_by_others(resource: Qwen3Deployment) -> bool:
    """Whether Kueue or a gang scheduler sees to it that a replica gets its nodes as a whole."""
    spec = resource.spec
    return spec.queue_name is not None or spec.scheduler_name in GANG_SCHEDULERS


def make_groups(  # noqa: PLR0913, PLR0917 - as the Deployment, and the form
    resource: Qwen3Deployment, plan: Plan, site: Site, replicas: int, pool: Pool, form: Form
) -> tuple[dict[str, Any], ...]:
    """Make what runs the replicas, that which counts them first."""
    if form is Form.LEADER_WORKER_SET:
        return (_leader_worker_set(resource, plan, site, replicas, pool),)
    return (*_stateful_sets(resource, plan, site, replicas, pool), _ranks_service(resource, plan))


def _leader_worker_set(
    resource: Qwen3Deployment, plan: Plan, site: Site, replicas: int, pool: Pool
) -> dict[str, Any]:
    """Make the LeaderWorkerSet.

    Each replica has a headless Service of its own: the shared one would bear the name of the
    Service in front of the replicas.
    """
    told = (variable(ADDRESS, "$(LWS_LEADER_ADDRESS)"), variable(NUMBER, "$(LWS_WORKER_INDEX)"))
    gated = not is_placed_by_others(resource)
    leader, other = make_rank_templates(
        resource, plan, site, pool, Variables(told, told), gated=gated
    )
    return {
        "apiVersion": kinds.LEADER_WORKER_SET.api_version,
        "kind": LEADER_WORKER_SET,
        "metadata": _metadata(resource, plan, pool),
        "spec": {
            "replicas": replicas,
            "startupPolicy": "LeaderCreated",
            "rolloutStrategy": {
                "type": "RollingUpdate",
                "rollingUpdateConfiguration": {"partition": 0, "maxUnavailable": 1, "maxSurge": 0},
            },
            "networkConfig": {"subdomainPolicy": "UniquePerReplica"},
            "leaderWorkerTemplate": {
                "size": plan.layout.nodes_per_replica,
                "restartPolicy": "RecreateGroupOnPodRestart",
                "leaderTemplate": leader,
                "workerTemplate": other,
            },
        },
    }


def _stateful_sets(
    resource: Qwen3Deployment, plan: Plan, site: Site, replicas: int, pool: Pool
) -> Iterator[dict[str, Any]]:
    """Make the StatefulSet of the leaders, then that of each replica's other ranks.

    Their gate stays even where others place the pods: it is lifted at once then, but not before
    all pods of a replica are new, which is how a replica restarts as a whole.
    """
    name, size = resource.metadata.name, plan.layout.nodes_per_replica
    suffix = f"{names.ranks_service(name)}.{resource.metadata.namespace}"
    metadata = _metadata(resource, plan, pool)
    metadata["annotations"][GROUP_SIZE] = str(size)
    lead, rank = _templates(resource, plan, site, pool, suffix)
    yield _stateful_set(resource, metadata, replicas, lead, labels.selector(name))
    for group in range(replicas):
        own = {labels.ROLE: labels.RANK, labels.GROUP: str(group)}
        metadata = make_metadata(resource, plan, names.other_ranks(name, group))
        metadata["labels"] |= own
        template = _of_group(rank, group, f"{names.other_ranks(name, group)}.{suffix}")
        made = _stateful_set(resource, metadata, size - 1, template, labels.selector(name) | own)
        made["spec"]["ordinals"] = {"start": 1}
        yield made


def _templates(
    resource: Qwen3Deployment, plan: Plan, site: Site, pool: Pool, suffix: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make the templates; the address that other ranks are told is filled in for each replica."""
    leads = (
        of_pod("POD_NAME", "metadata.name"),
        variable(ADDRESS, f"$(POD_NAME).{suffix}"),
        variable(NUMBER, "0"),
    )
    others = (variable(ADDRESS, ""), of_pod(NUMBER, POD_INDEX))
    return make_rank_templates(resource, plan, site, pool, Variables(leads, others), gated=True)


def _of_group(template: dict[str, Any], group: int, leader: str) -> dict[str, Any]:
    """Return the template of the other ranks of one replica, under the hash of all replicas."""
    metadata, spec = template["metadata"], template["spec"]
    told = variable(ADDRESS, leader)
    containers = [
        {**container, "env": [told if e["name"] == ADDRESS else e for e in container["env"]]}
        if container["name"] == names.CONTAINER
        else container
        for container in spec["containers"]
    ]
    group_labels = {**metadata["labels"], labels.GROUP: str(group)}
    return {
        "metadata": {**metadata, "labels": group_labels},
        "spec": {**spec, "containers": containers},
    }


def _stateful_set(
    resource: Qwen3Deployment,
    metadata: dict[str, Any],
    replicas: int,
    template: dict[str, Any],
    selector: dict[str, str],
) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": STATEFUL_SET,
        "metadata": metadata,
        "spec": {
            "replicas": replicas,
            "serviceName": names.ranks_service(resource.metadata.name),
            "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": "OnDelete"},
            "revisionHistoryLimit": REVISION_HISTORY,
            "selector": {"matchLabels": selector},
            "template": template,
        },
    }


def _ranks_service(resource: Qwen3Deployment, plan: Plan) -> dict[str, Any]:
    """Make the headless Service that gives each rank a name, long before it is ready."""
    name = resource.metadata.name
    selector = {key: value for key, value in labels.selector(name).items() if key != labels.ROLE}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": make_metadata(resource, plan, names.ranks_service(name)),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": selector,
        },
    }


def _metadata(resource: Qwen3Deployment, plan: Plan, pool: Pool) -> dict[str, Any]:
    metadata = make_metadata(resource, plan, names.groups(resource.metadata.name))
    metadata["labels"] |= labels.queue(resource.spec.queue_name)
    metadata["annotations"] = {labels.POOL: pool.as_text()}
    return metadata


def without_groups_from(children: tuple[Manifest, ...], replicas: int) -> tuple[Manifest, ...]:
    """Leave out the other ranks of replicas that are not admitted."""
    return tuple(
        child
        for child in children
        if int((child["metadata"].get("labels") or {}).get(labels.GROUP, -1)) < replicas
    )
