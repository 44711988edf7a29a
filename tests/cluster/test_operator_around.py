"""What stands around a model on a real API server: made, kept, told, and taken away again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.apis import GATEWAYS, HTTP_ROUTES, INFERENCE_POOLS, POD_MONITORS, install, uninstall
from support.models import OWNER, SECONDS, SMALL
from support.wait import until

if TYPE_CHECKING:
    from support.controlplane import ControlPlane
    from support.models import Models
    from support.operator import RunningOperator

pytestmark = pytest.mark.cluster

ON_L40S = f"{SMALL}accelerators: [L40S-48GB]\n"

DEFINITIONS = (GATEWAYS, HTTP_ROUTES, INFERENCE_POOLS, POD_MONITORS)

AROUND = """
service: {headless: true, labels: {team: a}, sessionAffinity: ClientIP}
route: {parentRefs: [{name: edge}], hostnames: [models.example.com], path: /m}
ingress: {hosts: [m.example.com]}
inferencePool: {endpointPickerRef: {name: epp}}
networkPolicy:
  from: [{podSelector: {matchLabels: {app: chat}}}]
  metricsFrom: [{namespaceSelector: {}}]
monitoring: {labels: {release: prometheus}}
apiKeySecretRef: {name: keys}
"""

MARKER = "sk-MARKERthatNobodyMayRepeat"

KINDS = "services,httproutes,ingresses,inferencepools,networkpolicies,podmonitors"

MADE = {
    ("Service", "m"),
    ("Service", "m-headless"),
    ("HTTPRoute", "m"),
    ("Ingress", "m"),
    ("InferencePool", "m"),
    ("NetworkPolicy", "m"),
    ("PodMonitor", "m"),
}

GATEWAY = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "edge"},
    "spec": {
        "gatewayClassName": "none",
        "listeners": [
            {
                "name": "https",
                "protocol": "HTTPS",
                "port": 443,
                "tls": {"certificateRefs": [{"name": "cert"}]},
            }
        ],
    },
}


def around(models: Models, name: str = "m") -> dict[tuple[str, str], dict[str, Any]]:
    """Return what carries a resource's label, but for its Deployment."""
    items = models.room.get(KINDS, f"--selector={OWNER}={name}")["items"]
    return {(item["kind"], item["metadata"]["name"]): item for item in items}


def await_around(models: Models, wanted: set[tuple[str, str]]) -> None:
    until(
        lambda: set(around(models)) == wanted,
        SECONDS,
        lambda: f"around m should be {wanted}: {set(around(models))}",
    )


def answer(models: Models, *conditions: dict[str, str]) -> None:
    """Answer to the route as a gateway's controller does."""
    generation = models.room.get("httproute", "m")["metadata"]["generation"]
    told = [
        {"observedGeneration": generation, "lastTransitionTime": "2026-11-23T12:00:00Z", **one}
        for one in conditions
    ]
    ref = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge"}
    parent = {"controllerName": "example.com/none", "parentRef": ref, "conditions": told}
    patch = json.dumps({"status": {"parents": [parent]}})
    models.room.kubectl(
        "patch", "httproute", "m", "--subresource=status", "--type=merge", f"--patch={patch}"
    )


def refused(control_plane: ControlPlane, mark: int, user: str) -> list[str]:
    return [
        f"{request.verb} {request.resource}"
        for request in control_plane.audit_log.requests(mark)
        if request.user == user and request.code == 403
    ]


def test_an_api_that_comes_and_goes_is_noticed_and_the_model_runs_on(
    control_plane: ControlPlane, models: Models
) -> None:
    uninstall(control_plane, POD_MONITORS)
    models.apply("m", f"{ON_L40S}monitoring: {{}}\n")
    models.await_ready("m")
    told = models.await_condition("m", "Integrated", "False", "ApiNotInstalled")
    for words in ("spec.monitoring", "a PodMonitor", "the Prometheus operator", "https://"):
        assert words in told["message"]
    try:
        install(control_plane, POD_MONITORS)
        models.await_condition("m", "Integrated", "True", "InPlace")
        (endpoint,) = models.room.get("podmonitor", "m")["spec"]["podMetricsEndpoints"]
        assert endpoint == {"port": "http", "path": "/metrics", "interval": "30s"}
    finally:
        uninstall(control_plane, POD_MONITORS)
    models.await_condition("m", "Integrated", "False", "ApiNotInstalled")
    models.await_ready("m")
    assert ("Warning", "ApiNotInstalled") in models.events("m")


