"""Children: made, kept in shape, collected; and what is not ours is left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.models import OWNER, SECONDS, SMALL
from support.room import make_deployment
from support.wait import until

if TYPE_CHECKING:
    from support.models import Models

pytestmark = pytest.mark.cluster

ON_L40S = f"{SMALL}accelerators: [L40S-48GB]\n"


def test_deleting_the_resource_removes_every_child(models: Models) -> None:
    models.apply("short-lived", ON_L40S)
    models.await_ready("short-lived")
    assert set(models.children("short-lived")) == {
        ("Deployment", "short-lived"),
        ("Service", "short-lived"),
    }
    models.delete("short-lived")
    models.await_gone("short-lived")


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        pytest.param("service", {"spec": {"selector": {"app": "x"}}}, id="it leads nowhere"),
        pytest.param("deployment", {"spec": {"replicas": 0}}, id="it is scaled behind our back"),
        pytest.param(
            "deployment",
            {"spec": {"template": {"spec": {"containers": [{"name": "engine", "args": ["--x"]}]}}}},
            id="the command is changed",
        ),
    ],
)
def test_drift_in_a_child_is_repaired(models: Models, kind: str, patch: dict[str, object]) -> None:
    models.apply("drifting", ON_L40S)
    models.await_ready("drifting")
    spec = models.room.get(kind, "drifting")["spec"]
    models.room.kubectl("patch", kind, "drifting", "--patch", json.dumps(patch))
    until(
        lambda: models.room.get(kind, "drifting")["spec"] == spec,
        SECONDS,
        lambda: f"{kind} should be as before: {models.room.get(kind, 'drifting')['spec']}",
    )
    models.await_ready("drifting")


@pytest.mark.parametrize("kind", ["deployment", "service"])
def test_a_deleted_child_is_made_again(models: Models, kind: str) -> None:
    models.apply("robbed", ON_L40S)
    models.await_ready("robbed")
    uid = models.room.get(kind, "robbed")["metadata"]["uid"]
    models.room.kubectl("delete", kind, "robbed")
    until(
        lambda: any(
            child["kind"].lower() == kind and child["metadata"]["uid"] != uid
            for child in models.children("robbed").values()
        ),
        SECONDS,
        f"the {kind} should be made again",
    )
    models.await_ready("robbed")


def test_a_service_of_the_same_name_is_not_taken_over(models: Models) -> None:
    models.room.kubectl("create", "service", "clusterip", "taken", "--tcp=80:80")
    before = models.room.get("service", "taken")["spec"]
    models.apply("taken", ON_L40S)
    models.await_condition("taken", "Ready", "False", "ApplyFailed")
    assert models.room.get("service", "taken")["spec"] == before
    assert OWNER not in models.room.get("service", "taken")["metadata"].get("labels", {})


def test_a_resource_made_again_at_once_gets_its_own_children(models: Models) -> None:
    models.apply("again", ON_L40S)
    models.await_ready("again")
    models.delete("again")
    until(lambda: "again" not in models.room.names("q3d"), SECONDS, "the resource should be gone")
    models.apply("again", ON_L40S)
    models.await_ready("again")
    uid = models.get("again")["metadata"]["uid"]
    owners = {
        child["metadata"]["ownerReferences"][0]["uid"]
        for child in models.children("again").values()
    }
    assert owners == {uid}


def test_a_child_that_is_no_longer_wanted_goes_and_what_is_not_ours_stays(models: Models) -> None:
    models.apply("tidy", ON_L40S)
    models.await_ready("tidy")
    owner = models.get("tidy")["metadata"]
    leftover = make_deployment("tidy-old-name", replicas=0, labels={OWNER: "tidy"})
    theirs = make_deployment("tidy-theirs", replicas=0, labels={OWNER: "tidy"})
    leftover["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "serving.qwen3.dev/v1alpha1",
            "kind": "Qwen3Deployment",
            "name": "tidy",
            "uid": owner["uid"],
            "controller": True,
        }
    ]
    models.room.apply(theirs, leftover)
    until(
        lambda: "tidy-old-name" not in models.room.names("deployments"),
        SECONDS,
        "a child that is not wanted should go",
    )
    assert {"tidy", "tidy-theirs"} <= set(models.room.names("deployments"))
    models.await_ready("tidy")
    models.room.kubectl("delete", "deployment", "tidy-theirs")
