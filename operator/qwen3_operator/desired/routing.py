"""Ways to the model from outside the cluster: HTTPRoute, Ingress, InferencePool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels, names
from qwen3_operator.desired.kinds import HTTP_ROUTE, INFERENCE_POOL, INGRESS
from qwen3_operator.desired.metadata import make_metadata
from qwen3_planner.engines.profiles import engine_of

if TYPE_CHECKING:
    from qwen3_operator.desired.site import Around
    from qwen3_planner.api.surroundings import (
        InferencePoolSpec,
        IngressSpec,
        RouteSpec,
    )
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

ROOT = "/"


def has_gateway(route: RouteSpec, around: Around) -> bool:
    """Whether the route, or else the site, names a Gateway."""
    return bool(route.parent_refs or around.gateway)


def make_http_route(
    resource: Qwen3Deployment, plan: Plan, route: RouteSpec, around: Around, *, to_pool: bool
) -> dict[str, Any]:
    """Make the HTTPRoute; its path is cut off, since engines serve from the root.

    Args:
        resource: it belongs to.
        plan: of it.
        route: what is asked for; it, or the site, names a Gateway.
        around: what the site says of routes that leave it open.
        to_pool: whether it leads to the InferencePool instead of the Service.
    """
    name = resource.metadata.name
    metadata = make_metadata(resource, plan, names.route(name), route.labels)
    if route.annotations:
        metadata["annotations"] = dict(route.annotations)
    rule: dict[str, Any] = {
        "matches": [{"path": {"type": "PathPrefix", "value": route.path}}],
        "backendRefs": [_pool_backend(name) if to_pool else _service_backend(resource)],
        "timeouts": {"request": route.request_timeout},
    }
    if route.path != ROOT:
        rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": ROOT}}
        rule["filters"] = [{"type": "URLRewrite", "urlRewrite": rewrite}]
    spec: dict[str, Any] = {
        "parentRefs": _parents(route, around),
        "rules": [rule],
    }
    hostnames = _hostnames(resource, route, around)
    if hostnames:
        spec["hostnames"] = hostnames
    return {
        "apiVersion": HTTP_ROUTE.api_version,
        "kind": HTTP_ROUTE.kind,
        "metadata": metadata,
        "spec": spec,
    }


def _parents(route: RouteSpec, around: Around) -> list[dict[str, Any]]:
    named = {"group": "gateway.networking.k8s.io", "kind": "Gateway"}
    if route.parent_refs:
        return [{**named, **parent.to_kubernetes()} for parent in route.parent_refs]
    fields = zip(("namespace", "name", "sectionName"), around.gateway.split("/"), strict=False)
    return [{**named, **dict(fields)}]


def _hostnames(resource: Qwen3Deployment, route: RouteSpec, around: Around) -> list[str]:
    """Name the hosts of the route; of one that leaves its Gateway to the site, the site's."""
    if route.hostnames or route.parent_refs or not around.hostname:
        return list(route.hostnames)
    metadata = resource.metadata
    named = around.hostname.replace("{name}", metadata.name)
    return [named.replace("{namespace}", metadata.namespace)]


def _service_backend(resource: Qwen3Deployment) -> dict[str, Any]:
    name = names.service(resource.metadata.name)
    backend = {"group": "", "kind": "Service", "name": name, "weight": 1}
    return {**backend, "port": resource.spec.service.port}


def _pool_backend(name: str) -> dict[str, Any]:
    """Point to the pool; it has ports of its own, so none is named."""
    group, _, _ = INFERENCE_POOL.api_version.partition("/")
    pool = names.inference_pool(name)
    return {"group": group, "kind": INFERENCE_POOL.kind, "name": pool, "weight": 1}


def make_ingress(resource: Qwen3Deployment, plan: Plan, ingress: IngressSpec) -> dict[str, Any]:
    """Make the Ingress; its path reaches the engine as it is."""
    name = resource.metadata.name
    metadata = make_metadata(resource, plan, names.ingress(name), ingress.labels)
    if ingress.annotations:
        metadata["annotations"] = dict(ingress.annotations)
    service = {"name": names.service(name), "port": {"name": names.PORT_NAME}}
    path = {"path": ingress.path, "pathType": "Prefix", "backend": {"service": service}}
    http = {"http": {"paths": [path]}}
    spec: dict[str, Any] = {
        "rules": [{"host": host, **http} for host in ingress.hosts] or [http],
    }
    if ingress.ingress_class_name:
        spec["ingressClassName"] = ingress.ingress_class_name
    if ingress.tls_secret_name:
        spec["tls"] = [{"hosts": list(ingress.hosts), "secretName": ingress.tls_secret_name}]
    return {
        "apiVersion": INGRESS.api_version,
        "kind": INGRESS.kind,
        "metadata": metadata,
        "spec": spec,
    }


def make_inference_pool(
    resource: Qwen3Deployment, plan: Plan, pool: InferencePoolSpec
) -> dict[str, Any]:
    """Make the InferencePool: the pods that serve, and who chooses between them."""
    name = resource.metadata.name
    picker = pool.endpoint_picker_ref
    return {
        "apiVersion": INFERENCE_POOL.api_version,
        "kind": INFERENCE_POOL.kind,
        "metadata": make_metadata(resource, plan, names.inference_pool(name)),
        "spec": {
            "selector": {"matchLabels": labels.selector(name)},
            "targetPorts": [{"number": engine_of(plan.engine).port}],
            "endpointPickerRef": {
                "group": "",
                "kind": "Service",
                "name": picker.name,
                "port": {"number": picker.port},
                "failureMode": picker.failure_mode.value,
            },
        },
    }
