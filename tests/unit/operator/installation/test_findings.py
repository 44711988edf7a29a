"""What is said of an installation, whatever was seen of it."""

from __future__ import annotations

from qwen3_operator.installation.findings import (
    Finding,
    LeaseSeen,
    of_definition,
    of_lease,
    of_pods,
    of_rights,
)
from qwen3_operator.installation.looking import known_fields
from qwen3_operator.installation.rights import Right, needed

SERVED = ("qwen3deployments", "qwen3deployments/status", "qwen3deployments/scale")


def test_a_definition_may_know_more_than_this_release() -> None:
    found = of_definition(SERVED, ("spec.a", "spec.b"), ("spec.a",), "")

    assert found == Finding("definition", True, "served, with all 1 fields of this release")  # noqa: FBT003


def test_a_definition_without_scale_does_not_do() -> None:
    found = of_definition(SERVED[:2], ("spec.a",), ("spec.a",), "")

    assert not found.works
    assert "not served: qwen3deployments/scale" in found.text


def test_many_fields_that_lack_are_counted() -> None:
    wanted = [f"spec.f{number}" for number in range(9)]

    found = of_definition(SERVED, (), wanted, "")

    assert "lacks spec.f0, spec.f1, spec.f2, spec.f3, spec.f4 and 4 more;" in found.text


def test_what_could_not_be_read_is_not_taken_to_work() -> None:
    why = "the server could not find the requested resource"

    found = (
        of_definition(SERVED, ("spec.a",), ("spec.a",), why),
        of_rights(3, (), why),
        of_pods({"a": ""}, why),
        of_lease(LeaseSeen("a/b", "me", renewed=True, watched_s=1, problem=why)),
    )

    assert all((one.works, one.text) == (False, why) for one in found)


def test_a_lease_that_nobody_holds_is_not_taken_to_work() -> None:
    found = of_lease(LeaseSeen("a/b", "", renewed=False, watched_s=12.4))

    assert str(found) == "FAIL  lease a/b: nobody held it for 12 s; see the log of the operator"


def test_one_pod_of_two_that_is_not_ready_is_named_with_its_reason() -> None:
    found = of_pods({"a": "", "b": "reads nodes"}, "")

    assert (found.works, found.text) == (False, "not ready: b (reads nodes)")


def test_rights_that_lack_are_named_as_kubectl_would_ask() -> None:
    denied = [Right("serving.qwen3.dev", "qwen3deployments/status", "patch", "team-a")]

    found = of_rights(40, denied, "")

    assert found.text.startswith(
        "1 of 40 are missing: patch qwen3deployments.serving.qwen3.dev/status in team-a;"
    )


def test_kinds_that_a_cluster_lacks_need_no_right() -> None:
    rights = needed(("team-a", "team-b"), ("home", "lease"), {"apps", "coordination.k8s.io"})

    assert {right.group for right in rights} == {"", "apps", "coordination.k8s.io"}
    assert {right.namespace for right in rights} == {"", "team-a", "team-b", "home"}
    assert Right("", "nodes", "list") in rights
    assert Right("apps", "deployments", "patch", "team-b") in rights
    assert Right("coordination.k8s.io", "leases", "update", "home", "lease") in rights


def test_the_fields_of_this_release_are_those_of_its_definition() -> None:
    fields = known_fields()

    assert {"spec", "spec.model.source", "spec.lora.adapters[].name"} & fields == {
        "spec.model.source",
        "spec.lora.adapters[].name",
    }
