"""The chart's rules for teams, judged by a real API server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.controlplane import ControlPlane
from support.controlplane.errors import CommandError
from support.resources import resource
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import Binaries

pytestmark = pytest.mark.cluster

CHART = Path(__file__).parents[2] / "charts" / "qwen3-operator"
HOME = "qwen3-system"
COMMIT = "b968826d9c46dd6066d109eabc6255188de91218"
DIGEST = f"sha256:{'0' * 64}"

RULES: dict[str, Any] = {
    "enabled": True,
    "exemptNamespaces": ["lab"],
    "allowedSources": [
        "hf://Qwen/",
        "pvc://models/approved/",
        "oci://registry.example.com/qwen/",
        "pvc://shared/8b",
    ],
    "allowedVariants": ["Qwen3-8B", "Qwen3-0.6B", "Qwen3-4B-Instruct-2507"],
    "allowedAccelerators": ["H100-SXM-80GB", "L4-24GB"],
    "requirePinnedRevisions": True,
    "closedFields": [
        "podTemplate",
        "engine.extraArgs",
        "cache.persistentVolumeClaim.claimName",
    ],
}
LICENCES: dict[str, Any] = {
    "enabled": True,
    "allowedLicences": ["Apache-2.0", "LicenseRef-ours"],
    "publisherLicences": {"my-org": "LicenseRef-ours", "theirs": "LicenseRef-theirs"},
}
SOURCES = f"allowed sources: {', '.join(RULES['allowedSources'])}"
VARIANTS = "allowed variants: Qwen3-8B, Qwen3-0.6B, Qwen3-4B-Instruct-2507"
ACCELERATORS = "allowed accelerators: H100-SXM-80GB, L4-24GB"


def asked(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Build a resource that breaks none of the rules but by what is given."""
    model = {"variant": "Qwen3-8B", "revision": COMMIT, **fields.pop("model", {})}
    if str(model.get("source", "")).startswith(("pvc://", "oci://")):
        del model["revision"]
    body = resource(name="asked")
    body["spec"] = {"model": model, "accelerators": ["L4-24GB"], **fields}
    return body


def adapters(*found: dict[str, Any]) -> dict[str, Any]:
    return asked(lora={"adapters": [{"name": f"a{n}", **one} for n, one in enumerate(found)]})


@pytest.fixture(scope="module")
def cluster(control_plane_binaries: Binaries) -> Iterator[ControlPlane]:
    with ControlPlane(control_plane_binaries) as running:
        for name in (HOME, "lab", "team"):
            running.kubectl("create", "namespace", name)
        install(running, {})
        running.kubectl("apply", "--namespace=team", "-f", "-", input=json.dumps(older()))
        yield running


def older() -> dict[str, Any]:
    """Return what was there before the rules, and breaks every one of them."""
    spec = """
    model: {variant: Qwen3-32B, source: 'hf://elsewhere/Qwen3-32B'}
    accelerators: [T4-16GB]
    engine: {draftModel: Qwen3-1.7B, extraArgs: [-v]}
    lora: {adapters: [{name: a, source: 'hf://elsewhere/a'}]}
    """
    return resource(spec, name="older")


def install(cluster: ControlPlane, policy: dict[str, Any], *options: str) -> None:
    cluster.helm(
        *("upgrade", "--install", "q3", CHART, f"--namespace={HOME}", "--values=-", *options),
        input=json.dumps({"policy": policy}),
    )


@pytest.fixture(scope="module")
def ruled(cluster: ControlPlane) -> ControlPlane:
    install(cluster, RULES)
    await_refusal(cluster, asked(model={"variant": "Qwen3-32B"}))
    return cluster


def complaint(cluster: ControlPlane, body: dict[str, Any], namespace: str = "team") -> str:
    """Return why the API server would refuse a resource; empty where it would not."""
    try:
        cluster.kubectl(
            *("create", "--dry-run=server", f"--namespace={namespace}", "-f", "-"),
            input=json.dumps(body),
        )
    except CommandError as error:
        if "is forbidden: ValidatingAdmissionPolicy 'q3-qwen3-operator-rules'" not in error.stderr:
            raise
        return error.stderr
    return ""


def await_refusal(cluster: ControlPlane, body: dict[str, Any]) -> None:
    """Rules reach the API server's memory a moment after they are written."""
    until(lambda: complaint(cluster, body), 30, "the rules do not hold")


