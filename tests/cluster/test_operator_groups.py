"""Replicas over several nodes: whole or not at all, with LeaderWorkerSet and without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.availability import cannot_run
from support.controlplane import (
    BuildError,
    ControlPlane,
    MissingPrerequisiteError,
)
from support.controlplane.binaries import say_on_stderr
from support.leaderworkerset import LeaderWorkerSets, find_or_build
from support.models import SECONDS, Models
from support.operator import RunningOperator, install
from support.room import Room, make_pod
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.leaderworkerset import Built

pytestmark = pytest.mark.cluster

LARGE = """\
quantization: fp8
parallelism: {tensor: 8, pipeline: 2}
accelerators: [H100-SXM-80GB]
"""
"""With 235B-A22B: one replica over two nodes of eight GPUs."""

GROUP_LIMIT_S = 4

NEAR = {"nvidia.com/gpu.clique": "rack-1.0"}

HOME = "groups"
"""Namespace of all resources here."""


@pytest.fixture(scope="module")
def two_nodes(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """The shared control plane, its two nodes with H100 near to each other."""
    (near,) = (f"{key}={value}" for key, value in NEAR.items())
    control_plane.kubectl("label", "node", "h100-0", "h100-1", near)
    control_plane.kubectl("create", "namespace", HOME)
    yield control_plane
    control_plane.kubectl("label", "node", "h100-0", "h100-1", f"{next(iter(NEAR))}-")
    control_plane.kubectl("delete", "namespace", HOME, "--wait=false")


@pytest.fixture(scope="module")
def built(request: pytest.FixtureRequest) -> Built:
    capture = request.config.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled():
            return find_or_build(say_on_stderr)
    except (MissingPrerequisiteError, BuildError) as error:
        cannot_run(f"No LeaderWorkerSet: {error}", "make controlplane")


@pytest.fixture(scope="module")
def own_operator(
    two_nodes: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningOperator]:
    """One operator with the chart's rights; a replica is taken back after seconds."""
    mark = two_nodes.audit_log.mark()
    installation = install(two_nodes, tmp_path_factory.mktemp("operator"), "qwen3-system")
    arguments = [f"--group-limit-s={GROUP_LIMIT_S}"]
    with RunningOperator(installation, arguments=arguments) as running:
        yield running
    refused = [
        f"{request.verb} {request.resource}/{request.subresource}"
        for request in two_nodes.audit_log.requests(mark)
        if request.user == installation.user and request.code == 403
    ]
    assert refused == []


@pytest.fixture(scope="module")
def models(two_nodes: ControlPlane, own_operator: RunningOperator) -> Models:
    """The resources of the namespace."""
    assert own_operator.returncode is None
    return Models(Room(two_nodes, HOME))


@pytest.fixture(autouse=True)
def clean(models: Models) -> Iterator[None]:
    """Leave no resource and no pod to the next test."""
    yield
    models.delete_all()
    models.room.kubectl("delete", "pods", "--all", "--timeout=60s")


def test_without_leaderworkerset_a_replica_over_two_nodes_is_stateful_sets(models: Models) -> None:
    models.apply("large", LARGE, variant="Qwen3-235B-A22B")
    models.await_ready("large")
    leader, other = by_rank(models, "large")
    assert sorted(models.nodes("large")) == ["h100-0", "h100-1"]
    assert (leader["metadata"]["name"], other["metadata"]["name"]) == ("large-0", "large-0-1")
    assert value_of(other, "LEADER_ADDRESS") == "large-0.large-ranks.groups"
    assert words(other)[-1] == "--headless"
    assert "--headless" not in words(leader)
    assert "readinessProbe" in engine(leader)
    assert "readinessProbe" not in engine(other)
    assert leader["spec"]["nodeSelector"] == other["spec"]["nodeSelector"] == NEAR
    assert let_in_by_their_group(models, "large") == {"large-0", "large-0-1"}
    headless = models.room.get("service", "large-ranks")["spec"]
    assert (headless["clusterIP"], headless["publishNotReadyAddresses"]) == ("None", True)
    assert answering(models, "large") == ["large-0"]
    assert models.status("large")["layout"] == "tp8xpp2"
    assert models.status("large")["available"] == "1/1"

    models.room.kubectl("delete", "pod", "large-0-1", "--grace-period=0", "--force")
    uids = {pod["metadata"]["uid"] for pod in (leader, other)}
    until(
        lambda: all_new(models, "large", uids) and models.condition("large", "Ready")["status"],
        SECONDS,
        lambda: f"both ranks should start anew: {models.status('large')}",
    )
    models.await_ready("large")

    hash_before = models.status("large")["planHash"]
    models.apply("large", f"{LARGE}maxModelLen: 8192\n", variant="Qwen3-235B-A22B")
    until(
        lambda: (
            models.status("large")["planHash"] != hash_before
            and models.condition("large", "Ready")["status"] == "True"
            and all("8192" in words(pod) for pod in models.pods("large"))
        ),
        SECONDS,
        lambda: f"all ranks should get the new template: {models.status('large')}",
    )


