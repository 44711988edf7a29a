"""The chart's settings, images and monitors, and what the operator makes of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator import settings
from qwen3_operator.__main__ import main as operator_command
from qwen3_operator.setting_text import PodLevel
from support.chart import GOLDEN, INPUTS, ROOT, pods_made_by, rendered, the
from support.controlplane.errors import CommandError

if TYPE_CHECKING:
    from support.controlplane import Commands

pytestmark = pytest.mark.cluster

CONFIG = settings.ENVIRONMENT_PREFIX + "CONFIG"


def settings_given(documents: list[dict[str, Any]]) -> settings.Settings:
    """Start as the container would: the file where it is mounted, and the environment."""
    pod = the(documents, "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = {entry["name"]: entry.get("value", "from-the-pod") for entry in container["env"]}
    path = Path(environment.pop(CONFIG))
    (mount,) = [m for m in container["volumeMounts"] if m["mountPath"] == str(path.parent)]
    (volume,) = [v for v in pod["volumes"] if v["name"] == mount["name"]]
    (config,) = [d for d in documents if d["metadata"]["name"] == volume["configMap"]["name"]]
    known = {settings.ENVIRONMENT_PREFIX + name.upper() for name in settings.Settings.model_fields}

    assert config["kind"] == "ConfigMap"
    assert set(environment) <= known
    return settings.load(config["data"][path.name], environment, {})


@pytest.mark.parametrize("values", INPUTS, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_the_operator_understands_the_settings_it_is_given(helm: Commands, values: Path) -> None:
    documents = rendered(helm, "--values", values)
    template = the(documents, "Deployment")["spec"]["template"]
    container = template["spec"]["containers"][0]

    understood = settings_given(documents)

    assert understood.identity == understood.lease_namespace == "from-the-pod"
    assert understood.health_port == container["ports"][0]["containerPort"]
    assert template["spec"]["terminationGracePeriodSeconds"] > understood.drain_timeout_s


def test_the_container_starts_the_operator(helm: Commands) -> None:
    template = the(rendered(helm), "Deployment")["spec"]["template"]
    program, *arguments = template["spec"]["containers"][0]["command"]
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]

    context = operator_command.make_context(program, arguments)

    assert scripts[program] == "qwen3_operator.__main__:main"
    assert operator_command.resolve_command(context, arguments)[0] == "run"


def test_settings_from_the_values_arrive(helm: Commands) -> None:
    understood = settings_given(rendered(helm, "--values", GOLDEN / "everything.in.yaml"))

    assert understood.namespaces == ("team-a", "team-b")
    assert understood.images == {
        "vllm": "registry.example.com/vllm:v{version}",
        "vllm/amd": "registry.example.com/vllm-rocm:v{version}",
    }
    assert understood.image_registries == {
        "*": "mirror.example.com:5000",
        "ghcr.io": "harbor.example.com/ghcr",
    }
    assert understood.image_pull_secrets == ("registry-access",)
    assert understood.prometheus_proxy == "http://proxy.example.com:3128"
    assert understood.prometheus_token_file == "/etc/qwen3-operator/prometheus-token/token"  # noqa: S105 - a path
    assert understood.prometheus_ca_file == "/etc/qwen3-operator/prometheus-ca/ca.crt"
    assert understood.prometheus_labels == {"cluster": "eu-1", "tenant": "ml"}
    assert (understood.prometheus_timeout_s, understood.scaling_interval_s) == (2.5, 30)
    assert understood.growing_pools[0].memory_gib == 2000
    assert understood.near_labels == ("nvidia.com/gpu.clique",)
    assert (understood.lease_name, understood.lease_duration_s) == ("q3", 30)
    assert not understood.read_engines
    assert understood.name_all_holders
    assert understood.amd_groups == (44, 109)
    assert understood.fetch_image == "registry.example.com/fetch:v1"
    assert (understood.allow_host_path, understood.offline) == (True, True)
    assert understood.host_path_folders == ("/var/lib/models",)
    assert understood.pod_template_level is PodLevel.RESTRICTED
    assert understood.pod_template_accounts == ("s3-reader",)
    assert understood.hf_endpoint == "https://hf.example.com"
    assert understood.modelscope_endpoint == "https://modelscope.example.com"
    assert understood.https_proxy == understood.http_proxy == "http://proxy.example.com:3128"
    assert understood.no_proxy == "registry.example.com"
    assert understood.ca_config_map == "authorities"
    assert understood.pod_monitors
    assert understood.pod_monitor_labels == {"release": "prometheus", "tier": "gold"}
    assert understood.gateway == "gateways/edge/https"
    assert understood.route_hostname == "{name}.{namespace}.models.example.com"
    assert understood.prometheus_namespaces == ("monitoring", "observability")
    assert understood.pod_labels["app.kubernetes.io/component"] == "operator"
    assert (understood.workers, understood.request_limit) == (16, 64)
    assert (understood.log_level, understood.log_format) == ("DEBUG", settings.LogFormat.TEXT)


def test_the_service_monitor_finds_the_service_and_that_the_pods(helm: Commands) -> None:
    documents = rendered(helm, "--set", "monitoring.serviceMonitor.enabled=true")
    monitor, service = the(documents, "ServiceMonitor")["spec"], the(documents, "Service")
    pod = pods_made_by(documents)
    (endpoint,) = monitor["endpoints"]
    (port,) = service["spec"]["ports"]
    (at_the_pod,) = pod["spec"]["containers"][0]["ports"]

    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert endpoint["port"] == port["name"]
    assert port["targetPort"] == at_the_pod["name"]
    assert port["port"] == at_the_pod["containerPort"]
    assert endpoint["honorLabels"]


def test_the_service_comes_alone_where_it_is_asked_for(helm: Commands) -> None:
    documents = rendered(helm, "--set", "monitoring.service.enabled=true")

    assert the(documents, "Service")["spec"]["clusterIP"] == "None"
    assert not [one for one in documents if one["kind"] in ("ServiceMonitor", "PodMonitor")]
    assert not [one for one in rendered(helm) if one["kind"] == "Service"]


def test_nobody_has_the_operator_scraped_twice(helm: Commands) -> None:
    both = "monitoring.podMonitor.enabled=true,monitoring.serviceMonitor.enabled=true"
    with pytest.raises(CommandError) as caught:
        rendered(helm, "--set", both)

    assert "would have every pod scraped twice: enable one of them" in caught.value.stderr


def test_another_setting_makes_other_pods_and_nothing_else_does(helm: Commands) -> None:
    as_it_is = pods_made_by(rendered(helm))

    assert pods_made_by(rendered(helm, "--set", "operator.workers=9")) != as_it_is
    assert pods_made_by(rendered(helm, "--set", "global.imageRegistry=a.example")) != as_it_is
    assert pods_made_by(rendered(helm, "--set", "replicas=3")) == as_it_is
    assert pods_made_by(rendered(helm, "--set", "rbac.aggregate=false")) == as_it_is


@pytest.mark.parametrize(
    ("repository", "image"),
    [
        ("qwen3-operator", "a.example:5000/mirror/qwen3-operator:0.1.0"),
        ("team/qwen3-operator", "a.example:5000/mirror/team/qwen3-operator:0.1.0"),
        ("b.example/qwen3-operator", "b.example/qwen3-operator:0.1.0"),
        ("localhost/qwen3-operator", "localhost/qwen3-operator:0.1.0"),
    ],
)
def test_the_operators_image_is_taken_from_the_mirror(
    helm: Commands, repository: str, image: str
) -> None:
    documents = rendered(
        helm,
        "--set",
        f"global.imageRegistry=a.example:5000/mirror,image.repository={repository}",
    )

    assert pods_made_by(documents)["spec"]["containers"][0]["image"] == image
    assert settings_given(documents).fetch_image == image
