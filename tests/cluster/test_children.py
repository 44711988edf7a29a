"""What the real API server makes of our children: no difference when quiet, drift when touched."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.cluster.applying import path_of
from qwen3_operator.desired.differences import differs
from qwen3_operator.desired.names import FIELD_MANAGER
from support.admin import dry_run_all
from support.apis import (
    GATEWAYS,
    HTTP_ROUTES,
    INFERENCE_POOLS,
    LEADER_WORKER_SETS,
    POD_MONITORS,
    install,
    uninstall,
)
from support.children import GOLDEN, children_of, read_case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_operator.observed import Manifest
    from support.controlplane import ControlPlane
    from support.room import Room

pytestmark = pytest.mark.cluster

CRD = Path(__file__).parents[2] / "crds"
CASES = [
    pytest.param(path, id=path.name.removesuffix(".in.yaml"))
    for path in sorted(GOLDEN.glob("*.in.yaml"))
]

UNTOUCHABLE = {
    "metadata.name",
    "metadata.namespace",
    "spec.selector.matchLabels",  # immutable
    "spec.template.metadata.labels",  # must agree with the selector
    "spec.strategy.type",  # Recreate takes no parameters
    "spec.template.spec.affinity.podAntiAffinity",
}
"""Where the API server lets nobody drift, by the beginning of the path."""

OTHER_WORDS = {
    "ALL": "NET_RAW",
    "AlwaysAllow": "IfHealthyBudget",
    "ClientIP": "None",
    "Exists": "Equal",
    "FailOpen": "FailClose",
    "FallbackToLogsOnError": "File",
    "IfNotPresent": "Always",
    "In": "NotIn",
    "Ingress": "Egress",
    "LoadBalancer": "NodePort",
    "Local": "Cluster",
    "Memory": "HugePages",
    "NoSchedule": "NoExecute",
    "NotIn": "In",
    "OnRootMismatch": "Always",
    "PathPrefix": "Exact",
    "Prefix": "Exact",
    "RuntimeDefault": "Unconfined",
    "TCP": "UDP",
}
"""Another word where the API server takes only some."""

POD = "spec.template.spec"

CANNOT_CHANGE_ALONE = {
    f"{POD}.containers.resources.limits.nvidia.com/gpu",  # equals the request
    f"{POD}.containers.resources.requests.nvidia.com/gpu",  # equals the limit
    f"{POD}.containers.volumeMounts.name",  # names a volume
    f"{POD}.volumes.name",  # is named by a mount
    (
        f"{POD}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
        ".nodeSelectorTerms.matchFields.key"
    ),  # there is one field only
    f"{POD}.tolerations.operator",  # Exists takes no value
    "spec.clusterIP",  # is chosen once
    "spec.ingress.from.ipBlock.cidr",  # is a network
    "spec.ingress.from.ipBlock.except",  # lies within it
    "spec.loadBalancerClass",  # is chosen once
    "spec.rules.filters.type",  # says which filter it is
    "spec.rules.filters.urlRewrite.path.type",  # says which rewrite it is
    "spec.rules.matches.path.type",  # what is cut off is a prefix
    "spec.type",  # has a load balancer's class
}
"""Fields that the API server refuses to see changed without another."""


@pytest.fixture(scope="module", autouse=True)
def apis(control_plane: ControlPlane) -> Iterator[None]:
    """Install the optional APIs that children are of; most stay, and nobody minds.

    A LeaderWorkerSet without its controller would be what operators of later tests rely on.
    """
    around = (GATEWAYS, HTTP_ROUTES, INFERENCE_POOLS, POD_MONITORS)
    install(control_plane, *around, LEADER_WORKER_SETS)
    yield
    uninstall(control_plane, LEADER_WORKER_SETS)


@pytest.fixture
def applied(request: pytest.FixtureRequest, room: Room) -> tuple[Manifest, ...]:
    """The children of a golden pair, applied as the operator does; their owner exists."""
    case = read_case(request.param)
    room.cluster.kubectl("apply", "--server-side", f"--filename={CRD}")
    room.cluster.commands().await_established("qwen3deployments.serving.qwen3.dev")
    metadata = case["resource"]["metadata"]
    metadata["namespace"] = room.namespace
    owner = {**case["resource"], "metadata": {"name": metadata["name"]}}
    room.kubectl("apply", "-f", "-", text=json.dumps(owner))
    metadata["uid"] = room.get("q3d", metadata["name"])["metadata"]["uid"]
    children = children_of(case)
    for child in children:
        apply(room, child)
    return children


def apply(room: Room, child: Manifest) -> None:
    """Apply a child by server-side apply with the operator's field manager."""
    manager = f"--field-manager={FIELD_MANAGER}"
    room.kubectl(
        "apply", "--server-side", "--force-conflicts", manager, "-f", "-", text=json.dumps(child)
    )


