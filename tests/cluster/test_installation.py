"""`qwen3-operator check`, which `helm test` runs, against a real API server and a real operator."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from qwen3_operator.installation.rights import EVERYWHERE, SERVED, Right, needed
from support.controlplane import ControlPlane
from support.operator import CHART, RELEASE, SOURCES, RunningOperator, install
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.controlplane import Binaries
    from support.operator import Installation

pytestmark = pytest.mark.cluster

HOME = "qwen3-system"
CRD = "qwen3deployments.serving.qwen3.dev"
LABELS = {"app.kubernetes.io/instance": RELEASE, "app.kubernetes.io/component": "operator"}


@pytest.fixture(scope="module")
def cluster(control_plane_binaries: Binaries) -> Iterator[ControlPlane]:
    """One without nodes: the operator is a process here, and its pod an entry with an address."""
    with ControlPlane(control_plane_binaries) as running:
        yield running


@pytest.fixture(scope="module")
def installation(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(cluster, tmp_path_factory.mktemp("installation"), HOME)


@pytest.fixture(scope="module")
def operator(cluster: ControlPlane, installation: Installation) -> Iterator[RunningOperator]:
    words = ("Traceback", "Forbidden")  # one that was stopped for long may end with an error
    with RunningOperator(installation, lease_duration_s=11, unwanted_words=words) as running:
        stand_in(cluster)
        yield running


def stand_in(cluster: ControlPlane) -> None:
    """Make the pod that a kubelet would report for the process."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "operator-0", "namespace": HOME, "labels": LABELS},
        "spec": {"containers": [{"name": "operator", "image": "none"}], "schedulerName": "nobody"},
    }
    until(
        lambda: cluster.kubectl(
            "get", "serviceaccount", "default", f"--namespace={HOME}", "--ignore-not-found"
        ),
        30,
        "no account for pods",
    )
    cluster.kubectl("apply", "-f", "-", input=json.dumps(pod))
    status = {"status": {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}}
    patch = ("--subresource=status", "--type=merge", f"--patch={json.dumps(status)}")
    cluster.kubectl("patch", "pod", "operator-0", f"--namespace={HOME}", *patch)


def check(
    operator: RunningOperator, *options: str, timeout_s: float = 20
) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "qwen3_operator", "check", f"--timeout-s={timeout_s}"]
    words += [f"--kubeconfig={operator.installation.kubeconfig}", f"--lease-namespace={HOME}"]
    words += [f"--lease-name={RELEASE}", f"--health-port={operator.health_port}"]
    words += [f"--pod-label={key}={value}" for key, value in LABELS.items()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, SOURCES))}
    return subprocess.run(
        [*words, *options], check=False, capture_output=True, text=True, env=environment, timeout=90
    )


def line(done: subprocess.CompletedProcess[str], subject: str) -> str:
    """Return what was found of one subject, when something was wrong."""
    assert done.returncode == 1, done.stdout + done.stderr
    return next(one for one in done.stdout.splitlines() if f"  {subject}" in one)


def test_an_operator_that_works_passes_and_it_is_said_what_was_seen(
    operator: RunningOperator,
) -> None:
    done = check(operator)

    assert done.returncode == 0, done.stdout + done.stderr
    definition, rights, pods, lease = done.stdout.splitlines()
    assert definition.startswith("ok    definition: served, with all ")
    assert rights.startswith("ok    rights: all ")
    assert pods == "ok    pods: operator-0 answered /readyz"
    held = "held by operator-0, renewed while we looked"
    assert lease == f"ok    lease {HOME}/{RELEASE}: {held}"


