"""Who a NetworkPolicy lets through: its ingress rules, read as its documentation reads them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Source:
    """Where a connection comes from: a pod, or an address outside of the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    namespace_labels: Mapping[str, str] = field(default_factory=dict)


def admits(policy: Mapping[str, Any], source: Source, port: int) -> bool:
    """Whether the pods that a policy is about may be reached from there on that port."""
    assert policy["spec"]["policyTypes"] == ["Ingress"]
    namespace = policy["metadata"]["namespace"]
    return any(
        _on_port(rule, port) and _from(rule, source, namespace)
        for rule in policy["spec"]["ingress"]
    )


def is_about(policy: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a pod with these labels is judged by the policy."""
    return _matches(policy["spec"]["podSelector"], labels)


def _on_port(rule: Mapping[str, Any], port: int) -> bool:
    return "ports" not in rule or any(entry["port"] == port for entry in rule["ports"])


def _from(rule: Mapping[str, Any], source: Source, namespace: str) -> bool:
    return "from" not in rule or any(_is_peer(peer, source, namespace) for peer in rule["from"])


def _is_peer(peer: Mapping[str, Any], source: Source, namespace: str) -> bool:
    block = peer.get("ipBlock")
    if block is not None:
        if not source.address:
            return False
        address = ipaddress.ip_address(source.address)
        exceptions = block.get("except", ())
        inside = address in ipaddress.ip_network(block["cidr"])
        return inside and not any(address in ipaddress.ip_network(e) for e in exceptions)
    if not source.namespace:
        return False
    if "namespaceSelector" in peer:
        labels = {NAMESPACE_NAME: source.namespace, **source.namespace_labels}
        if not _matches(peer["namespaceSelector"], labels):
            return False
    elif source.namespace != namespace:
        return False
    return _matches(peer.get("podSelector", {}), source.labels)


def _matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, "the tests need no more"
    return (selector.get("matchLabels") or {}).items() <= labels.items()
