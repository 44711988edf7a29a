"""The operator's own pods: how they stand in a cluster, and whom they talk to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.controlplane import Commands, ControlPlane, NodeSpec
from support.controlplane.errors import CommandError
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.controlplane import Binaries

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "qwen3-operator"
HOME = "qwen3-system"
WHERE = f"--namespace={HOME}"
PODS = "--selector=app.kubernetes.io/component=operator"


@pytest.fixture(scope="module")
def cluster(control_plane_binaries: Binaries) -> Iterator[ControlPlane]:
    """Three nodes in two zones, on which pods become ready without running."""
    zone = "topology.kubernetes.io/zone"
    nodes = [
        NodeSpec(name, labels={zone: where})
        for name, where in (("a1", "a"), ("a2", "a"), ("b1", "b"))
    ]
    with ControlPlane(control_plane_binaries, nodes=nodes) as running:
        running.kubectl("create", "namespace", HOME)
        yield running


def install(cluster: ControlPlane, **values: Any) -> None:  # noqa: ANN401 - YAML
    cluster.helm(
        *("upgrade", "--install", "q3", CHART, WHERE, "--values=-"), input=json.dumps(values)
    )


def rendered(cluster: Commands, kind: str, **values: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    text = cluster.helm("template", "q3", CHART, WHERE, "--values=-", input=json.dumps(values))
    return [one for one in yaml.safe_load_all(text) if one and one["kind"] == kind]


def ready_on(cluster: ControlPlane) -> list[str]:
    """Name the nodes of the operator's pods that are ready and stay."""
    pods = cluster.kubectl_json("get", "pods", WHERE, PODS)["items"]
    return sorted(
        pod["spec"]["nodeName"]
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and any(
            (one["type"], one["status"]) == ("Ready", "True")
            for one in pod.get("status", {}).get("conditions", ())
        )
    )


def test_several_operators_stand_apart_and_a_drain_takes_one_at_a_time(
    cluster: ControlPlane,
) -> None:
    install(cluster, replicas=2)

    until(lambda: len(ready_on(cluster)) == 2, 60, lambda: str(ready_on(cluster)))
    assert "b1" in ready_on(cluster), "both stand in one zone"
    budget = until(
        lambda: _budget_of(cluster, pods=2), 30, lambda: str(_budget_of(cluster, pods=None))
    )
    assert budget["status"]["disruptionsAllowed"] == 1
    assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def _budget_of(cluster: ControlPlane, *, pods: int | None) -> dict[str, Any] | None:
    budget: dict[str, Any] = cluster.kubectl_json("get", "pdb", WHERE, "q3-qwen3-operator")
    return budget if pods in (None, budget.get("status", {}).get("currentHealthy")) else None


def test_one_operator_does_not_hold_up_a_drain(cluster: ControlPlane) -> None:
    install(cluster, replicas=1)
    until(lambda: len(ready_on(cluster)) == 1, 60, lambda: str(ready_on(cluster)))
    [node] = ready_on(cluster)
    try:
        cluster.kubectl("drain", node, "--ignore-daemonsets", "--force", "--timeout=60s")

        until(lambda: ready_on(cluster) not in ([], [node]), 60, "it did not move")
    finally:
        cluster.kubectl("uncordon", node)
    with pytest.raises(CommandError, match="NotFound"):
        cluster.kubectl("get", "pdb", WHERE, "q3-qwen3-operator")


NETWORK = {
    "replicas": 2,
    "networkPolicy": {
        "enabled": True,
        "metricsNamespaces": ["dashboards"],
        "apiServer": {"cidrs": ["10.0.0.10/32"]},
        "extraIngress": [{"from": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]}],
        "extraEgress": [{"ports": [{"port": 3128, "protocol": "TCP"}]}],
    },
    "operator": {"prometheus": {"url": "http://prometheus.monitoring:9090"}},
}


