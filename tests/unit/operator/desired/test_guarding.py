"""What a user's part of a pod template may ask of nodes and accounts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qwen3_operator.desired.pod_template import make_pod_template
from qwen3_operator.desired.pool import Pool
from qwen3_operator.desired.site import TemplateRules, site_for
from qwen3_operator.errors import SpecError
from qwen3_operator.setting_text import PodLevel
from qwen3_planner.api.conversion import parse
from qwen3_planner.catalog.loading import load_catalog
from support.plan_builders import make_plan
from support.pod_security import violations_of_restricted
from support.template_cases import CASES, TemplateCase

POOL = Pool("H100-SXM-80GB", "nvidia.com/gpu", ())
SITE = site_for({}, load_catalog())
LEVELS = (PodLevel.RESTRICTED, PodLevel.BASELINE, PodLevel.PRIVILEGED)


def made(
    spec: dict[str, Any], rules: TemplateRules | None = None, **of_resource: object
) -> dict[str, Any]:
    site = SITE if rules is None else replace(SITE, template_rules=rules)
    body = {
        "apiVersion": "serving.qwen3.dev/v1alpha1",
        "kind": "Qwen3Deployment",
        "metadata": {"name": "m", "namespace": "ns", "uid": "u"},
        "spec": {
            "model": {"variant": "Qwen3-32B"},
            "podTemplate": {"spec": spec},
            **of_resource,
        },
    }
    return make_pod_template(parse(body), make_plan(), site, POOL)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("level", LEVELS)
def test_a_part_passes_up_to_its_level_and_is_refused_by_name_beyond(
    case: TemplateCase, level: PodLevel
) -> None:
    if LEVELS.index(level) >= LEVELS.index(case.level):
        assert made(case.spec, TemplateRules(level))
        return

    with pytest.raises(SpecError) as caught:
        made(case.spec, TemplateRules(level))

    assert caught.value.field.startswith("spec.podTemplate.spec.")
    assert f"podTemplate.level is {level}" in caught.value.reason
    if case.level == LEVELS[LEVELS.index(level) + 1] or level is PodLevel.BASELINE:
        assert caught.value.field == f"spec.podTemplate.spec.{case.field}"


def test_unless_told_otherwise_the_level_is_baseline() -> None:
    made({"securityContext": {"runAsNonRoot": False}})

    with pytest.raises(SpecError, match="hostNetwork"):
        made({"hostNetwork": True})


def test_a_folder_of_the_node_that_the_settings_allow_is_no_fault_of_the_users_part() -> None:
    cache = {"hostPath": {"path": "/var/lib/models"}}

    template = made({"dnsPolicy": "None"}, TemplateRules(PodLevel.RESTRICTED), cache=cache)

    assert violations_of_restricted(template["spec"]) == ["volume weights is of kind ['hostPath']"]


@pytest.mark.parametrize("field", ["serviceAccountName", "serviceAccount"])
def test_pods_run_as_no_account_that_the_settings_do_not_name(field: str) -> None:
    part = {field: "s3-reader", "automountServiceAccountToken": True}

    with pytest.raises(SpecError, match=r"s3-reader: .*podTemplate\.serviceAccounts") as caught:
        made(part)

    assert caught.value.field == "spec.podTemplate.spec.serviceAccountName"
    for named in ("s3-reader", "*"):
        assert made(part, TemplateRules(accounts=(named,)))["spec"][field] == "s3-reader"
    with pytest.raises(SpecError):
        made(part, TemplateRules(accounts=("other",)))
    assert made({field: "default"})


def test_both_names_of_the_account_are_judged() -> None:
    with pytest.raises(SpecError):
        made({"serviceAccountName": "default", "serviceAccount": "admin"})


def test_apparmor_is_not_switched_off_by_an_annotation() -> None:
    switch = "container.apparmor.security.beta.kubernetes.io/engine"
    metadata = {"annotations": {switch: "unconfined"}}

    with pytest.raises(SpecError, match="unconfined"):
        made({}, podTemplate={"metadata": metadata})


@pytest.mark.parametrize(
    "part",
    [
        {"containers": [{"name": "x", "image": "x", "securityContext": "privileged"}]},
        {"containers": [{"name": "x", "image": "x", "securityContext": {"capabilities": "ALL"}}]},
        {"containers": [{"name": "x", "image": "x", "lifecycle": {"preStop": "now"}}]},
        {"securityContext": {"sysctls": ["kernel.msgmax"]}},
        {"securityContext": {"seLinuxOptions": {"type": ["spc_t"]}}},
        {"ephemeralContainers": [{"name": "x", "securityContext": {"privileged": True}}]},
    ],
)
def test_what_has_no_shape_breaks_nothing_and_gains_nothing(part: dict[str, Any]) -> None:
    """The API server refuses the first; here it must only not end in a traceback."""
    try:
        template = made(part, TemplateRules(PodLevel.RESTRICTED))
    except SpecError:
        return
    assert "privileged" not in str(template["spec"].get("ephemeralContainers"))


@pytest.mark.parametrize(
    ("folders", "path", "allowed"),
    [
        pytest.param((), "/etc", True, id="any where none is named"),
        pytest.param(("/var/lib/models",), "/var/lib/models", True, id="the folder itself"),
        pytest.param(("/var/lib/models",), "/var/lib/models/a", True, id="a folder in it"),
        pytest.param(("/var/lib/models",), "/var/lib/models-of-others", False, id="a neighbour"),
        pytest.param(("/var/lib/models",), "/var/lib", False, id="the folder around it"),
        pytest.param(("/srv", "/data"), "/data/q", True, id="one of several"),
    ],
)
def test_weights_are_kept_in_the_folders_of_nodes_that_are_named(
    folders: tuple[str, ...], path: str, *, allowed: bool
) -> None:
    site = replace(SITE, host_path_folders=folders)

    assert replace(site, allows_host_path=True).allows_folder(path) is allowed
    assert not site.allows_folder(path)