def test_ranks_that_a_quota_refuses_are_told_by_their_stateful_set(models: Models) -> None:
    _assert_that_a_quota_is_told(models)


def _assert_that_a_quota_is_told(models: Models) -> None:
    """Have a quota refuse the second rank of a replica: it is said why, until it is raised."""
    models.room.kubectl("create", "quota", "one", "--hard=pods=1")
    models.apply("quoted", LARGE, variant="Qwen3-235B-A22B")
    message = models.await_condition("quoted", "Ready", "False", "QuotaExceeded")["message"]
    assert message.startswith("its pod is forbidden: exceeded quota: one, requested: pods=1")
    assert len(models.pods("quoted")) == 1
    models.room.kubectl("delete", "quota", "one")
    models.await_ready("quoted")


def test_two_groups_want_the_same_two_nodes_and_one_holds_nothing(models: Models) -> None:
    models.apply("first", LARGE, variant="Qwen3-235B-A22B")
    models.await_ready("first")
    models.apply("second", LARGE, variant="Qwen3-235B-A22B")
    condition = models.await_condition("second", "Scheduled", "False", "InsufficientGPU")
    assert "8 x H100-SXM-80GB (nvidia.com/gpu) on each of 2 nodes at once" in condition["message"]
    assert "first (16)" in condition["message"]
    assert models.pods("second") == []
    assert len(models.nodes("first")) == 2

    models.delete("first")
    models.await_ready("second")
    assert sorted(models.nodes("second")) == ["h100-0", "h100-1"]


def test_a_group_that_is_short_of_a_node_holds_none_and_starts_when_it_is_free(
    models: Models, two_nodes: ControlPlane
) -> None:
    """Somebody else takes a node after the replica was admitted, before its pods were made."""
    models.apply("short", f"{LARGE}suspend: true\n", variant="Qwen3-235B-A22B")
    models.await_condition("short", "Ready", "True", "Suspended")
    two_nodes.stop_part("kube-controller-manager")  # nobody makes pods of StatefulSets
    try:
        models.apply("short", LARGE, variant="Qwen3-235B-A22B")
        until(lambda: stateful_sets(models, "short"), SECONDS, "it should be admitted")
        stranger = make_pod("stranger", gpus=8, nodeName="h100-1")
        models.room.apply(stranger)
        models.room.await_ready("stranger")
    finally:
        two_nodes.start_part("kube-controller-manager")
    condition = models.await_condition("short", "Ready", "False", "WaitingForGroup")
    assert "8 x nvidia.com/gpu on each of 2 nodes at once, and 1 of" in condition["message"]
    assert models.nodes("short") == ["", ""]

    models.room.kubectl("delete", "pod", "stranger", "--grace-period=0", "--force")
    models.await_ready("short")
    assert sorted(models.nodes("short")) == ["h100-0", "h100-1"]


def test_a_group_bound_in_part_is_taken_back_after_the_limit(
    models: Models, two_nodes: ControlPlane
) -> None:
    """A node is taken between the lifting of the gate and the scheduler's look at the pods."""
    two_nodes.stop_part("kube-scheduler")
    models.apply("torn", LARGE, variant="Qwen3-235B-A22B")
    until(
        lambda: gates(models, "torn") == [[], []],
        SECONDS,
        lambda: f"the gate should be lifted: {gates(models, 'torn')}",
    )
    models.room.apply(make_pod("thief", gpus=8, nodeName="h100-0"))
    two_nodes.start_part("kube-scheduler")
    until(
        lambda: models.nodes("torn") == ["", "h100-1"], SECONDS, lambda: f"{models.nodes('torn')}"
    )
    models.await_condition("torn", "Ready", "False", "WaitingForGroup")
    assert models.nodes("torn") == ["", ""]
    assert all(gates(models, "torn"))

    models.room.kubectl("delete", "pod", "thief", "--grace-period=0", "--force")
    models.await_ready("torn")


