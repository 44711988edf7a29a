"""Parts of the children, where a golden pair would only show one case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator import desired
from qwen3_operator.desired.environment import make_env
from qwen3_operator.desired.hashing import template_hash
from qwen3_operator.desired.labels import child, label_value, selector
from qwen3_operator.desired.placement import make_placement
from qwen3_operator.desired.pod_template import make_pod_template
from qwen3_operator.desired.pool import Pool
from qwen3_operator.desired.probes import make_probes, progress_deadline_s, startup_budget_s
from qwen3_operator.desired.resources import make_resources
from qwen3_operator.desired.shutdown import (
    drain_s,
    grace_period_s,
    make_drain_arguments,
    pre_stop_s,
)
from qwen3_operator.desired.site import Site, site_for
from qwen3_operator.quantities import parse as amount
from qwen3_planner.api.conversion import parse
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.plan import Layout
from support.plan_builders import make_memory, make_plan

if TYPE_CHECKING:
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

POOL = Pool(
    "H100-SXM-80GB", "nvidia.com/gpu", (("nvidia.com/gpu.product", "In", ("NVIDIA-H100",)),)
)
SITE = site_for({}, load_catalog())
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def resource(**spec: object) -> Qwen3Deployment:
    return parse(
        {
            "apiVersion": "serving.qwen3.dev/v1alpha1",
            "kind": "Qwen3Deployment",
            "metadata": {"name": "m", "namespace": "ns", "uid": "u"},
            "spec": {"model": {"variant": "Qwen3-32B"}, **spec},
        }
    )


# -- the hash ---------------------------------------------------------------------------------


def test_the_number_of_replicas_moves_no_pod() -> None:
    few, many = (desired.children(resource(), make_plan(), SITE, n, POOL)[0] for n in (1, 9))

    assert few["spec"]["template"] == many["spec"]["template"]


def test_replicas_can_be_changed_afterwards() -> None:
    made = desired.children(resource(), make_plan(), SITE, 1, POOL)

    assert [child["spec"] for child in desired.with_replicas(made, 3)] == [
        child["spec"] for child in desired.children(resource(), make_plan(), SITE, 3, POOL)
    ]


def test_the_hash_is_that_of_the_template_it_is_in() -> None:
    template = make_pod_template(resource(), make_plan(), SITE, POOL)

    assert template["metadata"]["labels"]["serving.qwen3.dev/plan-hash"] == template_hash(template)


@pytest.mark.parametrize(
    "changed",
    [
        {"plan": make_plan(command=("vllm", "serve", "Qwen/Qwen3-32B", "--enforce-eager"))},
        {"plan": make_plan(env=(("VLLM_USE_DEEP_GEMM", "0"),))},
        {"resource": resource(nodeSelector={"zone": "a"})},
        {"pool": replace(POOL, requirements=())},
    ],
    ids=["command", "environment", "placement", "pool"],
)
def test_whatever_changes_the_template_changes_the_hash(changed: dict[str, Any]) -> None:
    given = {"resource": resource(), "plan": make_plan(), "pool": POOL, **changed}

    before = make_pod_template(resource(), make_plan(), SITE, POOL)
    after = make_pod_template(given["resource"], given["plan"], SITE, given["pool"])

    assert template_hash(before) != template_hash(after)


def test_what_the_plan_says_beside_the_pods_moves_none() -> None:
    before = make_pod_template(resource(), make_plan(), SITE, POOL)
    after = make_pod_template(
        resource(service={"port": 80}), make_plan(warnings=("w",), usd_per_hour=3.0), SITE, POOL
    )

    assert before == after


# -- labels -----------------------------------------------------------------------------------


def test_pods_are_found_by_labels_that_never_change() -> None:
    old, new = make_plan(engine_version="0.31.0"), make_plan(variant="Qwen3-8B")

    for plan in (old, new):
        assert selector("m").items() <= child("m", plan).items()


@pytest.mark.parametrize("text", ["0.32.0+cu129", "x" * 80, "-odd-", "Größe", ""])
def test_every_label_value_is_legal_and_tells_texts_apart(text: str) -> None:
    value = label_value(text)

    assert len(value) <= 63
    assert value == "" or (value[0].isalnum() and value[-1].isalnum() and value.isascii())
    assert label_value(text + "y") != value


# -- time -------------------------------------------------------------------------------------


def test_a_larger_model_may_load_for_longer_and_a_claim_needs_no_download() -> None:
    small = make_plan(memory=make_memory(checkpoint_bytes=2**30))
    large = make_plan(memory=make_memory(checkpoint_bytes=2**38))
    on_claim = replace(large, source="pvc://weights/x")

    assert (
        startup_budget_s(resource(), small)
        < startup_budget_s(resource(), on_claim)
        < startup_budget_s(resource(), large)
    )
    assert progress_deadline_s(resource(), large) > startup_budget_s(resource(), large)


def test_the_startup_probe_covers_the_whole_budget() -> None:
    plan = make_plan(memory=make_memory(checkpoint_bytes=123_456_789_012))
    probe = make_probes(resource(), plan)["startupProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] >= startup_budget_s(resource(), plan)


@pytest.mark.parametrize(
    "arguments",
    [[], ["--shutdown-timeout", "300"], ["--shutdown-timeout=5"], ["--shutdown_timeout=7"]],
)
@pytest.mark.parametrize("version", ["0.11.0", "0.32.0"])
def test_the_grace_period_covers_hook_and_drain(arguments: list[str], version: str) -> None:
    plan = make_plan(engine_version=version)

    assert grace_period_s(plan, arguments) > pre_stop_s(plan) + drain_s(plan, arguments)


@pytest.mark.parametrize(
    ("version", "given", "expected"),
    [
        ("0.32.0", [], ["--shutdown-timeout", "60"]),
        ("0.32.0", ["--shutdown-timeout=5"], []),
        ("0.32.0", ["--shutdown_timeout", "5"], []),
        ("0.11.0", [], []),
    ],
)
def test_the_drain_flag_is_added_where_it_exists_and_nobody_gave_it(
    version: str, given: list[str], expected: list[str]
) -> None:
    assert make_drain_arguments(make_plan(engine_version=version), given) == expected


# -- resources --------------------------------------------------------------------------------


def test_gpus_are_requested_and_limited_alike_and_shared_memory_counts() -> None:
    made = make_resources(resource(), make_plan(), POOL)

    assert made["requests"]["nvidia.com/gpu"] == made["limits"]["nvidia.com/gpu"] == "2"
    assert amount(made["limits"]["memory"]) > make_plan().memory.host_bytes
    assert "cpu" not in made["limits"]


@pytest.mark.parametrize(
    "own",
    [
        {"requests": {"memory": "99Gi"}},
        {"limits": {"memory": "1Gi"}},
        {"limits": {"cpu": 1}},
        {"requests": {"cpu": 2, "memory": "1Gi"}, "limits": {"cpu": 3}},
        {"requests": {"ephemeral-storage": "1Gi"}},
    ],
    ids=str,
)
def test_no_request_is_above_its_limit_whatever_the_user_gives(own: dict[str, Any]) -> None:
    made = make_resources(resource(resources=own), make_plan(), POOL)

    for name, limit in made["limits"].items():
        assert amount(made["requests"][name]) <= amount(limit), name
    for kind, given in own.items():
        assert given.items() <= made[kind].items()


# -- environment and arguments ----------------------------------------------------------------


def names(plan_env: tuple[tuple[str, str], ...] = (), **spec: object) -> dict[str, Any]:
    env = make_env(resource(**spec), make_plan(env=plan_env), SITE)
    assert len({variable["name"] for variable in env}) == len(env)
    return {variable["name"]: variable for variable in env}


def test_what_the_user_sets_wins_over_the_plan_and_us() -> None:
    own = [{"name": "HOME", "value": "/mine"}, {"name": "FLAG", "value": "mine"}]

    env = names((("FLAG", "planned"), ("OTHER", "planned")), engine={"env": own})

    assert [env[name]["value"] for name in ("HOME", "FLAG", "OTHER")] == [
        "/mine",
        "mine",
        "planned",
    ]


def test_the_api_key_has_one_source() -> None:
    own = [{"name": "VLLM_API_KEY", "value": "open sesame"}]

    env = names(engine={"env": own}, apiKeySecretRef={"name": "keys"})

    assert env["VLLM_API_KEY"] == {
        "name": "VLLM_API_KEY",
        "valueFrom": {"secretKeyRef": {"name": "keys", "key": "api-key"}},
    }


def test_a_user_without_a_name_can_start_python_and_torch() -> None:
    env = names()

    assert {"HOME", "USER", "LOGNAME"} <= set(env)


def test_planned_arguments_are_meant_to_the_letter() -> None:
    plan = make_plan(command=("vllm", "serve", "m", "--hf-overrides", '{"a": "$(HOME)"}'))
    template = make_pod_template(resource(engine={"extraArgs": ["--x=$(HOME)"]}), plan, SITE, POOL)

    arguments = template["spec"]["containers"][0]["args"]

    assert '{"a": "$$(HOME)"}' in arguments
    assert arguments[-1] == "--x=$(HOME)"


# -- placement --------------------------------------------------------------------------------


def test_a_term_that_matches_nothing_stays_one() -> None:
    affinity = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": []}]}}}

    fields = make_placement(resource(affinity=affinity), POOL)

    assert fields["affinity"] == affinity


def test_the_pool_narrows_every_term() -> None:
    terms = [
        {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
        {"matchExpressions": [{"key": "b", "operator": "Exists"}]},
        {},
    ]
    affinity = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}

    made = make_placement(resource(affinity=affinity), POOL)["affinity"]

    told = made["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert [[e["key"] for e in term["matchExpressions"]] for term in told] == [
        ["a", "nvidia.com/gpu.product"],
        ["b", "nvidia.com/gpu.product"],
    ]


def test_without_a_pool_every_kind_of_gpu_node_is_tolerated() -> None:
    keys = [toleration["key"] for toleration in make_placement(resource(), None)["tolerations"]]

    assert keys == ["nvidia.com/gpu", "amd.com/gpu"]


def test_a_pool_without_labels_adds_no_affinity() -> None:
    assert "affinity" not in make_placement(resource(), replace(POOL, requirements=()))


# -- images -----------------------------------------------------------------------------------


def test_an_image_is_the_users_then_the_installations_then_the_catalogs() -> None:
    plan = make_plan()
    ours = site_for({"vllm": "mirror.local/vllm:{version}"}, load_catalog())
    own = resource(engine={"version": "0.32.0", "image": "mine:1"})

    def image(of: Qwen3Deployment, site: Site) -> str:
        return str(make_pod_template(of, plan, site, POOL)["spec"]["containers"][0]["image"])

    assert image(resource(), SITE) == "vllm/vllm-openai:v0.32.0"
    assert image(resource(), ours) == "mirror.local/vllm:0.32.0"
    assert image(own, ours) == "mine:1"


def test_an_accelerator_without_an_image_is_an_error_that_names_it() -> None:
    on_a_mac = make_plan(accelerator="Apple-M2-8GB", layout=Layout())

    with pytest.raises(LookupError, match="no image is known for vllm on apple"):
        SITE.image(on_a_mac)


def on_amd(version: str) -> Plan:
    return make_plan(engine_version=version, accelerator="MI300X-192GB", layout=Layout())


def test_amds_gpus_have_an_image_of_their_own_from_the_version_that_brought_it() -> None:
    assert SITE.image(on_amd("0.32.0")) == "vllm/vllm-openai-rocm:v0.32.0"
    with pytest.raises(LookupError, match=r"vllm 0[.]13[.]0 on amd, only from 0[.]14[.]1 on"):
        SITE.image(on_amd("0.13.0"))


@pytest.mark.parametrize(
    ("version", "build"),
    [
        ("0.4.10", "rocm630-mi30x"),
        ("0.5.8.post1", "rocm700-mi30x"),
        ("0.5.12.post1", "rocm720-mi30x"),
        ("0.5.19", "rocm700-mi30x"),
        ("0.5.23", "rocm10-mi30x"),
    ],
)
def test_sglangs_image_for_amd_carries_the_rocm_of_its_version(version: str, build: str) -> None:
    plan = make_plan(
        engine="sglang", engine_version=version, accelerator="MI325X-256GB", layout=Layout()
    )

    assert SITE.image(plan) == f"lmsysorg/sglang:v{version}-{build}"


def test_an_image_for_cpus_is_that_of_every_architecture_or_the_installations_own() -> None:
    plan = make_plan(
        engine="llamacpp",
        engine_version="b11549",
        accelerator="CPU-arm64-7.5GB",
        layout=Layout(),
    )
    images = {"llamacpp/generic": "mirror.local/llama:{version}-{arch}"}

    assert SITE.image(plan, "arm64") == "ghcr.io/ggml-org/llama.cpp:server-b11549"
    assert (
        site_for(images, load_catalog()).image(plan, "arm64") == "mirror.local/llama:b11549-arm64"
    )


def test_an_unknown_gpu_runs_nvidias_image() -> None:
    plan = make_plan(accelerator="RTX-9090-64GB", layout=Layout())

    assert SITE.image(plan) == "vllm/vllm-openai:v0.32.0"


ON_CPU = Pool("CPU-arm64-8GB", "", (("kubernetes.io/arch", "In", ("arm64",)),), cores=3)


@pytest.mark.parametrize(
    ("own", "extra", "cpu", "threads"),
    [
        (None, [], "3", ["--threads", "3"]),
        ({"requests": {"cpu": "1500m"}}, [], "1500m", ["--threads", "1"]),
        ({"requests": {"cpu": 2}}, ["-t", "4"], 2, []),
    ],
)
def test_on_a_cpu_as_many_threads_compute_as_cores_are_asked_for(
    own: dict[str, Any] | None, extra: list[str], cpu: object, threads: list[str]
) -> None:
    spec = {"engine": {"name": "llamacpp", "extraArgs": extra}}
    wanted = resource(**spec, **({"resources": own} if own else {}))
    plan = make_plan(engine="llamacpp", engine_version="b11549", accelerator="CPU-arm64-8GB")

    container = make_pod_template(wanted, plan, SITE, ON_CPU)["spec"]["containers"][0]

    assert container["resources"]["requests"]["cpu"] == cpu
    assert "nvidia.com/gpu" not in container["resources"]["requests"]
    given = container["args"].index("--threads") if "--threads" in container["args"] else None
    assert (container["args"][given : given + 2] if given is not None else []) == threads


def test_an_installations_image_may_be_for_one_vendor() -> None:
    images = {"vllm/amd": "mirror.local/rocm:{version}", "vllm": "mirror.local/vllm:{version}"}
    site = site_for(images, load_catalog())

    assert site.image(make_plan()) == "mirror.local/vllm:0.32.0"
    assert site.image(on_amd("0.13.0")) == "mirror.local/rocm:0.13.0"


def test_pods_on_amds_gpus_join_the_groups_that_may_open_them() -> None:
    site = replace(SITE, amd_groups=(44, 109))
    amd = Pool("MI300X-192GB", "amd.com/gpu", ())

    def groups(pool: Pool) -> object:
        template = make_pod_template(resource(), make_plan(), site, pool)
        return template["spec"]["securityContext"].get("supplementalGroups")

    assert groups(amd) == [44, 109]
    assert groups(POOL) is None
