"""Who may reach the pods of a model: clients, the operator, Prometheus, ranks of one replica."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.desired.groups import Form
from qwen3_operator.desired.labels import child
from qwen3_operator.desired.site import Around
from qwen3_planner.plan import Layout
from support.network_policies import Source, admits, is_about
from support.plan_builders import make_plan
from support.surroundings import CHAT, OPERATOR, SITE, around, one

if TYPE_CHECKING:
    from qwen3_planner.plan import Plan

ENGINE_PORT, RANK_PORT = 8000, 29500


def over_two_nodes() -> Plan:
    return replace(make_plan(), layout=Layout(tensor=8, pipeline=2, nodes_per_replica=2))


def policy(plan: Plan | None = None, **wanted: object) -> dict[str, Any]:
    return one(around(plan=plan, networkPolicy=wanted), "NetworkPolicy")


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
