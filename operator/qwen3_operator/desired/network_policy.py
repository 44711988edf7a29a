"""The NetworkPolicy: who may reach the pods, on which port.

Requests and metrics share the engine's port, and everything that reads them does, too: the operator
(figures of the engine), Prometheus, clients. Ranks of a replica over several nodes find each other
on ports that they choose when they start, without any authentication: these are open to pods of the
same replica and to nobody else. Policies add up, so one says who may send requests to any pod, and
further ones what the pods of each replica may say to each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels, names
from qwen3_operator.desired.groups import Form
from qwen3_operator.desired.kinds import NETWORK_POLICY
from qwen3_operator.desired.metadata import make_metadata
from qwen3_operator.observed import DEPLOYMENT_LABEL
from qwen3_planner.engines.profiles import engine_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_operator.desired.site import Site
    from qwen3_planner.api.surroundings import NetworkPolicySpec
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""Label that the API server gives every namespace: its name."""

LWS_GROUP = "leaderworkerset.sigs.k8s.io/group-index"
"""Label that LeaderWorkerSet gives every pod of a replica: its number."""

POD_INDEX = "apps.kubernetes.io/pod-index"
"""Label that a StatefulSet gives its pods: their number, that of the replica for leaders."""


def wants_network_policy(resource: Qwen3Deployment, plan: Plan) -> bool:
    """Whether it is asked for, or ranks talk to each other over the network."""
    return resource.spec.network_policy is not None or plan.layout.nodes_per_replica > 1


def make_network_policies(
    resource: Qwen3Deployment, plan: Plan, site: Site, form: Form
) -> Iterator[dict[str, Any]]:
    """Make the NetworkPolicies; only what comes in is judged."""
    yield _make_policy_of_requests(resource, plan, site)
    if plan.layout.nodes_per_replica > 1:
        for replica in range(resource.spec.replicas):
            yield from _make_policies_of_ranks(resource, plan, form, replica)


def _make_policy_of_requests(resource: Qwen3Deployment, plan: Plan, site: Site) -> dict[str, Any]:
    port = {"port": engine_of(plan.engine).port, "protocol": "TCP"}
    allowed: dict[str, Any] = {"ports": [port]}
    peers = make_peers(resource.spec.network_policy, site)
    if peers:
        allowed["from"] = peers
    metadata = make_metadata(resource, plan, names.network_policy(resource.metadata.name))
    return _policy(metadata, _own(resource), [allowed])


def _make_policies_of_ranks(
    resource: Qwen3Deployment, plan: Plan, form: Form, replica: int
) -> Iterator[dict[str, Any]]:
    """Open all ports of a replica's pods to each other."""
    own, number = _own(resource), str(replica)
    members = {"": {**own, LWS_GROUP: number}}
    if form is Form.STATEFUL_SETS:
        members = {
            "-leader": {**own, labels.ROLE: labels.SERVER, POD_INDEX: number},
            "-ranks": {**own, labels.ROLE: labels.RANK, labels.GROUP: number},
        }
    peers = [{"podSelector": {"matchLabels": member}} for member in members.values()]
    for suffix, member in members.items():
        name = names.group_policy(resource.metadata.name, replica) + suffix
        yield _policy(make_metadata(resource, plan, name), member, [{"from": peers}])


def _policy(
    metadata: dict[str, Any], about: dict[str, str], rules: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "apiVersion": NETWORK_POLICY.api_version,
        "kind": NETWORK_POLICY.kind,
        "metadata": metadata,
        "spec": {
            "podSelector": {"matchLabels": about},
            "policyTypes": ["Ingress"],
            "ingress": rules,
        },
    }


def _own(resource: Qwen3Deployment) -> dict[str, str]:
    """Select every pod of a resource."""
    return {DEPLOYMENT_LABEL: labels.label_value(resource.metadata.name)}


def make_peers(wanted: NetworkPolicySpec | None, site: Site) -> list[dict[str, Any]]:
    """Name everybody who may reach the engine's port; nobody named means everybody."""
    if wanted is None or not wanted.from_:
        return []
    peers = [peer.to_kubernetes() for peer in (*wanted.from_, *wanted.metrics_from)]
    around = site.around
    if around.namespace:
        operator: dict[str, Any] = _namespace(around.namespace)
        if around.pod_labels:
            operator["podSelector"] = {"matchLabels": dict(around.pod_labels)}
        peers.append(operator)
    peers.extend(_namespace(namespace) for namespace in around.prometheus_namespaces)
    return [_plain(peer) for peer in peers]


def keeps_prometheus_out(resource: Qwen3Deployment, site: Site) -> bool:
    """Whether clients are named, but nobody who reads metrics."""
    wanted = resource.spec.network_policy
    if wanted is None or not wanted.from_:
        return False
    return not wanted.metrics_from and not site.around.prometheus_namespaces


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: name}}}


def _plain(peer: dict[str, Any]) -> dict[str, Any]:
    """Leave out an empty list of exceptions; an empty selector means all and stays."""
    block = peer.get("ipBlock")
    if block and not block.get("except"):
        return {**peer, "ipBlock": {"cidr": block["cidr"]}}
    return peer
