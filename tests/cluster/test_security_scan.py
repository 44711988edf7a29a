"""What we render, as a security scanner sees it: no finding without a reason, or the reverse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.availability import cannot_run
from support.children import children_of, read_case, shared_of
from support.controlplane import Commands
from support.engine.errors import EnvironmentBuildError
from support.scanner import Case, find_or_install, read_excuses, scan, unexplained, unused
from support.scanner.environment import BUILD_COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import Binaries
    from support.scanner import Scan

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "qwen3-operator"
GOLDEN = ROOT / "tests" / "golden"
EXCUSES = Path(__file__).with_name("scan_excuses.toml")

CONTEXT: dict[str, Any] = {"privileged": True, "runAsUser": 0}
CARELESS: tuple[dict[str, Any], ...] = (
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "careless", "namespace": "team-a"},
        "spec": {
            "hostNetwork": True,
            "containers": [{"name": "c", "image": "busybox", "securityContext": CONTEXT}],
            "volumes": [{"name": "node", "hostPath": {"path": "/var/run/docker.sock"}}],
        },
    },
    {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": {"name": "careless", "namespace": "team-a"},
        "spec": {
            "leaderWorkerTemplate": {
                "workerTemplate": {
                    "spec": {
                        "containers": [{"name": "c", "image": "i", "securityContext": CONTEXT}]
                    }
                }
            }
        },
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "careless"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    },
)
"""What a scanner that judges at all has to complain about."""


@pytest.fixture(scope="session")
def checkov(request: pytest.FixtureRequest) -> Path:
    """Return the scanner, installed in sight of who waits."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled():
            return find_or_install()
    except EnvironmentBuildError as error:
        cannot_run(f"No scanner: {error}", BUILD_COMMAND)


@pytest.fixture(scope="module")
def cases(control_plane_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """Return the chart under each approved set of values, and all approved children."""
    home = tmp_path_factory.mktemp("helm")
    helm = Commands(control_plane_binaries, home / "no-kubeconfig", home)
    return [*_charts(helm), *_children()]


def _charts(helm: Commands) -> Iterator[Case]:
    for path in sorted((GOLDEN / "chart").glob("*.in.yaml")):
        text = helm.helm("template", "q3", CHART, "--namespace=qwen3-system", "--values", path)
        documents = tuple(document for document in yaml.safe_load_all(text) if document)
        yield Case(f"chart/{path.name.removesuffix('.in.yaml')}", documents)


def _children() -> Iterator[Case]:
    for path in sorted((GOLDEN / "children").glob("*.in.yaml")):
        case = read_case(path)
        made = (*shared_of(case), *children_of(case))
        yield Case(f"children/{path.name.removesuffix('.in.yaml')}", made)


@pytest.fixture(scope="module")
def scanned(checkov: Path, cases: list[Case], tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """Return what the scanner says of all cases and of the image's recipe."""
    recipe = (ROOT / "Containerfile").read_text("utf-8")
    folder = tmp_path_factory.mktemp("scanned")
    return scan(checkov, folder, cases, {"Dockerfile": recipe})


def test_no_finding_is_without_a_reason(scanned: Scan) -> None:
    left = unexplained(scanned.findings, read_excuses(EXCUSES))

    assert not left, "\n".join(str(one) for one in left)


def test_no_reason_is_given_for_what_is_not_found(scanned: Scan) -> None:
    assert unused(scanned.findings, read_excuses(EXCUSES)) == []


def test_all_that_makes_pods_or_gives_rights_was_judged(scanned: Scan, cases: list[Case]) -> None:
    kinds = {"ClusterRole", "Deployment", "Job", "Role", "ServiceAccount", "StatefulSet"}
    wanted = {
        (case.name, f"{one['kind']}.{where}.{one['metadata']['name']}")
        for case in cases
        for one in case.manifests
        if one["kind"] in kinds and (where := one["metadata"].get("namespace", "default"))
    }
    groups = {
        (case.name, f"Pod.team-a.{one['metadata']['name']}-worker")
        for case in cases
        for one in case.manifests
        if one["kind"] == "LeaderWorkerSet"
    }

    assert groups
    assert wanted | groups <= scanned.judged
    assert scanned.passed > 4000


def test_the_scanner_finds_what_there_is_to_find(checkov: Path, tmp_path: Path) -> None:
    said = scan(checkov, tmp_path / "manifests", [Case("careless", CARELESS)], {})

    found = {(one.check, one.subject.split(".")[0]) for one in said.findings}

    worker = {one.check for one in said.findings if one.subject.endswith("careless-worker")}
    assert {"CKV_K8S_16", "CKV_K8S_23"} <= worker  # privileged, root
    assert {("CKV_K8S_27", "Pod"), ("CKV_K8S_19", "Pod"), ("CKV_K8S_49", "ClusterRole")} <= found
