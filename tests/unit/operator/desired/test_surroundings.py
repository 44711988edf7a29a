"""What stands around the replicas: by which way they are reached, and who reads their metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qwen3_operator.desired.site import Around
from support.plan_builders import make_plan
from support.surroundings import CHAT, SITE, around, one

ROUTE = {"parentRefs": [{"name": "edge"}]}
POOL = {"endpointPickerRef": {"name": "epp"}}
ENGINE_PORT = 8000


def test_nothing_stands_around_a_model_that_asks_for_nothing() -> None:
    assert around().children == ()


# -- metrics ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by_site", "spec", "made"),
    [
        (False, {}, False),
        (True, {}, True),
        (False, {"monitoring": {}}, True),
        (True, {"monitoring": {"podMonitor": False}}, False),
        (False, {"monitoring": {"podMonitor": True}}, True),
    ],
)
def test_a_resource_has_the_last_word_about_its_pod_monitor(
    *, by_site: bool, spec: dict[str, Any], made: bool
) -> None:
    site = replace(SITE, around=Around(pod_monitors=by_site))

    assert bool(around(site, **spec).children) is made


def test_labels_of_a_pod_monitor_are_the_sites_then_the_users_then_ours() -> None:
    site = replace(SITE, around=Around(pod_monitor_labels={"release": "site", "tier": "gold"}))
    mine = {"release": "mine", "app.kubernetes.io/name": "stolen"}

    labels = one(around(site, monitoring={"labels": mine}), "PodMonitor")["metadata"]["labels"]

    assert (labels["release"], labels["tier"]) == ("mine", "gold")
    assert labels["app.kubernetes.io/name"] == "qwen3"


@pytest.mark.parametrize(("engine", "needs"), [("vllm", False), ("llamacpp", True)])
def test_metrics_are_read_with_the_api_key_where_the_engine_asks_for_it(
    engine: str, *, needs: bool
) -> None:
    plan = replace(make_plan(), engine=engine)
    spec = {"apiKeySecretRef": {"name": "keys"}, "monitoring": {}}

    (endpoint,) = one(around(plan=plan, **spec), "PodMonitor")["spec"]["podMetricsEndpoints"]

    key = {"type": "Bearer", "credentials": {"name": "keys", "key": "api-key"}}
    assert endpoint.get("authorization") == (key if needs else None)


def test_a_policy_that_hides_metrics_from_prometheus_is_noticed() -> None:
    closed = replace(SITE, around=Around("qwen3-system"))
    spec = {"monitoring": {}, "networkPolicy": {"from": [CHAT]}}

    assert around(closed, **spec).hides_metrics
    assert not around(SITE, **spec).hides_metrics
    assert not around(closed, monitoring={}, networkPolicy={}).hides_metrics
    assert not around(closed, networkPolicy={"from": [CHAT]}).hides_metrics


# -- ways in ----------------------------------------------------------------------------------


def test_a_route_leads_to_the_pool_where_there_is_one_and_else_to_the_service() -> None:
    both = {"route": ROUTE, "inferencePool": POOL}

    with_pool = one(around(**both), "HTTPRoute")
    without = around(**both, lacking=("InferencePool",))

    (backend,) = with_pool["spec"]["rules"][0]["backendRefs"]
    assert (backend["kind"], "port" in backend) == ("InferencePool", False)
    (backend,) = one(without, "HTTPRoute")["spec"]["rules"][0]["backendRefs"]
    assert (backend["kind"], backend["port"]) == ("Service", 8000)
    assert [(lack.kind.kind, lack.asked_by) for lack in without.lacks] == [
        ("InferencePool", "spec.inferencePool")
    ]


def test_a_route_that_names_no_gateway_takes_the_sites() -> None:
    site = replace(
        SITE, around=Around(gateway="gateways/edge/https", hostname="{name}.{namespace}.x")
    )

    spec = one(around(site, route={}), "HTTPRoute")["spec"]
    own = one(around(site, route=ROUTE), "HTTPRoute")["spec"]

    (parent,) = spec["parentRefs"]
    assert (parent["namespace"], parent["name"]) == ("gateways", "edge")
    assert parent["sectionName"] == "https"
    assert spec["hostnames"] == ["m.ns.x"]
    assert own["parentRefs"][0]["name"] == "edge"
    assert "namespace" not in own["parentRefs"][0]
    assert "hostnames" not in own


def test_a_route_without_any_gateway_is_noticed_and_not_made() -> None:
    found = around(route={})

    assert found.children == ()
    assert found.names_no_gateway


def test_only_a_path_of_its_own_is_cut_off() -> None:
    plain = one(around(route=ROUTE), "HTTPRoute")["spec"]["rules"][0]
    shared = one(around(route={**ROUTE, "path": "/m"}), "HTTPRoute")["spec"]["rules"][0]

    assert "filters" not in plain
    assert shared["filters"][0]["urlRewrite"]["path"]["replacePrefixMatch"] == "/"


def test_long_answers_are_not_cut_off_unless_a_limit_is_given() -> None:
    plain = one(around(route=ROUTE), "HTTPRoute")["spec"]["rules"][0]
    bounded = one(around(route={**ROUTE, "requestTimeout": "5m"}), "HTTPRoute")["spec"]["rules"][0]

    assert (plain["timeouts"], bounded["timeouts"]) == ({"request": "0s"}, {"request": "5m"})


def test_a_headless_service_names_the_port_that_pods_have() -> None:
    made = one(around(service={"port": 80, "headless": True}), "Service")

    assert made["metadata"]["name"] == "m-headless"
    assert made["spec"]["clusterIP"] == "None"
    assert made["spec"]["ports"][0]["port"] == ENGINE_PORT


# -- what is missing --------------------------------------------------------------------------


def test_what_cannot_be_made_is_named_with_who_asks_for_it() -> None:
    site = replace(SITE, around=Around(pod_monitors=True))
    every = ("HTTPRoute", "InferencePool", "PodMonitor")

    found = around(site, lacking=every, route=ROUTE, ingress={})

    assert [child["kind"] for child in found.children] == ["Ingress"]
    assert [lack.asked_by for lack in found.lacks] == [
        "spec.route",
        "the operator's setting podMonitors",
    ]


def test_an_api_that_nobody_asks_for_is_not_missed() -> None:
    every = ("HTTPRoute", "InferencePool", "PodMonitor")

    assert around(lacking=every, monitoring={"podMonitor": False}).lacks == ()