REFUSED = {
    "another organisation": (
        asked(model={"source": "hf://elsewhere/Qwen3-8B"}),
        f"spec.model.source: hf://elsewhere/Qwen3-8B is not allowed; {SOURCES}",
    ),
    "a longer name is another organisation": (
        asked(model={"source": "hf://Qwen2/Qwen3-8B"}),
        "spec.model.source: hf://Qwen2/Qwen3-8B is not allowed",
    ),
    "another hub": (
        asked(model={"source": "modelscope://Qwen/Qwen3-8B"}),
        "spec.model.source: modelscope://Qwen/Qwen3-8B is not allowed",
    ),
    "a longer name is another folder": (
        asked(model={"source": "pvc://shared/8b-mine"}),
        "spec.model.source: pvc://shared/8b-mine is not allowed",
    ),
    "the folder above": (
        asked(model={"source": "pvc://shared"}),
        "spec.model.source: pvc://shared is not allowed",
    ),
    "adapters from elsewhere, each by its name": (
        adapters(
            {"source": "hf://me/a", "revision": COMMIT},
            {"source": "hf://Qwen/a", "revision": COMMIT},
            {"source": "pvc://mine/a"},
        ),
        (
            "spec.lora.adapters[a0].source: hf://me/a, spec.lora.adapters[a2].source: pvc://mine/a"
            f" is not allowed; {SOURCES}"
        ),
    ),
    "an image as cache": (
        asked(cache={"image": {"reference": f"registry.example.com/mine/8b@{DIGEST}"}}),
        f"spec.cache.image.reference: oci://registry.example.com/mine/8b@{DIGEST} is not allowed",
    ),
    "a format whose default is another's": (
        asked(quantization="nvfp4"),
        (
            "spec.model.source: the default source of Qwen3-8B for nvfp4 may not be allowed; name"
            f" spec.model.source, or another spec.engine.name or spec.quantization; {SOURCES}"
        ),
    ),
    "an engine whose default is another's": (
        asked(model={"variant": "Qwen3-4B-Instruct-2507"}, engine={"name": "llamacpp"}),
        "the default source of Qwen3-4B-Instruct-2507 for llamacpp may not be allowed",
    ),
    "an engine that may be chosen": (
        asked(model={"variant": "Qwen3-4B-Instruct-2507"}),
        "the default source of Qwen3-4B-Instruct-2507 for auto may not be allowed",
    ),
    "a format to fall back to": (
        asked(
            engine={"name": "vllm"},
            fallback={"order": ["quantization"], "quantizations": ["fp8", "nvfp4"]},
        ),
        "the default source of Qwen3-8B for nvfp4 may not be allowed",
    ),
    "any format to fall back to": (
        asked(
            model={"variant": "Qwen3-4B-Instruct-2507"},
            quantization="bf16",
            fallback={"order": ["quantization"]},
        ),
        "the default source of Qwen3-4B-Instruct-2507 for auto may not be allowed",
    ),
    "a variant": (
        asked(model={"variant": "Qwen3-32B"}),
        f"spec.model.variant: Qwen3-32B is not allowed; {VARIANTS}",
    ),
    "a draft model": (
        asked(engine={"name": "vllm", "draftModel": "Qwen3-1.7B"}),
        f"spec.engine.draftModel: Qwen3-1.7B is not allowed; {VARIANTS}",
    ),
    "an accelerator": (
        asked(accelerators=["L4-24GB", "T4-16GB"]),
        f"spec.accelerators: T4-16GB is not allowed; {ACCELERATORS}",
    ),
    "any accelerator": (
        asked(accelerators=[]),
        f"spec.accelerators: left out, any may be used; name them; {ACCELERATORS}",
    ),
    "a branch": (
        asked(model={"source": "hf://Qwen/Qwen3-8B", "revision": "main"}),
        (
            "spec.model: hf://Qwen/Qwen3-8B at main is not pinned; revision must be a commit of 40"
            " hexadecimal digits"
        ),
    ),
    "a default without a commit": (
        asked(model={"revision": None}),
        "spec.model: the default source of Qwen3-8B is not pinned",
    ),
    "a short commit": (
        asked(model={"revision": COMMIT[:12]}),
        f"spec.model: the default source of Qwen3-8B at {COMMIT[:12]} is not pinned",
    ),
    "an image by its tag": (
        asked(model={"source": "oci://registry.example.com/qwen/8b:v1"}),
        "spec.model: oci://registry.example.com/qwen/8b:v1 is not pinned",
    ),
    "an adapter without a commit": (
        adapters({"source": "hf://Qwen/a"}),
        "spec.lora.adapters[a0]: hf://Qwen/a is not pinned",
    ),
    "a draft model, whatever its name": (
        asked(engine={"name": "vllm", "draftModel": "Qwen3-0.6B"}),
        "spec.engine.draftModel: Qwen3-0.6B is not pinned",
    ),
    "arguments of the engine": (
        asked(engine={"extraArgs": ["--tokenizer=me/mine"]}),
        "spec.engine.extraArgs: is not for teams here; leave it out",
    ),
    "a claim that somebody filled": (
        asked(cache={"persistentVolumeClaim": {"claimName": "mine"}}),
        "spec.cache.persistentVolumeClaim.claimName: is not for teams here; leave it out",
    ),
    "a pod of one's own": (
        asked(podTemplate={"spec": {"hostNetwork": True}}),
        "spec.podTemplate: is not for teams here; leave it out",
    ),
}

