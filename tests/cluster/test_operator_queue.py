"""spec.queueName: what the operator writes for Kueue, and what it leaves to it.

Kueue itself does not run here. Its definition does, and an admission policy does to pods what
Kueue's webhook does: it gives those with the queue's label a scheduling gate. The test then lifts
gates as Kueue does once a queue has quota.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.apis import LOCAL_QUEUES, install, uninstall
from support.models import SMALL
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane
    from support.models import Models

pytestmark = pytest.mark.cluster

QUEUE = "kueue.x-k8s.io/queue-name"
GATE = "kueue.x-k8s.io/admission"
ONE_L40S = f"{SMALL}accelerators: [L40S-48GB]\n"
QUEUED = f"{ONE_L40S}queueName: team-a\n"
POLICY = "gates-of-kueue.test.qwen3.dev"

ADMISSION = [
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": POLICY},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                    }
                ]
            },
            "matchConditions": [
                {
                    "name": "in-a-queue",
                    "expression": f"has(object.metadata.labels) && '{QUEUE}' in"
                    " object.metadata.labels",
                }
            ],
            "mutations": [
                {
                    "patchType": "ApplyConfiguration",
                    "applyConfiguration": {
                        "expression": "Object{spec: Object.spec{schedulingGates:"
                        f" [Object.spec.schedulingGates{{name: '{GATE}'}}]}}}}"
                    },
                }
            ],
        },
    },
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": POLICY},
        "spec": {"policyName": POLICY},
    },
]


@pytest.fixture
def kueue(control_plane: ControlPlane) -> Iterator[None]:
    """Kueue's definition, and gates as its webhook would set them."""
    items = {"apiVersion": "v1", "kind": "List", "items": ADMISSION}
    control_plane.kubectl("apply", "-f", "-", input=json.dumps(items))
    install(control_plane, LOCAL_QUEUES)
    yield
    uninstall(control_plane, LOCAL_QUEUES)
    for kind in ("mutatingadmissionpolicybinding", "mutatingadmissionpolicy"):
        control_plane.kubectl("delete", kind, POLICY)


def local_queue(namespace: str) -> str:
    return json.dumps(
        {
            "apiVersion": "kueue.x-k8s.io/v1beta1",
            "kind": "LocalQueue",
            "metadata": {"name": "team-a", "namespace": namespace},
            "spec": {"clusterQueue": "all"},
        }
    )


def lift_gates(models: Models, name: str) -> None:
    """Let the pods go, as Kueue does when the queue has quota."""
    for pod in models.pods(name):
        models.room.kubectl(
            "patch",
            "pod",
            pod["metadata"]["name"],
            "--type=json",
            '--patch=[{"op":"remove","path":"/spec/schedulingGates"}]',
        )


def test_kueue_admits_in_the_operators_place(
    control_plane: ControlPlane, models: Models, request: pytest.FixtureRequest
) -> None:
    models.apply("queued", QUEUED)
    missing = models.await_condition("queued", "Scheduled", "False", "QueueUnavailable")
    assert "the cluster has no Kueue" in missing["message"]
    assert models.children("queued") == {}

    request.getfixturevalue("kueue")
    namespace = models.room.namespace
    until(
        lambda: "no LocalQueue team-a" in models.condition("queued", "Scheduled")["message"],
        30,
        lambda: f"it should notice Kueue: {models.condition('queued', 'Scheduled')}",
    )
    control_plane.kubectl("apply", "-f", "-", input=local_queue(namespace))

    held = models.await_condition("queued", "Scheduled", "False", "WaitingForQueue")
    assert "Kueue holds pods back" in held["message"]
    assert models.status("queued")["phase"] == "Pending"
    deployment = models.room.get("deployment", "queued")
    pod = models.pods("queued")[0]
    assert deployment["metadata"]["labels"][QUEUE] == "team-a"
    assert pod["metadata"]["labels"][QUEUE] == "team-a"
    assert pod["spec"]["schedulingGates"] == [{"name": GATE}]

    models.apply("other", ONE_L40S)  # what Kueue holds back takes nothing from others
    models.await_ready("other")
    assert models.nodes("other") == ["l40s-0"]
    models.delete("other")
    models.await_gone("other")

    lift_gates(models, "queued")
    models.await_ready("queued")
    models.apply("later", ONE_L40S)  # but what it let go counts
    models.await_condition("later", "Scheduled", "False", "InsufficientGPU")
    models.delete_all()
