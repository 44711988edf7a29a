"""What the operator's ServiceAccount may do, as the API server itself says: the page, no more."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane.errors import CommandError
from support.operator import Installation, install
from support.scripts import load_script

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from support.controlplane import ControlPlane

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
SERVED, OTHER = "team-served", "team-other"
ALL = "--all-namespaces"
READS = ("get", "list", "watch")

CLASSICS = (
    *product(READS, ["secrets"]),
    *product(("create", "update", "patch", "delete"), ["secrets", "serviceaccounts"]),
    ("create", "pods"),
    ("create", "pods/exec"),
    ("get", "pods/exec"),
    ("create", "pods/attach"),
    ("create", "pods/portforward"),
    ("get", "pods/log"),
    ("update", "pods/ephemeralcontainers"),
    ("create", "pods/eviction"),
    ("get", "nodes/proxy"),
    ("create", "nodes/proxy"),
    ("patch", "nodes"),
    ("create", "serviceaccounts/token"),
    ("impersonate", "serviceaccounts"),
    ("impersonate", "users"),
    ("impersonate", "groups"),
    *product(("bind", "escalate", "create", "patch"), ["clusterroles.rbac.authorization.k8s.io"]),
    *product(("bind", "escalate", "create", "patch"), ["roles.rbac.authorization.k8s.io"]),
    ("create", "clusterrolebindings.rbac.authorization.k8s.io"),
    ("create", "rolebindings.rbac.authorization.k8s.io"),
    ("approve", "signers.certificates.k8s.io"),
    ("create", "persistentvolumes"),
    ("create", "validatingwebhookconfigurations.admissionregistration.k8s.io"),
    ("create", "mutatingwebhookconfigurations.admissionregistration.k8s.io"),
    ("patch", "customresourcedefinitions.apiextensions.k8s.io"),
    ("create", "tokenreviews.authentication.k8s.io"),
)
"""How others became more than they were."""


@pytest.fixture(scope="module")
def namespaces(control_plane: ControlPlane) -> Iterator[None]:
    """Make a namespace that is served, and one that is not."""
    control_plane.kubectl("create", "namespace", SERVED)
    control_plane.kubectl("create", "namespace", OTHER)
    yield
    control_plane.kubectl("delete", "namespace", SERVED, OTHER, "--wait=false")


@pytest.fixture(scope="module", params=["cluster-wide", "namespaced"])
def installed(
    control_plane: ControlPlane,
    namespaces: None,  # noqa: ARG001 - a Role is made in one of them
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Installation:
    """Install one after the other: their cluster roles have the same name."""
    folder = tmp_path_factory.mktemp("rights")
    if request.param == "cluster-wide":
        return install(control_plane, folder, "wide-system")
    return install(control_plane, folder, "narrow-system", [SERVED])


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return load_script("rights_page")


def can_i(cluster: ControlPlane, user: str, verb: str, what: str, *where: str) -> bool:
    """Ask as `kubectl auth can-i` does; its exit code says no, its words on stderr are advice."""
    kind, _, subresource = what.partition("/")
    options = [f"--as={user}", *where]
    if subresource:
        options.append(f"--subresource={subresource}")
    try:
        return cluster.kubectl("auth", "can-i", verb, kind, *options).strip() == "yes"
    except CommandError as error:
        if error.stdout.strip() != "no":
            raise
        return False


@pytest.mark.parametrize("verb", READS)
def test_it_reads_no_secret_anywhere(
    control_plane: ControlPlane, installed: Installation, verb: str
) -> None:
    for name in (SERVED, OTHER, installed.namespace, "kube-system"):
        assert not can_i(control_plane, installed.user, verb, "secrets", f"--namespace={name}")
    assert not can_i(control_plane, installed.user, verb, "secrets", ALL)


def test_no_right_of_it_leads_to_further_ones(
    control_plane: ControlPlane, installed: Installation
) -> None:
    asked = [
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": installed.user,
                "groups": ["system:serviceaccounts", "system:authenticated"],
                "resourceAttributes": {
                    "verb": verb,
                    "group": what.split("/")[0].partition(".")[2],
                    "resource": what.split("/")[0].partition(".")[0],
                    "subresource": what.partition("/")[2],
                    "namespace": namespace,
                },
            },
        }
        for verb, what in (*CLASSICS, ("list", "nodes"))
        for namespace in (SERVED, installed.namespace, "")
    ]

    answers = reviewed(control_plane, asked)

    assert len(answers) == len(asked)
    allowed = [one["spec"]["resourceAttributes"] for one in answers if one["status"]["allowed"]]
    assert {(one["verb"], one["resource"]) for one in allowed} == {("list", "nodes")}


def test_the_question_would_be_answered_yes_for_who_may(control_plane: ControlPlane) -> None:
    """Otherwise the tests above could not fail."""
    assert can_i(control_plane, "admin", "get", "secrets", ALL, "--as-group=system:masters")
    assert not can_i(control_plane, "nobody", "get", "secrets", ALL)


def test_what_it_may_do_is_what_the_page_says(
    control_plane: ControlPlane, installed: Installation, page: ModuleType
) -> None:
    everywhere, served, home, _ = page.rendered_rights().values()
    elsewhere = frozenset() if installed.watched else served

    assert rights_in(control_plane, installed.user, SERVED) == everywhere | served
    assert rights_in(control_plane, installed.user, OTHER) == everywhere | elsewhere
    own = rights_in(control_plane, installed.user, installed.namespace)
    assert own == everywhere | elsewhere | home


def rights_in(cluster: ControlPlane, user: str, namespace: str) -> set[tuple[str, str]]:
    """Return (resource, verb) of all that a user may do there, but for what every account may."""
    any_account = "system:serviceaccount:default:default"
    mine, theirs = (_rules(cluster, who, namespace) for who in (user, any_account))
    return mine - theirs


def _rules(cluster: ControlPlane, user: str, namespace: str) -> set[tuple[str, str]]:
    question = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    (answer,) = reviewed(cluster, [question], f"--as={user}")
    assert not answer["status"]["incomplete"]
    return {
        (f"{group}/{resource}" if group else resource, verb)
        for rule in answer["status"]["resourceRules"]
        for group, resource, verb in product(rule["apiGroups"], rule["resources"], rule["verbs"])
    }


def reviewed(
    cluster: ControlPlane, questions: list[dict[str, Any]], *options: str
) -> list[dict[str, Any]]:
    """Ask the API server; the answers in the order of the questions."""
    asked = json.dumps({"apiVersion": "v1", "kind": "List", "items": questions})
    text = cluster.kubectl("create", "-f", "-", "-o", "json", *options, input=asked)
    decoder, answers, at = json.JSONDecoder(), [], 0
    while at < len(text.rstrip()):
        answer, at = decoder.raw_decode(text, at)
        answers += answer["items"] if answer["kind"] == "List" else [answer]
        while at < len(text) and text[at].isspace():
            at += 1
    return answers
