"""Under which URL a model is reached, and whether a gateway serves its route."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_operator.cluster.around import gateway as reduced
from qwen3_operator.decisions.routing import (
    Gateway,
    Listener,
    ingress_url,
    judge_route,
    route_url,
)
from qwen3_operator.observed import Key

EDGE = Key("gateways", "edge")
HTTP = Listener("http", "HTTP", 80)
HTTPS = Listener("https", "HTTPS", 443, "*.example.com")
YES = {"type": "Accepted", "status": "True", "observedGeneration": 2}
RESOLVED = {"type": "ResolvedRefs", "status": "True", "observedGeneration": 2}
NO = {**YES, "status": "False", "reason": "NotAllowedByListeners", "message": "not from team-a"}
BROKEN = {**RESOLVED, "status": "False", "reason": "BackendNotFound", "message": "no Service m"}


def gateways(*listeners: Listener, address: str = "") -> dict[Key, Gateway]:
    return {EDGE: Gateway(EDGE, listeners, address)}


def route(
    *conditions: dict[str, Any],
    hostnames: tuple[str, ...] = ("m.example.com",),
    path: str = "/",
    **parent: object,
) -> dict[str, Any]:
    ref = {"name": "edge", "namespace": "gateways", **parent}
    told = [{"parentRef": ref, "conditions": list(conditions)}] if conditions else []
    return {
        "metadata": {"name": "m", "namespace": "team-a", "generation": 2},
        "spec": {
            "parentRefs": [ref],
            "hostnames": list(hostnames),
            "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": path}}]}],
        },
        "status": {"parents": told},
    }


@pytest.mark.parametrize(
    ("one", "known", "url"),
    [
        pytest.param(route(YES), gateways(HTTP), "http://m.example.com/v1", id="plain"),
        pytest.param(route(YES), gateways(HTTP, HTTPS), "https://m.example.com/v1", id="secure"),
        pytest.param(
            route(YES, sectionName="http"),
            gateways(HTTP, HTTPS),
            "http://m.example.com/v1",
            id="named",
        ),
        pytest.param(
            route(YES, path="/m"), gateways(HTTP), "http://m.example.com/m/v1", id="below a path"
        ),
        pytest.param(
            route(YES),
            gateways(Listener("alt", "HTTPS", 8443)),
            "https://m.example.com:8443/v1",
            id="another port",
        ),
        pytest.param(
            route(YES, port=8080),
            gateways(HTTPS, Listener("alt", "HTTP", 8080)),
            "http://m.example.com:8080/v1",
            id="a port that is asked for",
        ),
        pytest.param(
            route(YES, hostnames=()),
            gateways(Listener("http", "HTTP", 80, "models.example.com")),
            "http://models.example.com/v1",
            id="the listener's name",
        ),
        pytest.param(
            route(YES, hostnames=()),
            gateways(HTTP, address="192.0.2.1"),
            "http://192.0.2.1/v1",
            id="the gateway's address",
        ),
        pytest.param(
            route(YES, hostnames=("*.example.com", "m.example.com")),
            gateways(HTTPS),
            "https://m.example.com/v1",
            id="no wildcard",
        ),
        pytest.param(route(YES), {}, "http://m.example.com/v1", id="a gateway we may not see"),
        pytest.param(route(YES, hostnames=()), gateways(HTTP), None, id="no name at all"),
        pytest.param(route(), gateways(HTTP), None, id="nobody has answered"),
        pytest.param(route(NO), gateways(HTTP), None, id="refused"),
    ],
)
def test_the_url_of_a_route(
    one: dict[str, Any], known: dict[Key, Gateway], url: str | None
) -> None:
    assert route_url(one, known) == url


@pytest.mark.parametrize(
    ("one", "known", "status", "reason", "said"),
    [
        (route(YES, RESOLVED), gateways(HTTP), "True", "RouteAccepted", "HTTPRoute m"),
        (route(), gateways(HTTP), "Unknown", "RoutePending", "GatewayClass"),
        (route(), {}, "False", "RouteNotAccepted", "There is no Gateway gateways/edge"),
        (route(NO), gateways(HTTP), "False", "RouteNotAccepted", "not from team-a"),
        (route(YES, BROKEN), gateways(HTTP), "False", "RouteNotAccepted", "no Service m"),
    ],
)
def test_a_route_is_judged_by_what_gateways_say(
    one: dict[str, Any], known: dict[Key, Gateway], status: str, reason: str, said: str
) -> None:
    finding = judge_route(one, known, knows_all=True)

    assert (finding.status.value, finding.verdict.reason.value) == (status, reason)
    assert said in finding.verdict.message


def test_a_gateway_that_we_cannot_see_may_still_exist() -> None:
    assert judge_route(route(), {}, knows_all=False).verdict.reason.value == "RoutePending"


def test_what_was_said_of_an_earlier_specification_does_not_count() -> None:
    old = {**NO, "observedGeneration": 1}

    assert judge_route(route(old), gateways(HTTP), knows_all=True).status.value == "Unknown"


def test_one_gateway_that_serves_it_is_enough() -> None:
    one = route(NO)
    second = {"name": "inner", "namespace": "gateways"}
    one["spec"]["parentRefs"].append(second)
    one["status"]["parents"].append({"parentRef": second, "conditions": [YES, RESOLVED]})

    assert judge_route(one, gateways(HTTP), knows_all=True).status.value == "True"
    assert route_url(one, gateways(HTTP)) == "http://m.example.com/v1"


def ingress(*addresses: dict[str, str], host: str = "", tls: bool = False) -> dict[str, Any]:
    rule: dict[str, Any] = {"http": {"paths": [{"path": "/", "backend": {}}]}}
    if host:
        rule["host"] = host
    spec: dict[str, Any] = {"rules": [rule]}
    if tls:
        spec["tls"] = [{"hosts": [host], "secretName": "s"}]
    return {"spec": spec, "status": {"loadBalancer": {"ingress": list(addresses)}}}


@pytest.mark.parametrize(
    ("one", "url"),
    [
        (ingress(host="m.example.com"), "http://m.example.com/v1"),
        (ingress(host="m.example.com", tls=True), "https://m.example.com/v1"),
        (ingress({"ip": "192.0.2.7"}), "http://192.0.2.7/v1"),
        (ingress({"hostname": "lb.example.com"}), "http://lb.example.com/v1"),
        (ingress(), None),
        (ingress(host="*.example.com"), None),
    ],
)
def test_the_url_of_an_ingress(one: dict[str, Any], url: str | None) -> None:
    assert ingress_url(one) == url


def test_a_gateway_is_reduced_to_what_makes_a_url() -> None:
    raw = {
        "metadata": {"namespace": "gateways", "name": "edge"},
        "spec": {
            "listeners": [
                {"name": "http", "protocol": "HTTP", "port": 80},
                {"name": "https", "protocol": "HTTPS", "port": 443, "hostname": "*.example.com"},
            ]
        },
        "status": {"addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]},
    }

    assert reduced(raw) == Gateway(EDGE, (HTTP, HTTPS), "192.0.2.1")
