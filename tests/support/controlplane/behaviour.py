"""Make pods misbehave that somebody else creates, as an operator does through a Deployment.

The annotations are those of stages.yaml. A MutatingAdmissionPolicy puts them on every new pod of a
namespace, so neither the operator nor its templates know that a test is on.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .cluster import ControlPlane

_EFFECTIVE_SECONDS = 30.0
"""The API server's admission learns of a policy by a watch: usually within a second."""

_GROUP = "admissionregistration.k8s.io/v1"


@contextmanager
def annotated_pods(
    cluster: ControlPlane, namespace: str, annotations: Mapping[str, str], image: str = ""
) -> Iterator[None]:
    """While inside, every pod created in `namespace` gets `annotations`; afterwards none does.

    With `image`, only pods whose first container has it.

        with annotated_pods(cluster, namespace, {"test.qwen3.dev/fail": "ImagePullBackOff"}):
            ...

    Pods that exist keep what they have: `kubectl annotate` changes those.
    """
    name = f"annotate-pods-{namespace}"
    objects = {
        "apiVersion": "v1",
        "kind": "List",
        "items": pod_annotation_policy(name, namespace, annotations, image),
    }

    def are_annotated() -> bool:
        given = _annotations_of_a_new_pod(cluster, namespace, image or "example.invalid/probe")
        return annotations.items() <= given.items()

    cluster.kubectl("apply", "-f", "-", input=json.dumps(objects))
    try:
        until(are_annotated, _EFFECTIVE_SECONDS, f"new pods should get {dict(annotations)}")
        yield
    finally:
        cluster.kubectl("delete", "mutatingadmissionpolicybinding,mutatingadmissionpolicy", name)
        until(lambda: not are_annotated(), _EFFECTIVE_SECONDS, "the annotations should stop")


def pod_annotation_policy(
    name: str, namespace: str, annotations: Mapping[str, str], image: str = ""
) -> list[dict[str, Any]]:
    """Return a policy and its binding that add `annotations` to the new pods of one namespace.

    With `image`, only to pods whose first container has it.
    """
    # A JSON object of strings is also a map literal of CEL.
    patch = f"Object{{metadata: Object.metadata{{annotations: {json.dumps(dict(annotations))}}}}}"
    condition = f"object.spec.containers[0].image == {json.dumps(image)}" if image else "true"
    policy = {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "resourceRules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["pods"],
                }
            ],
        },
        "matchConditions": [{"name": "image", "expression": condition}],
        "mutations": [
            {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": patch}}
        ],
    }
    return [
        {
            "apiVersion": _GROUP,
            "kind": "MutatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": policy,
        },
        {
            "apiVersion": _GROUP,
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name},
        },
    ]


def _annotations_of_a_new_pod(cluster: ControlPlane, namespace: str, image: str) -> dict[str, str]:
    """Ask the API server what it would make of a pod, without making it."""
    probe = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "probe-", "namespace": namespace},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "probe",
                    "image": image,
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }
    made = cluster.kubectl_json("create", "--dry-run=server", "-f", "-", input=json.dumps(probe))
    return dict(made["metadata"].get("annotations", {}))