ADMITTED = {
    "the default source": asked(),
    "a source that is allowed": asked(model={"source": "hf://Qwen/Qwen3-8B-FP8"}),
    "a folder that is allowed": asked(model={"source": "pvc://models/approved/8b"}),
    "one folder that is allowed": asked(model={"source": "pvc://shared/8b"}),
    "what is below it": asked(model={"source": "pvc://shared/8b/v2"}),
    "an image that is allowed": asked(
        model={"source": f"oci://registry.example.com/qwen/8b:v1@{DIGEST}#main"}
    ),
    "an image as cache": asked(
        cache={"image": {"reference": f"registry.example.com/qwen/8b@{DIGEST}"}}
    ),
    "an adapter": adapters({"source": "hf://Qwen/a", "revision": COMMIT}),
    "as many adapters as there may be": adapters(
        *({"source": f"hf://Qwen/{'a' * 80}-{n}", "revision": COMMIT} for n in range(32))
    ),
    "a claim that the operator makes": asked(cache={"persistentVolumeClaim": {"size": "1Gi"}}),
    "a slice of a GPU": asked(accelerators=["H100-SXM-80GB-MIG-1g.10gb"]),
    "an engine whose defaults are allowed": asked(
        model={"variant": "Qwen3-4B-Instruct-2507"},
        engine={"name": "vllm", "env": [{"name": "A", "value": "b"}]},
        fallback={"order": ["quantization"]},
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_a_rule_forbids_is_refused_with_what_is_allowed(ruled: ControlPlane, why: str) -> None:
    body, said = REFUSED[why]

    assert said in complaint(ruled, body)


@pytest.mark.parametrize("why", ADMITTED)
def test_what_the_rules_allow_is_admitted(ruled: ControlPlane, why: str) -> None:
    assert complaint(ruled, ADMITTED[why]) == ""


def test_the_api_server_finds_no_fault_with_the_types(ruled: ControlPlane) -> None:
    def judged() -> dict[str, Any] | None:
        policy = ruled.kubectl_json("get", "validatingadmissionpolicy", "q3-qwen3-operator-rules")
        seen = policy.get("status", {})
        current = seen.get("observedGeneration") == policy["metadata"]["generation"]
        return seen if current and "typeChecking" in seen else None

    found = until(judged, 30, "nobody checked the types")

    assert found["typeChecking"] == {}


def test_what_was_there_before_goes_on(ruled: ControlPlane) -> None:
    def patch(spec: dict[str, Any], *options: str) -> None:
        ruled.kubectl(
            *("patch", "q3d", "older", "--namespace=team", "--type=merge", *options),
            f"--patch={json.dumps(spec)}",
        )

    patch({"metadata": {"labels": {"team": "a"}}})
    patch({"status": {"layout": "tp1"}}, "--subresource=status")
    patch({"spec": {"replicas": 2, "maxModelLen": 4096}})
    ruled.kubectl("scale", "q3d", "older", "--namespace=team", "--replicas=3")
    with pytest.raises(CommandError) as caught:
        patch({"spec": {"model": {"source": "hf://elsewhere/other"}}})
    assert "spec.model.source: hf://elsewhere/other is not allowed" in caught.value.stderr
    with pytest.raises(CommandError) as caught:
        patch({"spec": {"accelerators": ["T4-16GB", "A40-48GB"]}})
    assert "spec.accelerators: A40-48GB is not allowed" in caught.value.stderr
    with pytest.raises(CommandError) as caught:
        patch({"spec": {"model": {"source": None}}})
    assert "the default source of Qwen3-32B is not pinned" in caught.value.stderr
    with pytest.raises(CommandError) as caught:
        patch({"spec": {"engine": {"extraArgs": ["-v", "-w"]}}})
    assert "spec.engine.extraArgs: is not for teams here" in caught.value.stderr


def test_an_exempt_namespace_knows_no_rules(ruled: ControlPlane) -> None:
    body, _ = REFUSED["a variant"]

    assert complaint(ruled, body, "team")
    assert not complaint(ruled, body, "lab")


def test_a_release_that_changes_the_rules_changes_them(cluster: ControlPlane) -> None:
    body, said = REFUSED["a variant"]
    install(cluster, RULES)
    await_refusal(cluster, body)

    install(cluster, {**RULES, "allowedVariants": ["Qwen3-32B"]})

    until(lambda: not complaint(cluster, body), 30, "the new list is not heard of")
    until(
        lambda: "allowed variants: Qwen3-32B\n" in complaint(cluster, asked()),
        30,
        "what the new list leaves out is still admitted",
    )
    install(cluster, RULES)
    until(lambda: said in complaint(cluster, body), 30, "the old list does not come back")


WRONG = {
    "no rule": ({}, "no rule is given"),
    "no such variant": (
        {"allowedVariants": ["Qwen3-9B"]},
        "policy.allowedVariants: Qwen3-9B is no variant of the catalog",
    ),
    "no such accelerator": (
        {"allowedAccelerators": ["H100"]},
        "policy.allowedAccelerators: H100 is no accelerator of the catalog",
    ),
    "no such licence": (
        {"allowedLicences": ["MIT"]},
        "no publisher has MIT; known are Apache-2.0, unknown. policy.publisherLicences adds",
    ),
    "an organisation without its slash": (
        {"allowedSources": ["hf://Qwen"]},
        "/policy/allowedSources/0",
    ),
    "two answers to one question": (
        {"validationActions": ["Deny", "Warn"], "allowedVariants": ["Qwen3-8B"]},
        "/policy/validationActions",
    ),
    "no such field": ({"closedFields": ["model"]}, "/policy/closedFields/0"),
}


@pytest.mark.parametrize("why", WRONG)
def test_rules_that_would_not_be_what_they_seem_are_not_rendered(
    cluster: ControlPlane, why: str
) -> None:
    rules, said = WRONG[why]
    values = json.dumps({"policy": {"enabled": True, **rules}})

    with pytest.raises(CommandError) as caught:
        cluster.helm("template", "q3", CHART, "--values=-", input=values)

    assert said in caught.value.stderr


def test_rules_hold_where_the_operator_serves_and_nowhere_else(cluster: ControlPlane) -> None:
    values = json.dumps({"policy": RULES, "watchNamespaces": ["team"]})
    options = ("--values=-", "--show-only=templates/policy.yaml")

    text = cluster.helm("template", "q3", CHART, *options, input=values)

    _, binding = [one for one in yaml.safe_load_all(text) if one]
    assert binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"] == [
        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["lab"]},
        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["team"]},
    ]


