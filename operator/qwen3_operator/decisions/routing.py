"""Under which URL a model is reached from outside, and whether a gateway has taken its route."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.readiness import Finding
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.observed import Key
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import ConditionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from qwen3_operator.observed import Manifest

API_PATH = "/v1"
"""Where engines have the OpenAI-compatible API, below the route's path."""

DEFAULT_PORTS = {"http": 80, "https": 443}

SECURE = frozenset({"HTTPS", "TLS"})
"""Protocols of a listener for which clients say https."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a Gateway listens; an empty hostname takes any."""

    name: str
    protocol: str
    port: int
    hostname: str = ""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A Gateway, reduced to what makes a URL.

    Attributes:
        key: namespace and name.
        listeners: in the order of its specification.
        address: the first one it has; empty while it has none.
    """

    key: Key
    listeners: tuple[Listener, ...]
    address: str = ""


@dataclass(frozen=True, slots=True)
class Gateways:
    """The Gateways of the cluster.

    Attributes:
        by_key: those that there are.
        is_known: whether one that is not among them does not exist.
    """

    by_key: Mapping[Key, Gateway] = field(default_factory=dict)
    is_known: bool = False


def judge_route(route: Manifest, gateways: Mapping[Key, Gateway], *, knows_all: bool) -> Finding:
    """Judge an HTTPRoute by what its Gateways say of it.

    Args:
        route: as it lives.
        gateways: that there are.
        knows_all: whether a Gateway that is not among them does not exist.

    Returns:
        True once any Gateway has taken it, False once one has refused it or does not exist, Unknown
        while nobody has answered.
    """
    complaints = []
    for parent in _parents(route):
        answer = _answer(route, parent)
        if answer is not None and not _complaint(answer):
            return Finding(
                ConditionStatus.TRUE, Verdict(Reason.ROUTE_ACCEPTED, f"{_named(route)} is served.")
            )
        if answer is not None:
            complaints.append(f"Gateway {_key(route, parent)}: {_complaint(answer)}")
        elif knows_all and _key(route, parent) not in gateways:
            complaints.append(
                f"There is no Gateway {_key(route, parent)}: create it or name another."
            )
    if complaints:
        verdict = Verdict(Reason.ROUTE_NOT_ACCEPTED, " ".join(complaints))
        return Finding(ConditionStatus.FALSE, verdict)
    return Finding(
        ConditionStatus.UNKNOWN,
        Verdict(
            Reason.ROUTE_PENDING,
            f"No gateway has answered to {_named(route)} yet. Check that the controller of its"
            " GatewayClass runs.",
        ),
    )


def route_url(route: Manifest, gateways: Mapping[Key, Gateway]) -> str | None:
    """Say under which URL a route is reached; None while no Gateway serves it under a name."""
    path = route["spec"]["rules"][0]["matches"][0]["path"]["value"].rstrip("/")
    for parent in _parents(route):
        answer = _answer(route, parent)
        if answer is None or _complaint(answer):
            continue
        gateway = gateways.get(_key(route, parent))
        for hostname in route["spec"].get("hostnames") or ("",):
            origin = _origin(hostname, parent, gateway)
            if origin:
                return f"{origin}{path}{API_PATH}"
    return None


def ingress_url(ingress: Manifest) -> str | None:
    """Say under which URL an Ingress is reached; None while nobody knows its host."""
    spec = ingress["spec"]
    rule = spec["rules"][0]
    scheme = "https" if spec.get("tls") else "http"
    host = rule.get("host") or ""
    if not host:
        balancers = ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        host = next((b.get("hostname") or b.get("ip") or "" for b in balancers), "")
    if not host or host.startswith("*"):
        return None
    path = rule["http"]["paths"][0]["path"].rstrip("/")
    return f"{scheme}://{host}{path}{API_PATH}"


def _origin(hostname: str, parent: Mapping[str, Any], gateway: Gateway | None) -> str:
    """Make scheme, host and port; the secure listener is the one to name."""
    listeners = list(_listeners(hostname, parent, gateway))
    listener = next((one for one in listeners if one.protocol in SECURE), None)
    listener = listener or (listeners[0] if listeners else None)
    names = (hostname, listener.hostname if listener else "", gateway.address if gateway else "")
    host = next((name for name in names if name and not name.startswith("*")), "")
    if not host:
        return ""
    scheme = "https" if listener is not None and listener.protocol in SECURE else "http"
    is_plain = listener is None or listener.port == DEFAULT_PORTS[scheme]
    return f"{scheme}://{host}" + ("" if is_plain or listener is None else f":{listener.port}")


def _listeners(
    hostname: str, parent: Mapping[str, Any], gateway: Gateway | None
) -> Iterator[Listener]:
    """Go through the listeners that serve the route."""
    for listener in gateway.listeners if gateway else ():
        if parent.get("sectionName") not in (None, listener.name):
            continue
        if parent.get("port") not in (None, listener.port):
            continue
        if not hostname or _takes(listener.hostname, hostname):
            yield listener


def _takes(listener: str, hostname: str) -> bool:
    """Whether a listener's hostname takes a route's; a wildcard stands for one or more labels.

    >>> _takes("*.example.com", "a.b.example.com"), _takes("*.example.com", "example.com")
    (True, False)
    """
    if not listener or listener == hostname:
        return True
    return listener.startswith("*.") and hostname.endswith(listener[1:])


def _parents(route: Manifest) -> Iterable[Mapping[str, Any]]:
    parents: Iterable[Mapping[str, Any]] = route["spec"]["parentRefs"]
    return parents


def _key(route: Manifest, parent: Mapping[str, Any]) -> Key:
    return Key(parent.get("namespace") or route["metadata"]["namespace"], parent["name"])


def _answer(route: Manifest, parent: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]] | None:
    """Return the conditions that a controller gave the route for a Gateway, if any and fresh."""
    wanted = _identity(route, parent)
    generation = route["metadata"].get("generation", 0)
    for told in (route.get("status") or {}).get("parents") or ():
        conditions = {c["type"]: c for c in told.get("conditions") or ()}
        accepted = conditions.get("Accepted", {})
        is_fresh = accepted.get("observedGeneration", generation) >= generation
        if _identity(route, told.get("parentRef") or {}) == wanted and accepted and is_fresh:
            return conditions
    return None


def _identity(route: Manifest, parent: Mapping[str, Any]) -> tuple[Any, ...]:
    namespace = parent.get("namespace") or route["metadata"]["namespace"]
    return namespace, parent.get("name"), parent.get("sectionName"), parent.get("port")


def _complaint(conditions: Mapping[str, Mapping[str, Any]]) -> str:
    """Repeat what a controller has against a route; empty where it takes it."""
    for kind in ("Accepted", "ResolvedRefs"):
        condition = conditions.get(kind, {})
        if condition.get("status") == "False":
            told = condition.get("message") or condition.get("reason") or kind
            return f"{condition.get('reason', kind)}: {told}"
    return ""


def _named(route: Manifest) -> str:
    return f"HTTPRoute {route['metadata']['name']}"
