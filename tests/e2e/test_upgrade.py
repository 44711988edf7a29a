"""A release goes over into the next one and then away, and its models never notice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.node import release
from support.node.release import CRD, everything, leader, operator_log, operator_pods
from support.node.supply import PREVIOUS
from support.node.team import READY_SECONDS, Team, new_team
from support.node.tiny import tiny
from support.operator import CHART, RELEASE
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane
    from support.node import Supplies

pytestmark = pytest.mark.e2e

SECONDS = 120.0
"""In which controllers do what is theirs to do."""

DEFINITION = {
    f"apiextensions.k8s.io/v1 CustomResourceDefinition /{CRD}",
    "apiregistration.k8s.io/v1 APIService /v1alpha1.serving.qwen3.dev",
}
"""Left by `helm uninstall`; the API server makes the second one of the first."""

LEFT = {
    f"coordination.k8s.io/v1 Lease {release.NAMESPACE}/{RELEASE}",
    f"v1 Pod {release.NAMESPACE}/{RELEASE}-test",
}
"""What docs/how-to/upgrade-the-operator.md says is left as well, beside the models."""


@dataclass(frozen=True)
class Running:
    """What an upgrade must not touch: pods and their containers, and what serves them.

    Attributes:
        pods: uid and restarts of each container.
        template: of the pods.
    """

    pods: dict[str, list[int]]
    template: dict[str, Any]


@dataclass(frozen=True)
class Story:
    """A running model that was made by the release before.

    Attributes:
        cluster: on which.
        team: whose model it is.
        empty: all objects there were before the installation.
        before: how it ran before the upgrade.
    """

    cluster: ControlPlane
    team: Team
    empty: set[str]
    before: Running


def running(team: Team) -> Running:
    pods = {
        pod["metadata"]["uid"]: [
            one["restartCount"]
            # none are there until the kubelet has looked at the pod
            for one in pod["status"].get("containerStatuses", ())
        ]
        for pod in team.pods("tiny")
    }
    return Running(pods, team.get("deployment", "tiny")["spec"]["template"])


def versions(cluster: ControlPlane) -> set[str]:
    """Return the versions of the operator's pods, those that end, too."""
    label = "app.kubernetes.io/version"
    return {pod["metadata"]["labels"][label] for pod in operator_pods(cluster)}


def forget(cluster: ControlPlane) -> None:
    """Remove the release, its namespace and its CRD."""
    release.uninstall(cluster)
    cluster.kubectl("delete", "crd", CRD, "--ignore-not-found", "--timeout=120s")
    cluster.kubectl("delete", "namespace", release.NAMESPACE, "--timeout=120s")
    release.make_namespace(cluster, release.NAMESPACE)


@pytest.fixture(scope="module")
def story(installed: ControlPlane, supplies: Supplies) -> Iterator[Story]:
    """Put the release before in the place of the session's, with a model; then the latter again."""
    with new_team(installed, supplies) as team:
        forget(installed)
        try:
            empty = everything(installed)
            (chart,) = PREVIOUS.glob("*.tgz")
            release.install(installed, supplies.images.previous_operator, chart=chart)
            team.apply(tiny(supplies))
            team.await_ready("tiny")
            yield Story(installed, team, empty, running(team))
        finally:
            if RELEASE in installed.helm("list", f"--namespace={release.NAMESPACE}", "--short"):
                forget(installed)
            release.install(installed, supplies.images.operator)


