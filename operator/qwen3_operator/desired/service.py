"""The Services in front of the replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels, names
from qwen3_operator.desired.metadata import make_metadata
from qwen3_planner.api.surroundings import ServiceType
from qwen3_planner.engines.profiles import engine_of

if TYPE_CHECKING:
    from qwen3_planner.api.surroundings import ServiceSpec
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan


def make_service(resource: Qwen3Deployment, plan: Plan) -> dict[str, Any]:
    """Make the Service; only replicas that are ready receive requests."""
    wanted = resource.spec.service
    name = resource.metadata.name
    metadata = make_metadata(resource, plan, names.service(name), wanted.labels)
    if wanted.annotations:
        metadata["annotations"] = dict(wanted.annotations)
    port = {
        "name": names.PORT_NAME,
        "port": wanted.port,
        "targetPort": names.PORT_NAME,
        "protocol": "TCP",
    }
    if wanted.node_port is not None:
        port["nodePort"] = wanted.node_port
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {
            "type": wanted.type.value,
            "selector": labels.selector(name),
            "ports": [port],
            **_choices(wanted),
        },
    }


def _choices(wanted: ServiceSpec) -> dict[str, Any]:
    """Pass on what the user chose; what is left out is the cluster's to choose."""
    policy, affinity = wanted.external_traffic_policy, wanted.session_affinity
    chosen = {
        "loadBalancerClass": wanted.load_balancer_class,
        "loadBalancerSourceRanges": list(wanted.load_balancer_source_ranges),
        "externalTrafficPolicy": policy.value if policy else None,
        "sessionAffinity": affinity.value if affinity else None,
    }
    return {name: value for name, value in chosen.items() if value}


def make_headless_service(resource: Qwen3Deployment, plan: Plan) -> dict[str, Any]:
    """Make the Service that resolves to each replica that is ready, for routers that choose.

    Its port is the engine's: nothing stands between a client and the address it was given.
    """
    wanted = resource.spec.service
    name = resource.metadata.name
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": make_metadata(resource, plan, names.headless_service(name), wanted.labels),
        "spec": {
            "type": ServiceType.CLUSTER_IP.value,
            "clusterIP": "None",
            "selector": labels.selector(name),
            "ports": [
                {
                    "name": names.PORT_NAME,
                    "port": engine_of(plan.engine).port,
                    "targetPort": names.PORT_NAME,
                    "protocol": "TCP",
                }
            ],
        },
    }
