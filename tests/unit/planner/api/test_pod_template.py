"""What spec.podTemplate may not override, and what it is told to use instead."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_planner.api.conversion import parse
from qwen3_planner.errors import SpecError
from support.resources import resource


def refusal(template: dict[str, Any]) -> str:
    body = resource()
    body["spec"]["podTemplate"] = template
    with pytest.raises(SpecError) as refused:
        parse(body)
    return str(refused.value)


@pytest.mark.parametrize(
    ("spec", "field", "instead"),
    [
        ({"nodeName": "n1"}, "nodeName", "spec.nodeSelector"),
        ({"nodeSelector": {"a": "b"}}, "nodeSelector", "spec.nodeSelector"),
        ({"affinity": {}}, "affinity", "spec.affinity"),
        ({"tolerations": []}, "tolerations", "spec.tolerations"),
        ({"priorityClassName": "high"}, "priorityClassName", "spec.priorityClassName"),
        ({"priority": 7}, "priority", "spec.priorityClassName"),
        ({"runtimeClassName": "nvidia"}, "runtimeClassName", "spec.runtimeClassName"),
        ({"schedulerName": "volcano"}, "schedulerName", "spec.schedulerName"),
        ({"imagePullSecrets": []}, "imagePullSecrets", "spec.imagePullSecrets"),
        ({"restartPolicy": "Never"}, "restartPolicy", "always started again"),
        ({"schedulingGates": []}, "schedulingGates", "sets and lifts"),
        ({"$patch": "replace"}, "$patch", "as a whole"),
        ({"containers": None}, "containers", "must be a list"),
        ({"volumes": [{"name": "weights"}]}, "volumes[0].name", "spec.model.source"),
    ],
)
def test_what_the_pod_may_not_say_is_refused_by_its_field(
    spec: dict[str, Any], field: str, instead: str
) -> None:
    said = refusal({"spec": spec})

    assert said.startswith(f"spec.podTemplate.spec.{field}: ")
    assert instead in said


@pytest.mark.parametrize(
    ("container", "field", "instead"),
    [
        ({"image": "mine"}, "image", "spec.engine.image"),
        ({"command": ["sh"]}, "command", "the plan"),
        ({"args": ["--x"]}, "args", "spec.engine.extraArgs"),
        ({"env": []}, "env", "spec.engine.env"),
        ({"$patch": "delete"}, "$patch", "cannot be replaced"),
        ({"ports": [{"name": "http", "containerPort": 1}]}, "ports[0].name", "the plan"),
        ({"resources": {"limits": {"cpu": 1}}}, "resources.limits", "spec.resources.limits"),
        ({"resources": {"requests": {"amd.com/gpu": 1}}}, "resources.requests", "amd.com/gpu"),
    ],
)
def test_what_the_engines_container_may_not_say_is_refused_by_its_field(
    container: dict[str, Any], field: str, instead: str
) -> None:
    said = refusal({"spec": {"containers": [{"name": "engine", **container}]}})

    assert said.startswith(f"spec.podTemplate.spec.containers[0].{field}: ")
    assert instead in said


@pytest.mark.parametrize("group", ["containers", "initContainers"])
def test_no_container_takes_gpus_that_the_plan_does_not_count(group: str) -> None:
    greedy = {"name": "side", "resources": {"limits": {"nvidia.com/gpu": 1}}}

    said = refusal({"spec": {group: [greedy]}})

    assert said.startswith(f"spec.podTemplate.spec.{group}[0].resources.limits: ")


def test_the_list_of_containers_is_not_replaced() -> None:
    assert "containers[0].$patch" in refusal({"spec": {"containers": [{"$patch": "replace"}]}})


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"serving.qwen3.dev/role": "x"}},
        {"labels": {"app.kubernetes.io/instance": "x"}},
        {"annotations": {"serving.qwen3.dev/applied": "x"}},
    ],
)
def test_labels_and_annotations_that_find_pods_again_are_ours(metadata: dict[str, Any]) -> None:
    (kind,) = metadata

    assert refusal({"metadata": metadata}).startswith(f"spec.podTemplate.metadata.{kind}: ")


def test_everything_else_is_taken() -> None:
    body = resource()
    body["spec"]["podTemplate"] = {
        "metadata": {"labels": {"team": "a"}, "annotations": {"reloader": "true"}},
        "spec": {
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["hub"]}],
            "containers": [
                {"name": "engine", "securityContext": {"runAsUser": 0}},
                {"name": "side", "image": "x", "resources": {"limits": {"cpu": 1}}},
            ],
            "volumes": [{"name": "cache", "persistentVolumeClaim": {"claimName": "c"}}],
        },
    }

    template = parse(body).spec.pod_template

    assert template is not None
    assert template.spec == body["spec"]["podTemplate"]["spec"]
