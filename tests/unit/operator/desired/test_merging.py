"""The escape hatch: what a user says about pods is merged into ours as kubectl would."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_operator.decisions.admission import demand_of
from qwen3_operator.desired.merging import merged, with_user_template
from qwen3_operator.errors import SpecError
from qwen3_planner.api.pod_template import PodTemplate
from support.children import GOLDEN, children_of, read_case

OURS: dict[str, Any] = {
    "metadata": {"labels": {"app": "qwen3"}},
    "spec": {
        "containers": [
            {
                "name": "engine",
                "image": "vllm",
                "ports": [{"name": "http", "containerPort": 8000}],
                "readinessProbe": {"httpGet": {"path": "/health"}, "periodSeconds": 5},
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - a mount
            }
        ],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}},
        ],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001},
    },
}


def spec(theirs: dict[str, Any]) -> dict[str, Any]:
    return merged(OURS["spec"], theirs, "spec.podTemplate.spec")


def engine(theirs: dict[str, Any]) -> dict[str, Any]:
    (container,) = spec({"containers": [{"name": "engine", **theirs}]})["containers"]
    return dict(container)


def test_without_a_wish_the_template_is_ours() -> None:
    assert with_user_template(OURS, None) == OURS


def test_labels_and_annotations_are_added_and_ours_stay() -> None:
    wish = PodTemplate(metadata={"labels": {"app": "x", "team": "a"}, "annotations": {"b": "c"}})

    metadata = with_user_template(OURS, wish)["metadata"]

    assert metadata == {"labels": {"app": "qwen3", "team": "a"}, "annotations": {"b": "c"}}


def test_objects_are_merged_field_by_field() -> None:
    assert spec({"securityContext": {"runAsUser": 0}})["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 0,
    }


def test_a_container_of_another_name_is_added_behind_ours() -> None:
    sidecar = {"name": "proxy", "image": "envoy"}

    assert [c["name"] for c in spec({"containers": [sidecar]})["containers"]] == ["engine", "proxy"]


def test_a_container_of_the_same_name_is_merged() -> None:
    made = engine({"volumeMounts": [{"name": "extra", "mountPath": "/extra"}]})

    assert made["image"] == "vllm"
    assert [mount["mountPath"] for mount in made["volumeMounts"]] == ["/tmp", "/extra"]  # noqa: S108


def test_a_volume_of_another_kind_takes_the_place_of_ours() -> None:
    claim = {"claimName": "scratch"}

    volumes = spec({"volumes": [{"name": "tmp", "persistentVolumeClaim": claim}]})["volumes"]

    assert volumes[0] == {"name": "tmp", "persistentVolumeClaim": claim}


def test_a_volume_of_the_same_kind_keeps_what_is_not_named() -> None:
    volumes = spec({"volumes": [{"name": "shm", "emptyDir": {"sizeLimit": "8Gi"}}]})["volumes"]

    assert volumes[1] == {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}}


def test_another_handler_of_a_probe_takes_the_place_of_ours() -> None:
    probe = engine({"readinessProbe": {"exec": {"command": ["true"]}}})["readinessProbe"]

    assert probe == {"exec": {"command": ["true"]}, "periodSeconds": 5}


def test_plain_lists_are_taken_from_the_user() -> None:
    assert spec({"dnsConfig": {"nameservers": ["10.0.0.1"]}})["dnsConfig"] == {
        "nameservers": ["10.0.0.1"]
    }


@pytest.mark.parametrize(
    ("theirs", "left"),
    [
        pytest.param({"volumes": [{"name": "tmp", "$patch": "delete"}]}, ["shm"], id="delete"),
        pytest.param({"volumes": [{"$patch": "replace"}, {"name": "a"}]}, ["a"], id="replace"),
    ],
)
def test_directives_take_away(theirs: dict[str, Any], left: list[str]) -> None:
    assert [volume["name"] for volume in spec(theirs)["volumes"]] == left


def test_null_takes_away_and_replace_gives_as_a_whole() -> None:
    assert "securityContext" not in spec({"securityContext": None})
    assert spec({"securityContext": {"$patch": "replace", "runAsUser": 5}})["securityContext"] == {
        "runAsUser": 5
    }


@pytest.mark.parametrize(
    ("theirs", "field", "said"),
    [
        ({"volumes": {}}, "spec.podTemplate.spec.volumes", "a list"),
        ({"volumes": ["a"]}, "spec.podTemplate.spec.volumes[0]", "an object"),
        ({"volumes": [{"emptyDir": {}}]}, "spec.podTemplate.spec.volumes[0].name", "is required"),
        ({"securityContext": 7}, "spec.podTemplate.spec.securityContext", "an object"),
        ({"$patch": "merge"}, "spec.podTemplate.spec.$patch", "delete or replace"),
        (
            {"containers": [{"name": "engine", "ports": 8000}]},
            "spec.podTemplate.spec.containers[0].ports",
            "a list",
        ),
    ],
)
def test_what_cannot_be_merged_is_refused_with_its_field(
    theirs: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(SpecError) as refused:
        spec(theirs)

    assert refused.value.field == field
    assert said in str(refused.value)


def test_what_a_sidecar_asks_for_counts_when_replicas_are_admitted() -> None:
    case = read_case(GOLDEN / "pod-template.in.yaml")
    with_sidecar = demand_of(children_of(case)[0]).per_pod
    del case["resource"]["spec"]["podTemplate"]

    alone = demand_of(children_of(case)[0]).per_pod

    assert with_sidecar.cpu_millicores == alone.cpu_millicores + 500
    assert with_sidecar.memory_bytes == alone.memory_bytes + 128 * 2**20
    assert with_sidecar.gpus == alone.gpus


def test_ours_is_never_changed_in_place() -> None:
    before = repr(OURS)

    spec({"containers": [{"name": "engine", "volumeMounts": [{"name": "a", "mountPath": "/b"}]}]})

    assert repr(OURS) == before
