"""What stands around the replicas: who reaches them, by which way, and who reads their metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.desired.groups import Form
from qwen3_operator.desired.labels import child
from qwen3_operator.desired.site import Around, site_for
from qwen3_operator.desired.surroundings import NOT_INSTALLED, make_surroundings
from qwen3_planner.api.conversion import parse
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.plan import Layout
from support.network_policies import Source, admits, is_about
from support.plan_builders import make_plan

if TYPE_CHECKING:
    from qwen3_operator.desired.surroundings import Surroundings
    from qwen3_planner.plan import Plan

OPERATOR = {"app.kubernetes.io/name": "qwen3-operator"}
SITE = replace(
    site_for({}, load_catalog()),
    around=Around("qwen3-system", OPERATOR, prometheus_namespaces=("monitoring",)),
)
CHAT = {"podSelector": {"matchLabels": {"app": "chat"}}}
ROUTE = {"parentRefs": [{"name": "edge"}]}
POOL = {"endpointPickerRef": {"name": "epp"}}
ENGINE_PORT, RANK_PORT = 8000, 29500


def around(
    site: Any = SITE,  # noqa: ANN401 - a default that a test may replace
    plan: Plan | None = None,
    lacking: tuple[str, ...] = (),
    form: Form = Form.STATEFUL_SETS,
    **spec: object,
) -> Surroundings:
    resource = parse(
        {
            "apiVersion": "serving.qwen3.dev/v1alpha1",
            "kind": "Qwen3Deployment",
            "metadata": {"name": "m", "namespace": "ns", "uid": "u"},
            "spec": {"model": {"variant": "Qwen3-32B"}, **spec},
        }
    )
    hindrance = dict.fromkeys(lacking, NOT_INSTALLED)
    return make_surroundings(
        resource, plan or make_plan(), site, lambda kind: hindrance.get(kind, ""), form
    )


def one(surroundings: Surroundings, kind: str) -> dict[str, Any]:
    (found,) = (dict(child) for child in surroundings.children if child["kind"] == kind)
    return found


def over_two_nodes() -> Plan:
    return replace(make_plan(), layout=Layout(tensor=8, pipeline=2, nodes_per_replica=2))


def policy(plan: Plan | None = None, **wanted: object) -> dict[str, Any]:
    return one(around(plan=plan, networkPolicy=wanted), "NetworkPolicy")


def test_nothing_stands_around_a_model_that_asks_for_nothing() -> None:
    assert around().children == ()


# -- who may reach the pods -------------------------------------------------------------------


def test_a_policy_without_names_leaves_the_engines_port_to_everybody_and_no_other() -> None:
    stranger = Source("elsewhere")

    assert admits(policy(), stranger, ENGINE_PORT)
    assert admits(policy(), Source(address="203.0.113.7"), ENGINE_PORT)
    assert not admits(policy(), stranger, RANK_PORT)


@pytest.mark.parametrize(
    ("source", "may"),
    [
        pytest.param(Source("ns", {"app": "chat"}), True, id="who is named"),
        pytest.param(Source("other", {"app": "chat"}), False, id="a namesake elsewhere"),
        pytest.param(Source("ns", {"app": "other"}), False, id="a neighbour"),
        pytest.param(Source("qwen3-system", OPERATOR), True, id="the operator"),
        pytest.param(Source("qwen3-system", {"app": "x"}), False, id="its neighbour"),
        pytest.param(Source("monitoring", {"app": "prometheus"}), True, id="Prometheus"),
        pytest.param(Source(address="203.0.113.7"), False, id="the internet"),
        pytest.param(Source("ns", child("m", make_plan())), False, id="another replica"),
    ],
)
def test_a_policy_with_names_lets_them_the_operator_and_prometheus_in(
    source: Source, *, may: bool
) -> None:
    assert admits(policy(**{"from": [CHAT]}), source, ENGINE_PORT) is may


def test_who_reads_metrics_may_be_named_beside_the_clients() -> None:
    grafana = {"namespaceSelector": {"matchLabels": {"team": "sre"}}}
    agent = Source("alloy", namespace_labels={"team": "sre"})

    assert admits(policy(**{"from": [CHAT], "metricsFrom": [grafana]}), agent, ENGINE_PORT)
    assert not admits(policy(**{"from": [CHAT]}), agent, ENGINE_PORT)


def test_networks_are_let_in_but_for_their_exceptions() -> None:
    block = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}
    wanted = policy(**{"from": [block]})

    assert admits(wanted, Source(address="10.2.0.1"), ENGINE_PORT)
    assert not admits(wanted, Source(address="10.1.0.1"), ENGINE_PORT)


LEADER, RANK = {"serving.qwen3.dev/role": "server"}, {"serving.qwen3.dev/role": "rank"}
LWS_GROUP, POD_INDEX = "leaderworkerset.sigs.k8s.io/group-index", "apps.kubernetes.io/pod-index"


def ranks_of(form: Form, replica: int, name: str = "m") -> list[dict[str, str]]:
    """Label the leader and another rank of a replica as the form's controller does."""
    own, number = child(name, make_plan()), str(replica)
    if form is Form.LEADER_WORKER_SET:
        return [{**own, **LEADER, LWS_GROUP: number}, {**own, **RANK, LWS_GROUP: number}]
    return [
        {**own, **LEADER, POD_INDEX: number},
        {**own, **RANK, POD_INDEX: "1", "serving.qwen3.dev/group": number},
    ]


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("wanted", [{}, {"networkPolicy": {"from": [CHAT]}}])
def test_ranks_reach_those_of_their_replica_and_nobody_else_does(
    form: Form, wanted: dict[str, Any]
) -> None:
    spec = {"replicas": 2, **wanted}
    policies = around(plan=over_two_nodes(), form=form, **spec).children

    def reaches(source: Source, target: dict[str, str], port: int = RANK_PORT) -> bool:
        judging = [policy for policy in policies if is_about(policy, target)]
        assert judging
        return any(admits(policy, source, port) for policy in judging)

    for target in ranks_of(form, 1):
        for friend in ranks_of(form, 1):
            assert reaches(Source("ns", friend), target)
        for stranger in (
            *(Source("ns", labels) for labels in ranks_of(form, 0)),
            *(Source("ns", labels) for labels in ranks_of(form, 1, "other")),
            *(Source("other", labels) for labels in ranks_of(form, 1)),
            Source("qwen3-system", OPERATOR),
            Source("ns", {"app": "chat"}),
            Source(address="10.2.0.1"),
        ):
            assert not reaches(stranger, target)
        assert reaches(Source("ns", {"app": "chat"}), target, ENGINE_PORT)
        assert reaches(Source("qwen3-system", OPERATOR), target, ENGINE_PORT)


def test_a_policy_is_about_every_pod_of_the_model_and_no_other() -> None:
    labels = child("m", make_plan())

    assert is_about(policy(), labels)
    assert is_about(policy(), {**labels, "serving.qwen3.dev/role": "worker"})
    assert not is_about(policy(), child("other", make_plan()))


def test_an_operator_outside_the_cluster_opens_nothing_for_itself() -> None:
    outside = replace(SITE, around=Around())
    resource = {"networkPolicy": {"from": [CHAT]}}

    peers = one(around(outside, **resource), "NetworkPolicy")["spec"]["ingress"][0]["from"]

    assert peers == [CHAT]


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
