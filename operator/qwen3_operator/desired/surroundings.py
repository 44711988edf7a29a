"""What stands around the replicas, and what of it this cluster cannot have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator.desired.groups import Form
from qwen3_operator.desired.kinds import HTTP_ROUTE, INFERENCE_POOL, POD_MONITOR
from qwen3_operator.desired.metadata import marked
from qwen3_operator.desired.network_policy import (
    keeps_prometheus_out,
    make_network_policies,
    wants_network_policy,
)
from qwen3_operator.desired.pod_monitor import make_pod_monitor, wants_pod_monitor
from qwen3_operator.desired.routing import (
    has_gateway,
    make_http_route,
    make_inference_pool,
    make_ingress,
)
from qwen3_operator.desired.runtime_adapters import loads_at_run_time, make_adapter_list
from qwen3_operator.desired.service import make_headless_service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qwen3_operator.desired.kinds import ChildKind
    from qwen3_operator.desired.site import Site
    from qwen3_operator.observed import Manifest
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

    Hindrance = Callable[[str], str]
    """Why children of a kind cannot be had here; empty where they can."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that was asked for and cannot be made.

    Attributes:
        kind: of child.
        asked_by: field of the resource, or setting of the operator.
        hindrance: why not, as the cluster said it; empty where the API is not installed.
    """

    kind: ChildKind
    asked_by: str
    hindrance: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was asked for around the replicas.

    Attributes:
        children: that can be made here.
        lacks: that cannot.
        hides_metrics: whether Prometheus is asked to read what a policy keeps it from.
        names_no_gateway: whether there is a route that neither it nor the site gives a Gateway.
    """

    children: tuple[Manifest, ...] = ()
    lacks: tuple[Lack, ...] = ()
    hides_metrics: bool = False
    names_no_gateway: bool = False


NOT_INSTALLED = "not installed"
"""Hindrance of a kind that the API server does not know."""


def make_surroundings(
    resource: Qwen3Deployment,
    plan: Plan,
    site: Site,
    hindrance: Hindrance,
    form: Form = Form.STATEFUL_SETS,
) -> Surroundings:
    """Make everything around the replicas but their Service, which is always there.

    Args:
        resource: what the user applied.
        plan: of it.
        site: what this installation decides.
        hindrance: why children of a kind cannot be had.
        form: what runs replicas over several nodes; a plan of one node does not ask.
    """
    lacks = tuple(_lacks(resource, site, hindrance))
    lacking = {lack.kind.kind for lack in lacks}
    has_pool = INFERENCE_POOL.kind not in lacking
    children = tuple(
        marked(child)
        for child in _wanted(resource, plan, site, form, has_pool=has_pool)
        if child["kind"] not in lacking
    )
    hides = wants_pod_monitor(resource, site) and keeps_prometheus_out(resource, site)
    route = resource.spec.route
    lost = route is not None and not has_gateway(route, site.around)
    return Surroundings(children, lacks, hides, lost)


def _wanted(
    resource: Qwen3Deployment, plan: Plan, site: Site, form: Form, *, has_pool: bool
) -> Iterator[dict[str, Any]]:
    spec = resource.spec
    if spec.service.headless:
        yield make_headless_service(resource, plan)
    if loads_at_run_time(resource):
        yield make_adapter_list(resource, plan)
    if spec.inference_pool is not None:
        yield make_inference_pool(resource, plan, spec.inference_pool)
    if spec.route is not None and has_gateway(spec.route, site.around):
        to_pool = has_pool and spec.inference_pool is not None
        yield make_http_route(resource, plan, spec.route, site.around, to_pool=to_pool)
    if spec.ingress is not None:
        yield make_ingress(resource, plan, spec.ingress)
    if wants_network_policy(resource, plan):
        yield from make_network_policies(resource, plan, site, form)
    if wants_pod_monitor(resource, site):
        yield make_pod_monitor(resource, plan, site)


def _lacks(resource: Qwen3Deployment, site: Site, hindrance: Hindrance) -> Iterator[Lack]:
    spec = resource.spec
    by_site = "the operator's setting podMonitors"
    asked = {
        HTTP_ROUTE: "spec.route" if spec.route else "",
        INFERENCE_POOL: "spec.inferencePool" if spec.inference_pool else "",
        POD_MONITOR: "spec.monitoring" if spec.monitoring else by_site,
    }
    if not wants_pod_monitor(resource, site):
        asked[POD_MONITOR] = ""
    for kind, asked_by in asked.items():
        why_not = hindrance(kind.kind) if asked_by else ""
        if why_not:
            yield Lack(kind, asked_by, "" if why_not == NOT_INSTALLED else why_not)