def test_the_api_server_takes_the_network_policy_and_it_is_about_the_pods(
    cluster: ControlPlane,
) -> None:
    install(cluster, **NETWORK)

    policy = cluster.kubectl_json("get", "networkpolicy", WHERE, "q3-qwen3-operator")["spec"]
    chosen = ",".join(f"{k}={v}" for k, v in policy["podSelector"]["matchLabels"].items())
    pods = until(
        lambda: cluster.kubectl_json("get", "pods", WHERE, f"--selector={chosen}")["items"],
        30,
        "it is about no pod",
    )
    ports = {port["name"] for pod in pods for port in pod["spec"]["containers"][0]["ports"]}
    assert {port["port"] for port in policy["ingress"][0]["ports"]} <= ports
    assert _namespaces(policy["ingress"][0]["from"]) == {"dashboards"}
    assert policy["ingress"][1] == NETWORK["networkPolicy"]["extraIngress"][0]  # type: ignore[index]
    assert {"port": 9090, "protocol": "TCP"} in [
        p for r in policy["egress"] for p in r.get("ports", ())
    ]
    install(cluster)


def test_prometheus_is_reached_in_its_namespaces_where_they_are_named(
    cluster: ControlPlane,
) -> None:
    named = {"prometheus": {"url": "http://p"}, "prometheusNamespaces": ["monitoring"]}

    [policy] = rendered(cluster, "NetworkPolicy", networkPolicy={"enabled": True}, operator=named)

    assert _namespaces(policy["spec"]["egress"][-1]["to"]) == {"monitoring"}
    assert "ports" not in policy["spec"]["egress"][-1]
    assert _namespaces(policy["spec"]["ingress"][0]["from"]) == {"monitoring"}


@pytest.mark.parametrize(
    ("url", "port"), [("https://p", 443), ("http://p", 80), ("https://p:9443/x", 9443)]
)
def test_prometheus_is_reached_on_its_port(cluster: ControlPlane, url: str, port: int) -> None:
    [policy] = rendered(
        cluster,
        "NetworkPolicy",
        networkPolicy={"enabled": True},
        operator={"prometheus": {"url": url}},
    )

    assert policy["spec"]["egress"][-1] == {"ports": [{"port": port, "protocol": "TCP"}]}


def test_engines_are_reached_in_the_namespaces_that_are_served(cluster: ControlPlane) -> None:
    approved = (ROOT / "tests/golden/children").glob("*.out.yaml")
    documents = [one for file in approved for one in yaml.safe_load_all(file.read_text("utf-8"))]
    servers = [one for one in documents if one and one["kind"] == "Deployment"]
    on = {"enabled": True}

    [policy] = rendered(cluster, "NetworkPolicy", networkPolicy=on, watchNamespaces=["team-a"])

    [peer] = policy["spec"]["egress"][2]["to"]
    wanted = peer["podSelector"]["matchLabels"].items()
    assert servers
    for server in servers:
        assert wanted <= server["spec"]["template"]["metadata"]["labels"].items()
    assert _namespaces([peer]) == {"team-a"}
    [everywhere] = rendered(cluster, "NetworkPolicy", networkPolicy=on)
    assert everywhere["spec"]["egress"][2]["to"][0]["namespaceSelector"] == {}
    quiet = {"readEngines": False}
    [without] = rendered(cluster, "NetworkPolicy", networkPolicy=on, operator=quiet)
    assert len(without["spec"]["egress"]) == 2


def _namespaces(peers: list[Mapping[str, Any]]) -> set[str]:
    found: set[str] = set()
    for peer in peers:
        for one in peer.get("namespaceSelector", {}).get("matchExpressions", ()):
            assert (one["key"], one["operator"]) == ("kubernetes.io/metadata.name", "In")
            found |= set(one["values"])
    return found


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"podDisruptionBudget": {"maxUnavailable": 0}}, "/podDisruptionBudget/maxUnavailable"),
        ({"networkPolicy": {"apiServer": {"ports": []}}}, "/networkPolicy/apiServer/ports"),
        ({"networkPolicy": {"apiServer": {"cidrs": ["10.0.0.1"]}}}, "/apiServer/cidrs/0"),
        ({"networkPolicy": {"metricsNamespaces": ["A b"]}}, "/networkPolicy/metricsNamespaces/0"),
    ],
    ids=["no pod may go", "no API server", "no network", "no namespace"],
)
def test_values_that_would_cut_the_operator_off_are_refused(
    cluster: ControlPlane, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(CommandError) as caught:
        rendered(cluster, "Deployment", **values)

    assert said in caught.value.stderr