def test_rules_may_only_warn(cluster: ControlPlane) -> None:
    body, said = REFUSED["another organisation"]
    install(cluster, {**RULES, "validationActions": ["Warn"]})

    until(lambda: not complaint(cluster, body), 30, "it is still refused")

    with pytest.raises(CommandError) as caught:
        cluster.kubectl(
            *("create", "--dry-run=server", "--namespace=team", "--warnings-as-errors", "-f", "-"),
            input=json.dumps(body),
        )
    assert "Warning: Validation failed for ValidatingAdmissionPolicy" in caught.value.stderr
    assert said in caught.value.stderr


def test_licences_are_the_publishers(cluster: ControlPlane) -> None:
    def said_of(source: str, **fields: object) -> str:
        return complaint(cluster, asked(model={"source": source}, **fields))

    install(cluster, LICENCES)
    unknown = "is unknown or not allowed; allowed licences: Apache-2.0, LicenseRef-ours"
    await_refusal(cluster, asked(model={"source": "hf://elsewhere/Qwen3-8B"}))

    for source in ("hf://elsewhere/q", "hf://theirs/q", "modelscope://theirs/q", "pvc://models/q"):
        assert f"spec.model.source: the licence of {source} {unknown}" in said_of(source)
    for source in ("hf://Qwen/q", "modelscope://Qwen/q", "hf://my-org/q"):
        assert not said_of(source)
    assert not complaint(cluster, asked())
    assert "the licence of the default source of Qwen3-8B for nvfp4 may be unknown" in complaint(
        cluster, asked(quantization="nvfp4")
    )
    adapter = {"source": "hf://theirs/a"}
    assert f"spec.lora.adapters[a0].source: the licence of hf://theirs/a {unknown}" in complaint(
        cluster, adapters(adapter)
    )

    install(cluster, {**LICENCES, "allowedLicences": ["LicenseRef-ours", "unknown"]})
    until(lambda: not said_of("pvc://models/q"), 30, "unknown licences are still refused")
    assert not said_of("hf://elsewhere/q")
    assert "the licence of hf://theirs/q" in said_of("hf://theirs/q")
    assert "the licence of hf://Qwen/q" in said_of("hf://Qwen/q")
    assert not complaint(cluster, asked(quantization="nvfp4"))
    assert "the licence of the default source" in complaint(cluster, asked())


def test_without_the_policy_nothing_is_left_of_it(cluster: ControlPlane) -> None:
    install(cluster, RULES)

    install(cluster, {})

    kinds = "validatingadmissionpolicies,validatingadmissionpolicybindings"
    assert "q3-" not in cluster.kubectl("get", kinds, "--output=name")
