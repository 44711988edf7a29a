"""Children of a resource: one pure function from what is wanted to Kubernetes objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.desired.deployment import make_deployment
from qwen3_operator.desired.metadata import marked
from qwen3_operator.desired.service import make_service

if TYPE_CHECKING:
    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.desired.site import Site
    from qwen3_operator.observed import Manifest
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan


def children(
    resource: Qwen3Deployment, plan: Plan, site: Site, replicas: int, pool: Pool
) -> tuple[Manifest, ...]:
    """Make the Deployment and the Service of a resource.

    Args:
        resource: what the user applied.
        plan: what the planner found for it.
        site: what this installation decides (:func:`qwen3_operator.desired.site.site_for`).
        replicas: how many are admitted; not part of the template, so it moves no pod.
            See :func:`with_replicas` for changing it afterwards.
        pool: the nodes they go to (:func:`qwen3_operator.desired.pool.pool_for`).

    Returns:
        Objects for server-side apply with field manager :data:`.names.FIELD_MANAGER`, the
        Deployment first.

    Raises:
        LookupError: no image is known for the planned engine on that accelerator.
    """
    return (
        marked(make_deployment(resource, plan, site, replicas, pool)),
        marked(make_service(resource, plan)),
    )


def with_replicas(manifests: tuple[Manifest, ...], replicas: int) -> tuple[Manifest, ...]:
    """Return the same children with another number of replicas, without making them anew."""
    return tuple(
        marked({**manifest, "spec": {**manifest["spec"], "replicas": replicas}})
        if manifest["kind"] == "Deployment" and manifest["spec"]["replicas"] != replicas
        else manifest
        for manifest in manifests
    )
