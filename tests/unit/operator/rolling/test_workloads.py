"""What pods are made from is written down once, and put back for any number of replicas."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from qwen3_operator import desired
from qwen3_operator.decisions.workloads import is_workload
from qwen3_operator.desired.groups import Form
from qwen3_operator.desired.pool import Pool
from qwen3_operator.desired.revision import Record, make_revision, read_revision
from qwen3_operator.desired.site import site_for
from qwen3_operator.rolling.workloads import (
    are_pods_made_from,
    claims_of,
    plan_hash_of,
    with_kept,
    written_down,
)
from qwen3_planner.api.conversion import parse
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.plan import Layout
from support.plan_builders import make_plan

POOL = Pool("H100-SXM-80GB", "nvidia.com/gpu", (("nvidia.com/gpu.product", "In", ("H100",)),))
CLAIMED = Pool("H100-SXM-80GB", "gpu.nvidia.com", (), products=("NVIDIA H100 80GB HBM3",))
ONE_NODE, TWO_NODES = Layout(tensor=2), Layout(tensor=8, pipeline=2, nodes_per_replica=2)
KINDS = [
    pytest.param(ONE_NODE, Form.STATEFUL_SETS, POOL, id="Deployment"),
    pytest.param(ONE_NODE, Form.STATEFUL_SETS, CLAIMED, id="Deployment and claims"),
    pytest.param(TWO_NODES, Form.STATEFUL_SETS, POOL, id="StatefulSets"),
    pytest.param(TWO_NODES, Form.LEADER_WORKER_SET, POOL, id="LeaderWorkerSet"),
]
RESOURCE: dict[str, Any] = {
    "apiVersion": "serving.qwen3.dev/v1alpha1",
    "kind": "Qwen3Deployment",
    "metadata": {"name": "m", "namespace": "default", "uid": "u"},
    "spec": {"model": {"variant": "Qwen3-32B"}},
}


def rendered(replicas: int, layout: Layout, form: Form, pool: Pool) -> list[Any]:
    children = desired.children(
        parse(RESOURCE),
        make_plan(layout=layout),
        site_for({}, load_catalog()),
        replicas,
        pool,
        form,
    )
    return list(json.loads(json.dumps(children)))


def in_order(children: Any) -> list[Any]:  # noqa: ANN401 - any sequence of manifests
    return sorted(children, key=lambda child: (child["kind"], child["metadata"]["name"]))


@pytest.mark.parametrize(("layout", "form", "pool"), KINDS)
def test_what_is_put_back_is_what_was_rendered_for_any_number_of_replicas(
    layout: Layout, form: Form, pool: Pool
) -> None:
    for before, now in product((1, 2, 11), (1, 2, 12)):
        kept = written_down(rendered(before, layout, form, pool))
        wanted = rendered(now, layout, form, pool)

        children = with_kept(wanted, kept, now)

        assert is_workload(children[0])
        assert in_order(children) == in_order(wanted)


@pytest.mark.parametrize(("layout", "form", "pool"), KINDS)
def test_how_many_replicas_there_are_is_not_written_down(
    layout: Layout, form: Form, pool: Pool
) -> None:
    assert written_down(rendered(1, layout, form, pool)) == written_down(
        rendered(7, layout, form, pool)
    )


@pytest.mark.parametrize(("layout", "form", "pool"), KINDS)
def test_pods_of_another_kind_than_today_come_back_whole(
    layout: Layout, form: Form, pool: Pool
) -> None:
    before = rendered(2, layout, form, pool)
    other = TWO_NODES if layout is ONE_NODE else ONE_NODE
    wanted = rendered(3, other, Form.STATEFUL_SETS, POOL)

    children = with_kept(wanted, written_down(before), 3)

    made = {(c["kind"], c["metadata"]["name"]) for c in children if are_pods_made_from(c)}
    assert made == {
        (c["kind"], c["metadata"]["name"])
        for c in rendered(3, layout, form, pool)
        if are_pods_made_from(c)
    }
    assert children[0]["spec"]["replicas"] == 3
    assert plan_hash_of(children) == plan_hash_of(before)


def test_a_record_is_read_as_it_was_written() -> None:
    record = Record("hash", "s.p", "other", (), {"feasible": True}, 3)

    manifest = make_revision(parse(RESOURCE), record)

    assert read_revision(manifest) == record


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"kind": "ConfigMap"}, id="another kind"),
        pytest.param({"metadata": {"labels": {}}}, id="a StatefulSet's own"),
        pytest.param({"data": {}}, id="of another form"),
        pytest.param({"data": None}, id="without data"),
    ],
)
def test_what_is_no_record_of_ours_is_not_read_as_one(change: dict[str, Any]) -> None:
    manifest = make_revision(parse(RESOURCE), Record("hash", "s.p", "hash", (), {}, 3))

    assert read_revision({**manifest, **change}) is None


def test_claims_that_are_only_written_down_are_still_used() -> None:
    template = {"spec": {"volumes": [{"persistentVolumeClaim": {"claimName": "weights"}}, {}]}}
    written = {"kind": "Deployment", "spec": {"template": template}}

    assert claims_of([{"kind": "ControllerRevision", "data": {"workloads": [written]}}]) == (
        "weights",
    )
