"""The operator judges podTemplate as the API server's Pod Security does, in any namespace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.desired.merging import merged
from qwen3_operator.desired.security import (
    make_container_security_context,
    make_pod_security_context,
)
from qwen3_operator.setting_text import PodLevel
from support.controlplane.errors import CommandError
from support.models import SMALL
from support.template_cases import CASES, TemplateCase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane
    from support.models import Models

pytestmark = pytest.mark.cluster

ON_L40S = f"{SMALL}accelerators: [L40S-48GB]\n"
LEVELS = tuple(PodLevel)
OURS: dict[str, Any] = {
    "securityContext": make_pod_security_context(),
    "containers": [
        {"name": "engine", "image": "e:1", "securityContext": make_container_security_context()}
    ],
    "volumes": [{"name": "tmp", "emptyDir": {}}],
}


@pytest.fixture(scope="module")
def namespaces(control_plane: ControlPlane) -> Iterator[dict[PodLevel, str]]:
    names = {level: f"held-to-{level}" for level in PodLevel}
    for level, name in names.items():
        control_plane.kubectl("create", "namespace", name)
        label = f"pod-security.kubernetes.io/enforce={level}"
        control_plane.kubectl("label", "namespace", name, label)
    yield names
    control_plane.kubectl("delete", "namespace", *names.values(), "--wait=false")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_api_server_draws_the_same_lines(
    control_plane: ControlPlane, namespaces: dict[PodLevel, str], case: TemplateCase
) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "asked"},
        "spec": merged(OURS, case.spec, "spec"),
    }

    passed = {level for level, name in namespaces.items() if is_admitted(control_plane, name, pod)}

    assert passed == set(LEVELS[LEVELS.index(case.level) :])


def is_admitted(cluster: ControlPlane, namespace: str, pod: dict[str, Any]) -> bool:
    """Ask for the pod without making it."""
    asked = ("create", "--dry-run=server", f"--namespace={namespace}", "-f", "-")
    try:
        cluster.kubectl(*asked, input=json.dumps(pod))
    except CommandError as error:
        if "violates PodSecurity" not in error.stderr:
            raise
        return False
    return True


def test_a_namespace_that_nobody_labelled_gives_no_way_onto_the_node(models: Models) -> None:
    models.room.kubectl("create", "serviceaccount", "admin-bot")
    node = "volumes: [{name: node, hostPath: {path: /}}]"
    for part, said in (
        (f"{{spec: {{{node}}}}}", "volumes[node].hostPath"),
        ("{spec: {hostNetwork: true}}", "hostNetwork"),
        ("{spec: {serviceAccountName: admin-bot}}", "podTemplate.serviceAccounts"),
    ):
        models.apply("sly", f"{ON_L40S}podTemplate: {part}\n")
        told = models.await_condition("sly", "SpecValid", "False", "InvalidSpec")
        assert said in told["message"]
        assert models.children("sly") == {}
        models.delete("sly")


def test_a_part_that_is_refused_leaves_the_running_pods_alone(models: Models) -> None:
    models.apply("m", ON_L40S)
    models.await_ready("m")
    before = {pod["metadata"]["uid"] for pod in models.pods("m")}

    models.apply("m", f"{ON_L40S}podTemplate: {{spec: {{hostPID: true}}}}\n")

    models.await_condition("m", "SpecValid", "False", "InvalidSpec")
    assert {pod["metadata"]["uid"] for pod in models.pods("m")} == before