def test_an_upgrade_leaves_a_running_model_alone_until_it_is_changed(
    story: Story, supplies: Supplies
) -> None:
    cluster, team = story.cluster, story.team
    assert len(story.before.pods) == 1
    assert team.message("tiny")["role"] == "assistant"
    (version,) = versions(cluster)
    generation = cluster.kubectl_json("get", "crd", CRD)["metadata"]["labels"]
    assert generation["app.kubernetes.io/version"] == version

    release.install(cluster, supplies.images.operator)

    present = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    assert version != present
    until(lambda: versions(cluster) == {present}, SECONDS, lambda: str(versions(cluster)))
    (pod,) = operator_pods(cluster)
    until(
        lambda: leader(cluster) == pod["metadata"]["name"],
        SECONDS,
        lambda: f"{pod['metadata']['name']} should lead, not {leader(cluster)}",
    )
    definition = cluster.kubectl_json("get", "crd", CRD)
    assert definition["metadata"]["labels"]["app.kubernetes.io/version"] == present
    assert definition["spec"]["versions"] == shipped_versions(cluster)
    until(
        lambda: has_reconciled(cluster, pod["metadata"]["name"]),
        SECONDS,
        lambda: operator_log(cluster, pod["metadata"]["name"], lines=50),
        interval=1,
    )
    assert running(team) == story.before
    assert team.condition_of("tiny", "Ready")["status"] == "True"
    assert team.message("tiny")["role"] == "assistant"
    assert "Succeeded" in cluster.helm("test", RELEASE, f"--namespace={release.NAMESPACE}")

    team.apply(tiny(supplies, maxModelLen=2048))
    until(
        lambda: not story.before.pods.keys() & running(team).pods.keys(),
        READY_SECONDS,
        lambda: team.told("tiny"),
        interval=1,
    )
    team.await_ready("tiny")
    assert [*running(team).pods.values()] == [[0]]
    assert len(team.get("replicasets")["items"]) == 2
    assert team.message("tiny")["role"] == "assistant"


def shipped_versions(cluster: ControlPlane) -> list[Any]:
    """Return the versions of the chart's CRD, with the defaults that the API server adds."""
    shipped = yaml.safe_load((CHART / "files" / "crd.yaml").read_text())
    patch = json.dumps({"spec": {"versions": shipped["spec"]["versions"]}})
    would_be = cluster.kubectl_json(
        *("patch", "crd", CRD, "--type=merge", "--dry-run=server", f"--patch={patch}")
    )
    return list(would_be["spec"]["versions"])


def has_reconciled(cluster: ControlPlane, pod: str) -> bool:
    """Say whether an operator has brought the model in order, by its own metrics."""
    proxy = f"/api/v1/namespaces/{release.NAMESPACE}/pods/{pod}:8080/proxy/metrics"
    lines = cluster.kubectl("get", "--raw", proxy).splitlines()
    shown = any(line.startswith("qwen3_deployment_info{") and '"tiny"' in line for line in lines)
    counted = 'qwen3_operator_reconciles_total{result="ok"} '
    return shown and any(
        line.startswith(counted) and float(line.removeprefix(counted)) > 0 for line in lines
    )


def test_what_is_uninstalled_leaves_what_the_documentation_says(
    story: Story, supplies: Supplies
) -> None:
    cluster, team = story.cluster, story.team
    release.install(cluster, supplies.images.operator)
    cluster.helm("test", RELEASE, f"--namespace={release.NAMESPACE}")
    until(
        lambda: len(team.get("pods")["items"]) == len(team.pods("tiny")) == 1,
        SECONDS,
        lambda: f"the pod of before should end: {team.told('tiny')}",
        interval=1,
    )
    before = everything(cluster)
    pods = running(team)

    release.uninstall(cluster)

    until(
        lambda: everything(cluster) - story.empty - of_team(before, team) == DEFINITION | LEFT,
        SECONDS,
        lambda: "\n".join(sorted(everything(cluster) - story.empty - of_team(before, team))),
        interval=1,
    )
    assert of_team(everything(cluster), team) == of_team(before, team)
    assert running(team) == pods
    assert team.message("tiny")["role"] == "assistant"

    cluster.kubectl("delete", "crd", CRD, "--timeout=120s")

    until(
        lambda: everything(cluster) - story.empty == LEFT,
        SECONDS,
        lambda: "\n".join(sorted(everything(cluster) - story.empty)),
        interval=1,
    )


def of_team(objects: set[str], team: Team) -> set[str]:
    return {line for line in objects if f" {team.namespace}/" in line}