def test_a_definition_that_is_older_is_noticed(
    cluster: ControlPlane, operator: RunningOperator
) -> None:
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"
    gone = [{"op": "remove", "path": f"{path}/{name}"} for name in ("toolCalling", "suspend")]
    whole = cluster.kubectl("get", "crd", CRD, "--output=json")
    cluster.kubectl("patch", "crd", CRD, "--type=json", f"--patch={json.dumps(gone)}")
    try:
        said = until(
            lambda: next(
                (one for one in check(operator).stdout.splitlines() if "FAIL  definition" in one),
                None,
            ),
            60,
            "nothing was noticed",
        )
    finally:
        cluster.kubectl("replace", "-f", "-", input=_without_version(whole))

    assert "it is older than this release, and lacks spec.suspend, spec.toolCalling;" in said


def _without_version(text: str) -> str:
    document = json.loads(text)
    document["metadata"].pop("resourceVersion")
    return json.dumps(document)


def test_a_right_that_is_missing_is_named(cluster: ControlPlane, operator: RunningOperator) -> None:
    role = cluster.kubectl("get", "clusterrole", RELEASE, "--output=json")
    document = json.loads(role)
    for rule in document["rules"]:
        if "statefulsets" in rule["resources"]:
            rule["verbs"].remove("patch")
    cluster.kubectl("apply", "-f", "-", input=json.dumps(document))
    try:
        said = until(
            lambda: next(
                (one for one in check(operator).stdout.splitlines() if "FAIL  rights" in one), None
            ),
            60,
            "nothing was noticed",
        )
    finally:
        cluster.kubectl("replace", "-f", "-", input=_without_version(role))

    assert "are missing: patch deployments.apps in all namespaces, " in said
    assert "patch statefulsets.apps in all namespaces" in said


def test_pods_and_lease_of_another_name_are_not_there(operator: RunningOperator) -> None:
    done = check(operator, "--lease-name=other", "--pod-label=a=b", timeout_s=2)

    assert line(done, "pods") == "FAIL  pods: the operator has none"
    assert "FAIL  lease qwen3-system/other: leases" in line(done, "lease")
    assert "other" in line(done, "rights"), "it may look at its own Lease alone"


def test_without_a_cluster_it_says_so(operator: RunningOperator, tmp_path: Path) -> None:
    done = check(operator, f"--kubeconfig={tmp_path / 'none'}")

    assert done.returncode == 1
    assert "no cluster is configured" in done.stderr


@pytest.mark.parametrize("namespaces", [(), ("team-a", "team-b")], ids=["all", "named"])
def test_the_rights_that_are_asked_for_are_those_that_the_chart_gives(
    cluster: ControlPlane, namespaces: tuple[str, ...]
) -> None:
    values = json.dumps({"watchNamespaces": list(namespaces)})
    options = (f"--namespace={HOME}", "--values=-")
    text = cluster.helm("template", RELEASE, CHART, *options, input=values)
    documents = [one for one in yaml.safe_load_all(text) if one]
    groups = {group for group, _, _ in (*EVERYWHERE, *SERVED)} | {"coordination.k8s.io"}

    assert set(needed(namespaces, (HOME, RELEASE), groups)) == set(_given(documents))


def _given(documents: list[dict[str, Any]]) -> Iterator[Right]:
    """Read every role that is bound to the operator's account."""
    bound = {
        (one["roleRef"]["kind"], one["roleRef"]["name"], one["metadata"].get("namespace", ""))
        for one in documents
        if one["kind"].endswith("Binding") and "subjects" in one
    }
    for document in documents:
        where = document["metadata"].get("namespace", "")
        if (document["kind"], document["metadata"]["name"], where) not in bound:
            continue
        for rule in document["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        for name in rule.get("resourceNames", [""]):
                            yield Right(group, resource, verb, where, name)


def test_an_operator_that_hangs_is_noticed(operator: RunningOperator) -> None:
    os.kill(operator.pid, signal.SIGSTOP)  # the last test: it may lose its Lease
    try:
        done = check(operator, timeout_s=6)
    finally:
        os.kill(operator.pid, signal.SIGCONT)

    assert line(done, "pods") == "FAIL  pods: not ready: operator-0 (no answer in 5 s)"
    assert "holds it, but did not renew it for " in line(done, "lease")
