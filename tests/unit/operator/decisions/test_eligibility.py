"""Nodes are judged as kube-scheduler judges them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qwen3_operator.decisions.eligibility import belongs_to, may_run_on, selector_of
from qwen3_operator.observed import Taint
from support.values import node

LABELS = {"zone": "a", "memory": "81559", "empty": "", "text": "many"}
NODE = node("n1", labels=LABELS)


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    required = {"nodeSelectorTerms": list(terms)}
    return {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    }


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("term", "matches"),
    [
        pytest.param(expression("zone", "In", "b", "a"), True, id="In takes any of its values"),
        pytest.param(expression("zone", "In", "b"), False, id="In refuses other values"),
        pytest.param(expression("gone", "In", "a"), False, id="In needs the label"),
        pytest.param(expression("empty", "In", ""), True, id="an empty value is a value"),
        pytest.param(expression("zone", "NotIn", "b"), True, id="NotIn takes other values"),
        pytest.param(expression("zone", "NotIn", "a", "b"), False, id="NotIn refuses its values"),
        pytest.param(expression("gone", "NotIn", "a"), True, id="NotIn needs no label"),
        pytest.param(expression("zone", "Exists"), True, id="Exists sees the label"),
        pytest.param(expression("gone", "Exists"), False, id="Exists misses the label"),
        pytest.param(expression("gone", "DoesNotExist"), True, id="DoesNotExist"),
        pytest.param(expression("zone", "DoesNotExist"), False, id="DoesNotExist sees it"),
        pytest.param(expression("memory", "Gt", "81558"), True, id="Gt compares as numbers"),
        pytest.param(expression("memory", "Gt", "81559"), False, id="Gt is strict"),
        pytest.param(expression("memory", "Gt", "9"), True, id="Gt does not compare as text"),
        pytest.param(expression("memory", "Lt", "81560"), True, id="Lt compares as numbers"),
        pytest.param(expression("memory", "Lt", "81559"), False, id="Lt is strict"),
        pytest.param(expression("text", "Gt", "1"), False, id="Gt needs a number on the node"),
        pytest.param(expression("memory", "Gt", "many"), False, id="Gt needs a number"),
        pytest.param(expression("memory", "Gt", "1", "2"), False, id="Gt takes one value"),
        pytest.param(expression("gone", "Lt", "5"), False, id="Lt needs the label"),
        pytest.param(expression("memory", "Lt", str(2**63)), False, id="beyond 64 bits"),
        pytest.param(expression("zone", "Near", "a"), False, id="an unknown operator"),
        pytest.param({}, False, id="an empty term matches no node"),
        pytest.param({"matchExpressions": []}, False, id="a term of nothing matches no node"),
        pytest.param(
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]},
            True,
            id="a field by its value",
        ),
        pytest.param(
            {"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["n1"]}]},
            False,
            id="a field against its value",
        ),
        pytest.param(
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1", "n2"]}]},
            False,
            id="a field takes one value",
        ),
        pytest.param(
            {
                **expression("zone", "In", "a"),
                "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}],
            },
            False,
            id="expressions and fields must all hold",
        ),
    ],
)
def test_a_term_matches_as_in_the_scheduler(term: dict[str, Any], *, matches: bool) -> None:
    assert may_run_on(selector_of(affinity(term)), NODE) is matches


def test_one_term_is_enough_and_empty_ones_do_not_count() -> None:
    wrong, right = expression("zone", "In", "b"), expression("zone", "In", "a")

    assert may_run_on(selector_of(affinity({}, wrong, right)), NODE)
    assert not may_run_on(selector_of(affinity({}, wrong)), NODE)


def test_all_comparisons_of_a_term_must_hold() -> None:
    both = {
        "matchExpressions": [
            {"key": "zone", "operator": "In", "values": ["a"]},
            {"key": "gone", "operator": "Exists"},
        ]
    }

    assert not may_run_on(selector_of(affinity(both)), NODE)


def test_node_selector_and_affinity_must_both_hold() -> None:
    spec = {"nodeSelector": {"zone": "b"}, **affinity(expression("zone", "In", "a"))}

    assert not may_run_on(selector_of(spec), NODE)
    assert may_run_on(selector_of({**spec, "nodeSelector": {"zone": "a"}}), NODE)


def test_preferred_affinity_rules_no_node_out() -> None:
    preferred = {
        "affinity": {
            "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "preference": expression("zone", "In", "b")}
                ]
            }
        }
    }

    assert may_run_on(selector_of(preferred), NODE)


TAINT = Taint("gpu", "yes", "NoSchedule")


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        pytest.param({"key": "gpu", "operator": "Exists"}, True, id="Exists takes any value"),
        pytest.param({"key": "gpu", "value": "yes"}, True, id="no operator is Equal"),
        pytest.param({"key": "gpu", "operator": "Equal", "value": "no"}, False, id="Equal"),
        pytest.param({"key": "gpu"}, False, id="Equal to nothing"),
        pytest.param({"operator": "Exists"}, True, id="no key takes every taint"),
        pytest.param({"key": "other", "operator": "Exists"}, False, id="another key"),
        pytest.param(
            {"key": "gpu", "operator": "Exists", "effect": "NoExecute"}, False, id="another effect"
        ),
        pytest.param(
            {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}, True, id="the effect"
        ),
        pytest.param(
            {"key": "gpu", "operator": "Gt", "value": "1"}, False, id="off by default: Gt and Lt"
        ),
    ],
)
def test_a_taint_is_tolerated_as_in_the_scheduler(
    toleration: dict[str, str], *, tolerated: bool
) -> None:
    tainted = replace(NODE, taints=(TAINT,))

    assert may_run_on(selector_of({"tolerations": [toleration]}), tainted) is tolerated


@pytest.mark.parametrize(
    ("effect", "repels"),
    [("NoSchedule", True), ("NoExecute", True), ("PreferNoSchedule", False)],
)
def test_only_hard_effects_repel(effect: str, *, repels: bool) -> None:
    tainted = replace(NODE, taints=(Taint("k", "v", effect),))

    assert may_run_on(selector_of({}), tainted) is not repels


def test_every_taint_must_be_tolerated() -> None:
    tainted = replace(NODE, taints=(TAINT, Taint("team", "b", "NoSchedule")))

    one = {"tolerations": [{"key": "gpu", "operator": "Exists"}]}

    assert not may_run_on(selector_of(one), tainted)


def test_a_cordoned_node_takes_no_pods_but_is_hardware_all_the_same() -> None:
    taint = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
    cordoned = replace(NODE, schedulable=False, taints=(taint,))

    assert not may_run_on(selector_of({}), cordoned)
    assert belongs_to(selector_of({}), cordoned)


def test_a_node_set_apart_for_others_is_no_hardware_of_ours() -> None:
    apart = replace(NODE, taints=(Taint("team", "b", "NoSchedule"),))

    assert not belongs_to(selector_of({}), apart)
    assert not belongs_to(selector_of({"nodeSelector": {"zone": "b"}}), NODE)
