"""What the status tells of everything around the replicas; its table is in the docstring."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from qwen3_operator.decisions.admission import Admission
from qwen3_operator.decisions.replan import Chosen, Outcome
from qwen3_operator.decisions.routing import Gateway, Gateways, Listener
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.desired.kinds import HTTP_ROUTE, POD_MONITOR
from qwen3_operator.desired.surroundings import Lack, Surroundings
from qwen3_operator.observed import Key, Observed
from qwen3_operator.status import Facts, derive, events
from qwen3_planner.api.conversion import parse, parse_status
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import Qwen3DeploymentStatus
from support.plan_builders import make_plan
from support.values import amount, pod

KEY = Key("team-a", "m")
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
EDGE = Key("gateways", "edge")
GATEWAYS = Gateways({EDGE: Gateway(EDGE, (Listener("http", "HTTP", 80),))}, is_known=True)
MONITOR = {"kind": "PodMonitor", "metadata": {"name": "m"}}
REF = {"name": "edge", "namespace": "gateways"}
TAKEN = {"parentRef": REF, "conditions": [{"type": "Accepted", "status": "True"}]}
ROUTE: dict[str, Any] = {
    "kind": "HTTPRoute",
    "metadata": {"name": "m", "namespace": "team-a"},
    "spec": {
        "parentRefs": [REF],
        "hostnames": ["m.example.com"],
        "rules": [{"matches": [{"path": {"value": "/"}}]}],
    },
}


def facts(wanted: Surroundings | None, *more: dict[str, Any], **fields: object) -> Facts:
    template = {"metadata": {"labels": {"serving.qwen3.dev/plan-hash": "new"}}}
    live = {
        ("Deployment", "m"): {"spec": {"replicas": 1, "template": template}},
        ("Service", "m-headless"): {"spec": {"ports": [{"port": 8000}]}},
        ("Service", "m"): {"spec": {"ports": [{"port": 80}]}},
        **{(child["kind"], child["metadata"]["name"]): child for child in more},
    }
    body = {
        "apiVersion": "serving.qwen3.dev/v1alpha1",
        "kind": "Qwen3Deployment",
        "metadata": {"name": "m", "namespace": "team-a"},
        "spec": {"model": {"variant": "Qwen3-32B"}},
    }
    one = pod("a", amount(2), owner="m", node="n", phase="Running", ready=True, plan_hash="new")
    return Facts(
        key=KEY,
        generation=3,
        resource=parse(body),
        chosen=Chosen(Outcome.PLANNED, make_plan(), Verdict(Reason.PLAN_COMPUTED, "Planned.")),
        admission=Admission(1, 1, may_apply=True),
        observed=Observed(live, (one,)),
        plan_hash="new",
        surroundings=wanted,
        gateways=GATEWAYS,
        **fields,
    )


def told(wanted: Surroundings | None, *more: dict[str, Any]) -> tuple[str, str, str] | None:
    document = derive(facts(wanted, *more), Qwen3DeploymentStatus(), NOW)
    conditions = {c["type"]: c for c in document["conditions"]}
    assert conditions["Ready"]["status"] == "True"
    found = conditions.get("Integrated")
    return (found["status"], found["reason"], found["message"]) if found else None


def test_nothing_is_said_where_nothing_was_asked_for() -> None:
    assert told(None) is None
    assert told(Surroundings()) is None


def test_what_is_there_is_in_place() -> None:
    assert told(Surroundings((MONITOR,)), MONITOR) == ("True", "InPlace", "In place: PodMonitor.")


def test_what_is_not_made_yet_is_on_its_way() -> None:
    found = told(Surroundings((MONITOR,)))

    assert found is not None
    assert found[:2] == ("Unknown", "Pending")


def test_a_missing_api_is_named_with_the_fix_and_does_not_make_the_model_unready() -> None:
    found = told(Surroundings((MONITOR,), (Lack(HTTP_ROUTE, "spec.route"),)), MONITOR)

    assert found is not None
    assert found[:2] == ("False", "ApiNotInstalled")
    for words in ("spec.route", "an HTTPRoute", "the Gateway API", "https://gateway-api.sigs"):
        assert words in found[2]


def test_roles_that_leave_an_api_out_are_not_mistaken_for_a_missing_one() -> None:
    lack = Lack(POD_MONITOR, "spec.monitoring", "podmonitors is forbidden")

    found = told(Surroundings((), (lack,)))

    assert found is not None
    assert found[:2] == ("False", "ApiNotAllowed")
    assert "podmonitors is forbidden" in found[2]


def test_a_route_without_a_gateway_is_told_with_the_field_to_fill() -> None:
    found = told(Surroundings(names_no_gateway=True))

    assert found is not None
    assert found[:2] == ("False", "RouteNotAccepted")
    assert "spec.route.parentRefs" in found[2]


def test_what_the_api_server_refuses_around_the_replicas_does_not_make_them_unready() -> None:
    given = facts(Surroundings((MONITOR,)))
    refused = replace(given.observed, refusal_around="Ingress m is taken")

    document = derive(replace(given, observed=refused), Qwen3DeploymentStatus(), NOW)

    conditions = {c["type"]: c for c in document["conditions"]}
    assert conditions["Ready"]["status"] == "True"
    assert conditions["Integrated"]["status"] == "False"
    assert "Ingress m is taken" in conditions["Integrated"]["message"]


def test_a_policy_that_hides_metrics_is_told_with_both_ways_out() -> None:
    found = told(Surroundings((MONITOR,), hides_metrics=True), MONITOR)

    assert found is not None
    assert found[:2] == ("False", "MetricsUnreachable")
    assert "metricsFrom" in found[2]
    assert "prometheusNamespaces" in found[2]


def test_several_troubles_are_told_together_under_the_first_ones_reason() -> None:
    lacks = (Lack(HTTP_ROUTE, "spec.route"), Lack(POD_MONITOR, "spec.monitoring"))

    found = told(Surroundings((), lacks))

    assert found is not None
    assert "HTTPRoute" in found[2]
    assert "PodMonitor" in found[2]


def test_the_endpoint_is_the_routes_once_a_gateway_serves_it() -> None:
    wanted = Surroundings((ROUTE,))
    pending = derive(facts(wanted, ROUTE), Qwen3DeploymentStatus(), NOW)
    served = {**ROUTE, "status": {"parents": [TAKEN]}}

    taken = derive(facts(wanted, served), Qwen3DeploymentStatus(), NOW)

    assert pending["endpoint"] == "http://m.team-a.svc:80/v1"
    assert taken["endpoint"] == "http://m.example.com/v1"
    assert told(wanted, ROUTE) is not None
    assert told(wanted, ROUTE)[1] == "RoutePending"  # type: ignore[index]
    assert told(wanted, served)[:2] == ("True", "InPlace")  # type: ignore[index]


def test_the_endpoint_is_the_ingress_s_where_there_is_no_route() -> None:
    rule = {"host": "m.example.org", "http": {"paths": [{"path": "/"}]}}
    ingress = {"kind": "Ingress", "metadata": {"name": "m"}, "spec": {"rules": [rule]}}

    document = derive(facts(Surroundings((ingress,)), ingress), Qwen3DeploymentStatus(), NOW)

    assert document["endpoint"] == "http://m.example.org/v1"


def test_what_is_missing_is_an_event_once_and_what_waits_is_none() -> None:
    lacking = facts(Surroundings((), (Lack(HTTP_ROUTE, "spec.route"),)))
    before = derive(facts(None), Qwen3DeploymentStatus(), NOW)

    after = derive(lacking, parse_status({"status": before}), NOW)
    waiting = derive(facts(Surroundings((ROUTE,)), ROUTE), parse_status({"status": before}), NOW)

    notes = events(parse_status({"status": before}), after)
    assert [(note.type, note.reason) for note in notes] == [("Warning", "ApiNotInstalled")]
    assert events(parse_status({"status": after}), after) == ()
    assert events(parse_status({"status": before}), waiting) == ()
