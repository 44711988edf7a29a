"""What stands around the replicas, as the status tells it: the endpoint, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.decisions.failures import explain_refusal
from qwen3_operator.decisions.readiness import Finding
from qwen3_operator.decisions.routing import ingress_url, judge_route, route_url
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.desired import names
from qwen3_operator.desired.kinds import HTTP_ROUTE, INGRESS, SERVICE
from qwen3_operator.desired.surroundings import Surroundings
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import ConditionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_operator.desired.surroundings import Lack
    from qwen3_operator.status import Facts
    from qwen3_planner.api.status import Qwen3DeploymentStatus

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN

FROM_VOWELS = frozenset("AEFHILMNORSX")
"""First letters, spoken by name or not, after which an article is ``an``."""


def endpoint(facts: Facts, previous: Qwen3DeploymentStatus) -> str | None:
    """Say where clients reach the API: by the route, the Ingress, or the Service.

    The Service exists once something was admitted.
    """
    children, key = facts.observed.children, facts.key
    route = children.get((HTTP_ROUTE.kind, names.route(key.name)))
    ingress = children.get((INGRESS.kind, names.ingress(key.name)))
    service = children.get((SERVICE.kind, names.service(key.name)))
    outside = (route_url(route, facts.gateways.by_key) if route else None) or (
        ingress_url(ingress) if ingress else None
    )
    if outside is not None:
        return outside
    if service is not None:
        return names.endpoint(key.namespace, key.name, service["spec"]["ports"][0]["port"])
    return previous.endpoint if facts.deployment is not None else None


def integrated(facts: Facts) -> Finding | None:
    """Judge what was asked for around the replicas; None where nothing was.

    ================================= ======= ======================
    state                             holds   reason
    ================================= ======= ======================
    an API is not there               False   ApiNotInstalled
    roles leave an API out            False   ApiNotAllowed
    the API server refuses a child    False   ApplyFailed ...
    a gateway refuses the route       False   RouteNotAccepted
    a policy keeps Prometheus out     False   MetricsUnreachable
    not made yet                      Unknown Pending
    no gateway has answered yet       Unknown RoutePending
    everything is there               True    InPlace
    ================================= ======= ======================

    The first row that applies gives the reason; the message tells all that are False.
    """
    wanted = facts.surroundings
    if wanted is None or wanted == Surroundings():
        return None
    troubles = list(_troubles(facts, wanted))
    if troubles:
        message = " ".join(trouble.message for trouble in troubles)
        return Finding(FALSE, Verdict(troubles[0].reason, message))
    live = facts.observed.children
    if any((child["kind"], child["metadata"]["name"]) not in live for child in wanted.children):
        return Finding(UNKNOWN, Verdict(Reason.PENDING, "It is made with the first replica."))
    waiting = _route(facts)
    if waiting is not None and waiting.status is UNKNOWN:
        return waiting
    kinds = ", ".join(sorted(child["kind"] for child in wanted.children))
    return Finding(TRUE, Verdict(Reason.IN_PLACE, f"In place: {kinds}."))


def _troubles(facts: Facts, wanted: Surroundings) -> Iterator[Verdict]:
    for lack in wanted.lacks:
        yield _explain(lack)
    if facts.observed.refusal_around:
        yield explain_refusal(facts.observed.refusal_around)
    if wanted.names_no_gateway:
        yield Verdict(
            Reason.ROUTE_NOT_ACCEPTED,
            "spec.route names no Gateway, and neither do the operator's settings: name one in"
            " spec.route.parentRefs.",
        )
    route = _route(facts)
    if route is not None and route.status is FALSE:
        yield route.verdict
    if wanted.hides_metrics:
        yield Verdict(
            Reason.METRICS_UNREACHABLE,
            "spec.networkPolicy.from keeps Prometheus out, which the PodMonitor asks to read"
            " metrics: name it in spec.networkPolicy.metricsFrom, or its namespace in the"
            " operator's setting prometheusNamespaces.",
        )


def _route(facts: Facts) -> Finding | None:
    route = facts.observed.children.get((HTTP_ROUTE.kind, names.route(facts.key.name)))
    if route is None:
        return None
    return judge_route(route, facts.gateways.by_key, knows_all=facts.gateways.is_known)


def _explain(lack: Lack) -> Verdict:
    """Say what is missing, who asks for it, and what would help."""
    kind = lack.kind
    article = "an" if kind.kind[0] in FROM_VOWELS else "a"
    asks = f"{lack.asked_by} asks for {article} {kind.kind}"
    if lack.hindrance:
        text = f"{asks}, which the operator may not make: {lack.hindrance}. Upgrade its chart."
        return Verdict(Reason.API_NOT_ALLOWED, text)
    text = (
        f"{asks}, and this cluster does not have {kind.api}. Install it ({kind.page}), or do"
        f" without {lack.asked_by}; the {kind.kind} is made as soon as the API is there."
    )
    return Verdict(Reason.API_NOT_INSTALLED, text)
