"""Children of a resource: one pure function from what is wanted to Kubernetes objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.desired.claims import make_claim_template
from qwen3_operator.desired.deployment import make_deployment
from qwen3_operator.desired.disruption import make_disruption_budget
from qwen3_operator.desired.groups import Form, make_groups, without_groups_from
from qwen3_operator.desired.leaving import make_engine_code
from qwen3_operator.desired.metadata import marked
from qwen3_operator.desired.service import make_service

if TYPE_CHECKING:
    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.desired.site import Site
    from qwen3_operator.observed import Manifest
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan


def children(  # noqa: PLR0913, PLR0917 - everything a child depends on
    resource: Qwen3Deployment,
    plan: Plan,
    site: Site,
    replicas: int,
    pool: Pool,
    form: Form = Form.STATEFUL_SETS,
) -> tuple[Manifest, ...]:
    """Make what runs the replicas of a resource, and the Service in front of them.

    Args:
        resource: what the user applied.
        plan: what the planner found for it.
        site: what this installation decides (:func:`qwen3_operator.desired.site.site_for`).
        replicas: how many are admitted; not part of the template, so it moves no pod.
            See :func:`with_replicas` for changing it afterwards.
        pool: the nodes they go to (:func:`qwen3_operator.desired.pool.pool_for`).
        form: what runs replicas over several nodes; a plan of one node does not ask.

    Returns:
        Objects for server-side apply with field manager :data:`.names.FIELD_MANAGER`, what counts
        the replicas first (:func:`qwen3_operator.decisions.workloads.is_workload`).

    Raises:
        LookupError: no image is known for the planned engine on that accelerator.
    """
    made: tuple[Manifest, ...]
    if plan.layout.nodes_per_replica > 1:
        made = make_groups(resource, plan, site, replicas, pool, form)
    else:
        made = (make_deployment(resource, plan, site, replicas, pool),)
    claims = make_claim_template(resource, plan, pool)
    others = (
        make_service(resource, plan),
        make_disruption_budget(resource, plan),
        *make_engine_code(resource, plan, site),
        *([claims] if claims is not None else []),
    )
    return tuple(marked(one) for one in (*made, *others))


def with_replicas(manifests: tuple[Manifest, ...], replicas: int) -> tuple[Manifest, ...]:
    """Return the same children for another number of replicas, without making them anew.

    The templates stay, so no pod moves, and so does the fingerprint: how many replicas are
    admitted is no wish of the resource. Numbers above what was made for are not for this.
    """
    workload, *others = manifests
    spec = {**workload["spec"], "replicas": replicas}
    return without_groups_from(({**workload, "spec": spec}, *others), replicas)