def test_everything_is_made_kept_told_and_taken_away(
    control_plane: ControlPlane, models: Models, operator: RunningOperator
) -> None:
    install(control_plane, *DEFINITIONS)  # they stay: nobody minds
    key = f"--from-literal=api-key={MARKER}"
    models.room.kubectl("create", "secret", "generic", "keys", key)
    mark = control_plane.audit_log.mark()
    models.apply("m", ON_L40S + AROUND)
    models.await_ready("m")
    told = models.await_condition("m", "Integrated", "False", "RouteNotAccepted")
    assert f"There is no Gateway {models.room.namespace}/edge" in told["message"]
    made = around(models)
    assert set(made) == MADE
    uid = models.get("m")["metadata"]["uid"]
    assert {child["metadata"]["ownerReferences"][0]["uid"] for child in made.values()} == {uid}
    peers = made["NetworkPolicy", "m"]["spec"]["ingress"][0]["from"]
    own = {"kubernetes.io/metadata.name": operator.installation.namespace}
    assert {"namespaceSelector": {"matchLabels": own}} in peers
    assert models.status("m")["endpoint"] == "http://m.example.com/v1"

    models.room.apply(GATEWAY)
    models.await_condition("m", "Integrated", "Unknown", "RoutePending")
    answer(models, {"type": "Accepted", "status": "True", "reason": "Accepted", "message": ""})
    models.await_condition("m", "Integrated", "True", "InPlace")
    assert models.status("m")["endpoint"] == "https://models.example.com/m/v1"
    no_backend = {"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound"}
    accepted = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": ""}
    answer(models, accepted, {**no_backend, "message": "no picker epp"})
    told = models.await_condition("m", "Integrated", "False", "RouteNotAccepted")
    assert "no picker epp" in told["message"]

    models.room.kubectl("delete", "networkpolicy", "m")
    drift = json.dumps({"spec": {"hostnames": ["stolen.example.com"]}})
    models.room.kubectl("patch", "httproute", "m", "--type=merge", f"--patch={drift}")
    await_around(models, MADE)
    until(
        lambda: around(models)["HTTPRoute", "m"]["spec"]["hostnames"] == ["models.example.com"],
        SECONDS,
        "drift in the route should be repaired",
    )
    models.await_ready("m")

    everything = f"q3d,deployments,pods,events.events.k8s.io,{KINDS}"
    assert MARKER not in models.room.kubectl("get", everything, "-o", "yaml") + operator.log

    models.apply("m", ON_L40S)
    await_around(models, {("Service", "m")})
    until(
        lambda: (
            models.condition("m", "Integrated") == {}
            and models.status("m")["endpoint"].endswith(".svc:8000/v1")
        ),
        SECONDS,
        lambda: f"nothing should be told of what is gone: {models.status('m')}",
    )
    assert refused(control_plane, mark, operator.installation.user) == []


def test_an_ingress_of_that_name_is_not_taken_over_and_the_model_runs(models: Models) -> None:
    models.room.kubectl("create", "ingress", "m", "--rule=theirs.example.com/*=web:80")
    models.apply("m", f"{ON_L40S}ingress: {{hosts: [m.example.com]}}\n")
    told = models.await_condition("m", "Integrated", "False", "ApplyFailed")
    assert "belongs to somebody else" in told["message"]
    models.await_ready("m")
    models.room.kubectl("delete", "ingress", "m")
    models.await_condition("m", "Integrated", "True", "InPlace")


POD_TEMPLATE = """
podTemplate:
  metadata: {labels: {team: a}, annotations: {reloader.stakater.com/auto: "true"}}
  spec:
    hostAliases: [{ip: 10.0.0.1, hostnames: [hub.example.com]}]
    containers:
      - {name: proxy, image: registry.example.com/proxy:1}
      - {name: engine, volumeMounts: [{name: token, mountPath: /var/run/token}]}
    volumes:
      - {name: token, projected: {sources: [{serviceAccountToken: {path: token}}]}}
"""


def test_a_pod_template_is_merged_and_what_it_may_not_override_is_refused(
    control_plane: ControlPlane, models: Models, operator: RunningOperator
) -> None:
    mark = control_plane.audit_log.mark()
    models.apply("m", ON_L40S + POD_TEMPLATE)
    models.await_ready("m")
    (pod,) = models.pods("m")
    assert pod["metadata"]["labels"]["team"] == "a"
    assert [one["name"] for one in pod["spec"]["containers"]] == ["engine", "proxy"]
    assert pod["spec"]["containers"][0]["command"] == ["vllm", "serve"]
    # The API server adds to what users bring (a token's lifetime); that is no drift to repair.
    written = [
        request
        for request in control_plane.audit_log.requests(mark)
        if request.user == operator.installation.user
        and (request.resource, request.verb) == ("deployments", "patch")
    ]
    assert len(written) == 1

    models.apply("m", f"{ON_L40S}podTemplate: {{spec: {{nodeName: n1}}}}\n")
    told = models.await_condition("m", "Ready", "False", "InvalidSpec")
    assert "spec.podTemplate.spec.nodeName" in told["message"]
    assert "spec.nodeSelector" in told["message"]

    models.apply("m", f"{ON_L40S}podTemplate: {{spec: {{hostAlias: []}}}}\n")
    told = models.await_condition("m", "Ready", "False", "ApplyFailed")
    assert "hostAlias" in told["message"]
    models.apply("m", ON_L40S)
    models.await_ready("m")
