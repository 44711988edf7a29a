"""Every right of the chart is used: what no test would miss is not given."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.apis import (
    GATEWAYS,
    HTTP_ROUTES,
    INFERENCE_POOLS,
    LEADER_WORKER_SETS,
    LOCAL_QUEUES,
    NODE_POOLS,
    POD_MONITORS,
    uninstall,
)
from support.apis import install as install_apis
from support.models import SECONDS, SMALL, Models
from support.operator import RunningOperator, install
from support.scripts import load_script
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane
    from support.controlplane.audit import Request
    from support.room import Room

pytestmark = pytest.mark.cluster

CREATED = 201

ROOT = Path(__file__).parents[2]
ON_L40S = f"{SMALL}accelerators: [L40S-48GB]\n"
LASTING = (GATEWAYS, HTTP_ROUTES, INFERENCE_POOLS, POD_MONITORS)
PASSING = (LOCAL_QUEUES, NODE_POOLS)
"""APIs that other tests do not mind, and those that they do."""

AROUND = """
route: {parentRefs: [{name: edge}], hostnames: [models.example.com], path: /m}
ingress: {hosts: [m.example.com]}
inferencePool: {endpointPickerRef: {name: epp}}
networkPolicy: {metricsFrom: [{namespaceSelector: {}}]}
monitoring: {}
apiKeySecretRef: {name: keys}
lora: {runtimeLoading: true, maxLoras: 2, maxLoraRank: 16,
  adapters: [{name: sql, source: "hf://team/sql", rank: 8}]}
replicas: 2
scaling: {maxReplicas: 1}
"""

ON_A100 = f"{SMALL}accelerators: [A100-SXM-80GB]\n"
CACHED = "cache: {persistentVolumeClaim: {storageClassName: nobodys}}\n"

OVER_NODES = """
quantization: fp8
parallelism: {tensor: 8, pipeline: 2}
accelerators: [H100-SXM-80GB]
"""

ELSEWHERE: dict[tuple[str, str], str] = {
    ("serving.qwen3.dev/qwen3deployments/finalizers", "update"): (
        "never asked for: admission looks whether it is allowed (OwnerReferencesPermission"
        "Enforcement), where a cluster has that plugin on"
    ),
    **dict.fromkeys(
        (
            ("resource.k8s.io/resourceclaimtemplates", verb)
            for verb in ("create", "patch", "delete")
        ),
        "test_operator_devices.py: nodes whose GPUs are claimed",
    ),
}
"""Rights that this story has no use for, and who has."""


@pytest.fixture
def apis(control_plane: ControlPlane) -> Iterator[None]:
    """Have the optional APIs; LeaderWorkerSet comes later, as groups are StatefulSets without."""
    install_apis(control_plane, *LASTING, *PASSING)
    yield
    uninstall(control_plane, LEADER_WORKER_SETS, *PASSING)


@pytest.mark.usefixtures("apis")
def test_no_right_is_given_that_is_not_used(
    control_plane: ControlPlane, room: Room, tmp_path: Path
) -> None:
    installation = install(control_plane, tmp_path, "rights-used-system")
    mark = control_plane.audit_log.mark()
    models = Models(room)
    with RunningOperator(installation) as operator:
        play(control_plane, models, operator)
    used = {
        right
        for one in control_plane.audit_log.requests(mark)
        if one.user == installation.user
        for right in rights_in(one)
    }

    unused = given() - used

    assert sorted(unused - ELSEWHERE.keys()) == []
    assert sorted(ELSEWHERE.keys() - unused) == []


def rights_in(request: Request) -> Iterator[tuple[str, str]]:
    """Name what a request needs; an apply that makes something has to be allowed to create it."""
    parts = (request.group, request.resource, request.subresource)
    what = "/".join(filter(None, parts))
    yield what, request.verb
    if request.verb == "patch" and request.code == CREATED:
        yield what, "create"


def play(cluster: ControlPlane, models: Models, operator: RunningOperator) -> None:
    """Have the operator do all that it does."""
    models.room.kubectl("create", "secret", "generic", "keys", "--from-literal=api-key=k")
    models.apply("around", ON_L40S + AROUND)
    models.apply("cached", ON_A100 + CACHED)
    models.await_condition("cached", "ModelCached", "False", "ClaimNotBound")
    models.apply("joining", ON_A100 + CACHED)
    for kind in ("pvc", "jobs"):
        until(partial(has_users, models, kind, 2), SECONDS, f"nobody joined the {kind}")
    models.apply("joining", ON_A100)
    for kind in ("pvc", "jobs"):
        until(partial(has_users, models, kind, 1), SECONDS, f"nobody left the {kind}")
    models.delete("joining")
    until(
        lambda: models.get("around")["spec"]["replicas"] == 1, SECONDS, "the scale is not written"
    )
    models.apply("around", ON_L40S)  # takes all away that stood around it
    models.apply("cached", ON_A100)
    models.await_ready("around")
    models.await_ready("cached")
    models.room.kubectl("delete", "service", "around")  # is the resource gone, too? asks a get
    until(lambda: ("Service", "around") in models.children("around"), SECONDS, "it stays away")
    models.delete("cached")
    models.apply("around", f"{ON_L40S}suspend: true\n")
    models.await_gone("around")
    models.delete("around")
    over_nodes(models)
    install_apis(cluster, LEADER_WORKER_SETS)
    noticed = "the cluster has /apis/leaderworkerset"
    until(lambda: noticed in operator.log, SECONDS, "LeaderWorkerSet is not noticed")
    over_nodes(models, "leaderworkersets")


def has_users(models: Models, kind: str, count: int) -> bool:
    """Whether so many resources use the cache."""
    (one,) = models.room.get(kind)["items"]
    return len(one["metadata"]["ownerReferences"]) == count


def over_nodes(models: Models, kind: str = "statefulsets") -> None:
    """Start a replica over two nodes, and stop it again."""
    models.apply("large", OVER_NODES, variant="Qwen3-235B-A22B")
    until(lambda: models.room.names(kind), SECONDS, lambda: str(models.status("large")))
    if kind == "statefulsets":
        models.await_ready("large")
        models.room.kubectl("delete", "pod", "large-0-1", "--grace-period=0", "--force")
        until(lambda: len(models.pods("large")) == 2, SECONDS, "both ranks should come again")
    models.apply("large", f"{OVER_NODES}suspend: true\n", variant="Qwen3-235B-A22B")
    until(lambda: not models.room.names(kind), SECONDS, f"{kind} should go")
    models.delete("large")


def given() -> set[tuple[str, str]]:
    everywhere, served, home, _ = load_script("rights_page").rendered_rights().values()
    return set(everywhere | served | home)