def test_with_leaderworkerset_a_replica_is_a_group_of_one(
    models: Models, two_nodes: ControlPlane, own_operator: RunningOperator, built: Built
) -> None:
    """What runs as StatefulSets stays when LeaderWorkerSet comes; what comes later is a set."""
    models.apply("old", LARGE, variant="Qwen3-235B-A22B")
    models.await_ready("old")
    before = {pod["metadata"]["uid"] for pod in models.pods("old")}
    with LeaderWorkerSets(two_nodes, built):
        noticed = "the cluster has /apis/leaderworkerset"
        until(lambda: noticed in own_operator.log, SECONDS, "the operator should notice it")
        models.room.kubectl("annotate", "q3d", "old", "example.com/look=again")
        models.apply("new", LARGE, variant="Qwen3-235B-A22B")
        models.await_condition("new", "Scheduled", "False", "InsufficientGPU")
        assert {pod["metadata"]["uid"] for pod in models.pods("old")} == before
        models.delete("old")
        models.await_ready("new")
        _assert_is_a_whole_set(models)
        leader, other = by_rank(models, "new")
        uids = {pod["metadata"]["uid"] for pod in (leader, other)}
        models.room.kubectl(
            "delete", "pod", other["metadata"]["name"], "--grace-period=0", "--force"
        )
        until(
            lambda: all_new(models, "new", uids),
            SECONDS,
            lambda: f"both ranks should start anew: {models.status('new')}",
        )
        models.await_ready("new")
        models.apply("new", f"{LARGE}maxModelLen: 8192\n", variant="Qwen3-235B-A22B")
        until(
            lambda: (
                models.condition("new", "Ready")["status"] == "True"
                and len(models.pods("new")) == 2
                and all("8192" in words(pod) for pod in models.pods("new"))
            ),
            SECONDS,
            lambda: f"all ranks should get the new template: {models.status('new')}",
        )
        models.delete_all()
        _assert_that_a_quota_is_told(models)
        models.delete_all()
        until(lambda: models.room.names("leaderworkersets") == [], SECONDS, "the set should go")


def let_in_by_their_group(models: Models, name: str) -> set[str]:
    """Return the pods whose ports network policies open to pods of the same replica."""
    own = f"--selector=serving.qwen3.dev/deployment={name}"
    found = set()
    for policy in models.room.get("networkpolicies", own)["items"]:
        if "-group-" in policy["metadata"]["name"]:
            labels = policy["spec"]["podSelector"]["matchLabels"]
            selected = ",".join(f"{key}={value}" for key, value in labels.items())
            pods = models.room.get("pods", f"--selector={selected}")["items"]
            assert {"podSelector": {"matchLabels": labels}} in policy["spec"]["ingress"][0]["from"]
            found |= {pod["metadata"]["name"] for pod in pods}
    return found


def _assert_is_a_whole_set(models: Models) -> None:
    assert models.room.names("leaderworkersets") == ["new"]
    leader, other = by_rank(models, "new")
    assert sorted(models.nodes("new")) == ["h100-0", "h100-1"]
    assert (leader["metadata"]["name"], other["metadata"]["name"]) == ("new-0", "new-0-1")
    assert let_in_by_their_group(models, "new") == {"new-0", "new-0-1"}
    for pod in (leader, other):
        assert value_of(pod, "LWS_LEADER_ADDRESS") == "new-0.new-0.groups"
        assert value_of(pod, "LEADER_ADDRESS") == "$(LWS_LEADER_ADDRESS)"
    assert value_of(other, "LWS_WORKER_INDEX") == "1"
    assert answering(models, "new") == ["new-0"]
    assert models.status("new")["available"] == "1/1"
    assert models.condition("new", "Progressing")["reason"] == "RolloutComplete"


def by_rank(models: Models, name: str) -> list[dict[str, Any]]:
    """Return the pods of the one replica, the leader first."""
    return sorted(models.pods(name), key=lambda pod: str(pod["metadata"]["name"]))


def engine(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["spec"]["containers"]
    return dict(container)


def words(pod: dict[str, Any]) -> list[str]:
    return list(engine(pod)["args"])


def value_of(pod: dict[str, Any], name: str) -> str:
    return next(str(entry["value"]) for entry in engine(pod)["env"] if entry["name"] == name)


def gates(models: Models, name: str) -> list[list[str]]:
    return [
        [gate["name"] for gate in pod["spec"].get("schedulingGates") or ()]
        for pod in models.pods(name)
    ]


def answering(models: Models, name: str) -> list[str]:
    """Return the pods that the Service in front of the replicas leads to."""
    pieces = models.room.get("endpointslices", f"--selector=kubernetes.io/service-name={name}")
    return [
        endpoint["targetRef"]["name"]
        for piece in pieces["items"]
        for endpoint in piece["endpoints"] or []
        if endpoint["conditions"]["ready"]
    ]


def stateful_sets(models: Models, name: str) -> list[str]:
    selector = f"--selector=serving.qwen3.dev/deployment={name}"
    return [item["metadata"]["name"] for item in models.room.get("sts", selector)["items"]]


def all_new(models: Models, name: str, uids: set[str]) -> bool:
    """Whether both pods are others than before, and run."""
    pods = models.pods(name)
    return (
        len(pods) == 2
        and not uids & {pod["metadata"]["uid"] for pod in pods}
        and all(pod["status"]["phase"] == "Running" for pod in pods)
    )
