"""The pod template: everything that makes pods roll when it changes, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels
from qwen3_operator.desired.adapters import make_init_containers
from qwen3_operator.desired.claims import make_pod_annotations, make_pod_claims
from qwen3_operator.desired.container import make_arguments, make_container
from qwen3_operator.desired.guarding import check_template
from qwen3_operator.desired.hashing import template_hash
from qwen3_operator.desired.merging import with_user_template
from qwen3_operator.desired.placement import make_placement
from qwen3_operator.desired.runtime_adapters import make_guard_container, make_loader
from qwen3_operator.desired.security import make_pod_security_context
from qwen3_operator.desired.shutdown import grace_period_s
from qwen3_operator.desired.volumes import WEIGHTS, make_volume_mounts, make_volumes
from qwen3_operator.observed import PLAN_HASH_LABEL

if TYPE_CHECKING:
    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.desired.site import Site
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan


def make_pod_template(
    resource: Qwen3Deployment, plan: Plan, site: Site, pool: Pool
) -> dict[str, Any]:
    """Make the template of a replica's pod, its hash among the labels.

    Raises:
        SpecError: the user's part of it cannot be merged, or asks for more than the site allows.
    """
    arguments = make_arguments(resource, plan, site)
    template: dict[str, Any] = {
        "metadata": {
            "labels": labels.child(resource.metadata.name, plan)
            | labels.queue(resource.spec.queue_name)
        },
        "spec": {
            **_choices(resource, site),
            **make_placement(resource, pool),
            **make_pod_claims(resource, plan, pool),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,  # a Service called "vllm" would set VLLM_PORT
            "terminationGracePeriodSeconds": grace_period_s(plan, arguments),
            "securityContext": make_pod_security_context(_groups(site, pool)),
            **_first(resource, plan, site),
            "containers": [
                make_container(resource, plan, site, pool),
                *make_loader(resource, plan, site),
            ],
            "volumes": make_volumes(resource, plan, site, pool),
        },
    }
    annotations = make_pod_annotations(plan, pool)
    if resource.spec.rollout.restart is not None:
        annotations = {**annotations, labels.RESTART: resource.spec.rollout.restart}
    if annotations:
        template["metadata"]["annotations"] = annotations
    ours, template = template, with_user_template(template, resource.spec.pod_template)
    check_template(ours, template, site.template_rules)
    template["metadata"]["labels"][PLAN_HASH_LABEL] = template_hash(template)
    return template


def _first(resource: Qwen3Deployment, plan: Plan, site: Site) -> dict[str, Any]:
    """Make what runs before the engine; most pods have nothing of the kind."""
    mounts = make_volume_mounts(resource, plan, site)
    weights = [mount for mount in mounts if mount["name"] == WEIGHTS]
    containers = [
        *make_init_containers(resource, plan, site, weights),
        *make_guard_container(resource, site),
    ]
    return {"initContainers": containers} if containers else {}


def _groups(site: Site, pool: Pool) -> tuple[int, ...]:
    """Name the groups that may open the GPUs: on NVIDIA's every user may."""
    return site.amd_groups if pool.resource.startswith("amd.com/") else ()


def _choices(resource: Qwen3Deployment, site: Site) -> dict[str, Any]:
    """Pass on what was chosen about scheduling and pulling."""
    spec = resource.spec
    secrets = (secret.name for secret in spec.image_pull_secrets)
    chosen = {
        "priorityClassName": spec.priority_class_name,
        "runtimeClassName": spec.runtime_class_name,
        "schedulerName": spec.scheduler_name,
        "imagePullSecrets": site.pull_secrets(secrets),
    }
    return {name: value for name, value in chosen.items() if value}