def live(room: Room, child: Manifest) -> dict[str, Any]:
    """Read a child back."""
    return room.get(child["kind"], child["metadata"]["name"])


@pytest.mark.parametrize("applied", CASES, indirect=True)
def test_what_was_applied_shows_no_difference(room: Room, applied: tuple[Manifest, ...]) -> None:
    for child in applied:
        assert not differs(child, live(room, child)), child["kind"]


@pytest.mark.parametrize("applied", CASES[:1], indirect=True)
def test_applying_again_changes_nothing(room: Room, applied: tuple[Manifest, ...]) -> None:
    service = applied[1]
    before = live(room, service)["metadata"]["resourceVersion"]

    apply(room, service)

    assert live(room, service)["metadata"]["resourceVersion"] == before


def leaves(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], object]]:
    """Go through every field of a child that holds a value; in an empty object there is none."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path, value


def drifted(value: object) -> object:
    """Return another value that the API server takes in that place."""
    if isinstance(value, str) and value in OTHER_WORDS:
        return OTHER_WORDS[value]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    number = re.match("[0-9]+", str(value))
    if number is not None:
        return f"{int(number[0]) + 1}{str(value)[number.end() :]}"
    return f"{value}x"


def where(path: tuple[Any, ...]) -> str:
    """Write a path with dots, without the numbers of entries."""
    return ".".join(step for step in path if isinstance(step, str))


def touching(path: tuple[Any, ...], value: object) -> list[dict[str, Any]]:
    """Make somebody's patch of one field.

    Entries of lists that Kubernetes orders itself are looked up where they are now.
    """
    pointer = "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return [{"op": "replace", "path": f"/{pointer}", "value": value}]


def touchable(child: Manifest) -> list[tuple[tuple[Any, ...], object]]:
    """Return the fields of a child that somebody could change."""
    plain = json.loads(
        json.dumps({n: v for n, v in child.items() if n not in ("apiVersion", "kind")})
    )
    return [
        (path, value)
        for path, value in leaves(plain)
        if not where(path).startswith(tuple(UNTOUCHABLE))
    ]


@pytest.mark.parametrize(
    "applied", [pytest.param(GOLDEN / "every-field.in.yaml", id="every-field")], indirect=True
)
@pytest.mark.parametrize("number", [0, 1], ids=["Deployment", "Service"])
def test_drift_in_every_field_is_seen(
    room: Room, applied: tuple[Manifest, ...], number: int
) -> None:
    assert check_drift(room, applied[number]) <= CANNOT_CHANGE_ALONE


@pytest.mark.parametrize(
    "applied", [pytest.param(GOLDEN / "everything-around.in.yaml", id="around")], indirect=True
)
def test_drift_in_what_stands_around_a_model_is_seen(
    room: Room, applied: tuple[Manifest, ...]
) -> None:
    refused = {path for child in applied[1:] for path in check_drift(room, child)}
    assert refused <= CANNOT_CHANGE_ALONE


def check_drift(room: Room, child: Manifest) -> set[str]:
    """Touch every field of a child: what the API server lets change must be seen.

    Return where it lets nothing change.
    """
    fields = touchable(child)
    patches = [touching(path, drifted(value)) for path, value in fields]
    afterwards = dry_run_all(room.cluster, path_of(child), patches)
    outcomes = [
        "refused" if after is None else "seen" if differs(child, after) else "overlooked"
        for after in afterwards
    ]
    assert [f for f, what in zip(fields, outcomes, strict=True) if what == "overlooked"] == []
    refused = [path for (path, _), what in zip(fields, outcomes, strict=True) if what == "refused"]
    return {where(path) for path in refused}
