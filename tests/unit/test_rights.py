"""The chart's roles: little, named one by one, each with its reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.scripts import load_script

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "charts" / "qwen3-operator" / "templates"
RENDERED = sorted((ROOT / "tests" / "golden" / "chart").glob("*.out.yaml"))
ROLES = [
    pytest.param(one, id=f"{path.name.split('.')[0]}-{one['kind']}-{one['metadata']['name']}")
    for path in RENDERED
    for one in yaml.safe_load_all(path.read_text("utf-8"))
    if one and one["kind"] in {"ClusterRole", "Role"}
]

NEVER = {
    "certificatesigningrequests",
    "clusterrolebindings",
    "clusterroles",
    "mutatingwebhookconfigurations",
    "nodes/proxy",
    "persistentvolumes",
    "pods/attach",
    "pods/binding",
    "pods/ephemeralcontainers",
    "pods/eviction",
    "pods/exec",
    "pods/log",
    "pods/portforward",
    "pods/proxy",
    "rolebindings",
    "roles",
    "secrets",
    "serviceaccounts",
    "serviceaccounts/token",
    "services/proxy",
    "tokenreviews",
    "users",
    "validatingadmissionpolicies",
    "validatingwebhookconfigurations",
}
"""What turns some rights into all of them (https://kubernetes.io/docs/concepts/security/
rbac-good-practices/, read 2026-11-23), and what an operator of ours has no use for."""

NEVER_VERBS = {"approve", "bind", "deletecollection", "escalate", "impersonate", "sign", "use"}


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return load_script("rights_page")


def is_for_users(role: dict[str, Any]) -> bool:
    return any("aggregate-to" in label for label in role["metadata"]["labels"])


def test_there_are_roles_to_judge() -> None:
    assert len(ROLES) > 10


@pytest.mark.parametrize("role", ROLES)
def test_a_role_names_all_it_allows_and_nothing_that_leads_further(role: dict[str, Any]) -> None:
    for rule in role["rules"]:
        assert set(rule) <= {"apiGroups", "resources", "verbs", "resourceNames"}
        names = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        assert not [name for name in names if "*" in name]
        assert not NEVER & set(rule["resources"])
        if not is_for_users(role):
            assert not NEVER_VERBS & set(rule["verbs"])
        if "pods" in rule["resources"]:
            assert not {"create", "update"} & set(rule["verbs"])


@pytest.mark.parametrize("role", [one for one in ROLES if is_for_users(one.values[0])])
def test_what_users_get_is_about_models_alone(role: dict[str, Any]) -> None:
    viewed = "rbac.authorization.k8s.io/aggregate-to-view" in role["metadata"]["labels"]
    for rule in role["rules"]:
        assert rule["apiGroups"] == ["serving.qwen3.dev"]
        writes = set(rule["verbs"]) - {"get", "list", "watch"}
        if viewed:
            assert not writes
        if writes:
            assert set(rule["resources"]) == {"qwen3deployments", "qwen3deployments/scale"}


def test_in_named_namespaces_the_role_of_the_whole_cluster_only_reads(page: ModuleType) -> None:
    rights = page.rendered_rights()["In the whole cluster"]

    assert {verb for _, verb in rights} == {"list", "watch"}
    assert "configmaps" not in {resource for resource, _ in rights}


def test_each_right_has_its_reason_and_each_reason_its_right(page: ModuleType) -> None:
    rights = page.rendered_rights()

    page.check(rights)

    more = {
        title: found | {("secrets", "get")} if "served" in title else found
        for title, found in rights.items()
    }
    with pytest.raises(ValueError, match=r"no reason for \[\('secrets', 'get'\)\]"):
        page.check(more)


def test_each_rule_of_the_template_has_its_comment() -> None:
    text = (TEMPLATES / "rbac.yaml").read_text("utf-8")

    rules = re.split(r"^- (?=apiGroups:)", text, flags=re.MULTILINE)[1:]

    assert len(rules) > 20
    for rule in rules:
        own = re.split(r"^(?:\{\{|---)", rule, maxsplit=1, flags=re.MULTILINE)[0]
        assert "#" in own, own
