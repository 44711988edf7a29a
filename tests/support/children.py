"""Children of a resource that uses every field; of the golden pair ``every-field``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from qwen3_operator import desired
from qwen3_operator.decisions.capacity import inventory_for
from qwen3_operator.decisions.devices import Device, DeviceSlice, with_devices
from qwen3_operator.decisions.eligibility import selector_of
from qwen3_operator.decisions.provisioning import declared_pool
from qwen3_operator.desired.adapter_caches import adapter_caches_of
from qwen3_operator.desired.adapters import question_of
from qwen3_operator.desired.cache import make_claim, shared_cache_of
from qwen3_operator.desired.groups import Form
from qwen3_operator.desired.placement import make_placement
from qwen3_operator.desired.pool import accelerator_named, pool_for
from qwen3_operator.desired.prefetch import make_prefetch_job
from qwen3_operator.desired.site import Around, Hubs, Site, site_for
from qwen3_operator.desired.surroundings import make_surroundings
from qwen3_planner.api.conversion import parse, plan_request
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from support.values import node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.observed import Manifest
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment

GOLDEN = Path(__file__).parents[1] / "golden" / "children"


def read_case(path: Path) -> dict[str, Any]:
    """Read the input of a golden pair."""
    case: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return case


def children_of(case: dict[str, Any]) -> tuple[Manifest, ...]:
    """Go the operator's way from a resource and nodes to children, without a cluster."""
    resource, result, pool = _planned(case)
    site, form = _site(case), Form(case.get("form", Form.STATEFUL_SETS))
    lacking = case.get("lacking", {})
    around = make_surroundings(resource, result, site, lambda kind: lacking.get(kind, ""), form)
    made = desired.children(resource, result, site, resource.spec.replicas, pool, form)
    admitted = case.get("replicas", resource.spec.replicas)
    return (*desired.with_replicas(made, admitted), *around.children)


def templates_of(children: Iterable[Manifest]) -> Iterator[dict[str, Any]]:
    """Yield the templates of all pods that are made of children."""
    for child in children:
        spec = child.get("spec", {})
        group = spec.get("leaderWorkerTemplate", {})
        for holder, name in (
            (spec, "template"),
            (group, "leaderTemplate"),
            (group, "workerTemplate"),
        ):
            if name in holder:
                yield holder[name]


def _planned(case: dict[str, Any]) -> tuple[Qwen3Deployment, Plan, Pool]:
    catalog = load_catalog()
    resource = parse(case["resource"])
    nodes = [node(**fields) for fields in case["nodes"]]
    for gpus in case.get("published", ()):
        device = Device(gpus["product"], gpus["memory_mib"], gpus["capability"])
        devices = DeviceSlice("slice", gpus["node"], 1, (device,) * gpus["count"])
        nodes.append(with_devices(node(gpus["node"], gpus=0), [devices], catalog))
    for pool in case.get("growing", ()):
        nodes.extend(declared_pool(catalog, **pool).nodes_to_come(0))
    inventory = inventory_for(selector_of(make_placement(resource, None)), nodes)
    request = question_of(plan_request(resource, catalog))
    result = plan(request, inventory, catalog)
    assert isinstance(result, Plan), result
    accelerator = accelerator_named(result.placement.accelerator, nodes, catalog)
    pool = pool_for(accelerator, nodes, catalog)
    return resource, result, pool


def _site(case: dict[str, Any]) -> Site:
    site = site_for({}, load_catalog(), Hubs(**case.get("hubs", {})))
    around = Around(**case.get("around", {}))
    return replace(
        site,
        fetch_image="registry.example.com/qwen3-operator:v1",
        around=around,
        leaving="# qwen3_operator/fetching/leaving.py\n",
    )


def shared_of(case: dict[str, Any]) -> tuple[Manifest, ...]:
    """Return the claim and the Job that such a resource shares with others; mostly none."""
    resource, result, pool = _planned(case)
    shared = shared_cache_of(resource, result)
    if shared is None:
        return ()
    caches = (shared, *adapter_caches_of(resource, result, shared))
    jobs = [make_prefetch_job(resource, cache, _site(case), pool) for cache in caches]
    return (make_claim(resource, shared), *jobs) if shared.is_made else (*jobs,)


def children_of_everything() -> tuple[Manifest, ...]:
    """Return the children of a resource that uses every field."""
    return children_of(read_case(GOLDEN / "every-field.in.yaml"))
