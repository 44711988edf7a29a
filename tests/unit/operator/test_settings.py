"""Settings: four sources, the later wins, and a mistake names where it was made."""

from __future__ import annotations

import pytest

from qwen3_operator.errors import SpecError
from qwen3_operator.settings import LogFormat, Settings, load


def test_the_later_source_wins() -> None:
    file = "workers: 2\nlog_level: debug\nnamespaces: [a]\nimages: {vllm: file}\n"
    environment = {"QWEN3_OPERATOR_WORKERS": "3", "QWEN3_OPERATOR_NAMESPACES": "b, c"}
    settings = load(file, environment, {"workers": 4, "log_format": "json", "context": None})
    assert settings == Settings(
        workers=4,
        log_level="DEBUG",
        namespaces=("b", "c"),
        images={"vllm": "file"},
        log_format=LogFormat.JSON,
    )


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert load(None, {"QWEN3_OPERATOR_NAMESPACES": ""}, {}).namespaces == ()


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        pytest.param("cluster=eu-1", {"cluster": "eu-1"}, id="one"),
        pytest.param("cluster=eu-1,tenant=a=b", {"cluster": "eu-1", "tenant": "a=b"}, id="two"),
        pytest.param("", {}, id="none"),
    ],
)
def test_labels_of_prometheus_are_pairs(text: str, labels: dict[str, str]) -> None:
    settings = load(None, {"QWEN3_OPERATOR_PROMETHEUS_LABELS": text}, {})
    assert settings.prometheus_labels == labels


@pytest.mark.parametrize("text", ["cluster", "cluster=", "a-b=c", '}or up{a="b"=c'])
def test_a_label_of_prometheus_has_a_name_and_a_value(text: str) -> None:
    with pytest.raises(SpecError, match=r"must be (names of labels|key=value)") as caught:
        load(None, {"QWEN3_OPERATOR_PROMETHEUS_LABELS": text}, {})
    assert caught.value.field == "QWEN3_OPERATOR_PROMETHEUS_LABELS"


def test_images_come_as_pairs_from_the_environment() -> None:
    images = load(None, {"QWEN3_OPERATOR_IMAGES": "vllm=r/v:{version},x=y"}, {}).images
    assert images == {"vllm": "r/v:{version}", "x": "y"}


@pytest.mark.parametrize(
    ("file", "environment", "flags", "said"),
    [
        pytest.param("wokers: 3", {}, {}, "settings file: wokers", id="a misspelt name"),
        pytest.param("[1]", {}, {}, "must be a mapping", id="a file that is a list"),
        pytest.param("a: [", {}, {}, "not YAML", id="a file that is no YAML"),
        pytest.param(
            None, {"QWEN3_OPERATOR_WORKERS": "many"}, {}, "QWEN3_OPERATOR_WORKERS: many", id="env"
        ),
        pytest.param(None, {}, {"workers": 0}, "--workers: 0", id="a flag out of bounds"),
        pytest.param(
            None, {"QWEN3_OPERATOR_IMAGES": "vllm"}, {}, "must be engine=image", id="no pair"
        ),
        pytest.param(
            None,
            {},
            {"lease_duration_s": 6.0, "lease_renew_deadline_s": 10.0},
            "must lie between lease_retry_s (0.8) and lease_duration_s (6)",
            id="a lease that could be held twice",
        ),
        pytest.param(
            None, {}, {"lease_duration_s": 15.5}, "whole seconds", id="half a second of lease"
        ),
    ],
)
def test_a_mistake_names_its_place_and_what_is_wrong(
    file: str | None, environment: dict[str, str], flags: dict[str, object], said: str
) -> None:
    with pytest.raises(SpecError) as error:
        load(file, environment, flags)
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["hf_endpoint", "modelscope_endpoint", "https_proxy"])
def test_how_the_hubs_are_reached_is_a_url(name: str) -> None:
    assert getattr(load(f"{name}: https://a.example.com/", {}, {}), name) == "https://a.example.com"
    with pytest.raises(SpecError, match="must be a url such as"):
        load(f"{name}: a.example.com", {}, {})


def test_a_proxy_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(SpecError, match="must not hold credentials") as caught:
        load(None, {"QWEN3_OPERATOR_HTTPS_PROXY": "http://me:secret@proxy.example.com:3128"}, {})
    assert "secret" not in str(caught.value)


def test_folders_of_nodes_are_paths_below_the_root() -> None:
    named = "host_path_folders: [/var/lib/models]"
    assert load(named, {}, {}).host_path_folders == ("/var/lib/models",)
    for wrong in ("/", "models", "/var/lib/", "/var/../etc"):
        with pytest.raises(SpecError, match="must be absolute paths"):
            load(None, {"QWEN3_OPERATOR_HOST_PATH_FOLDERS": wrong}, {})


@pytest.mark.parametrize("name", ["http_proxy", "prometheus_proxy", "prometheus_url"])
def test_no_url_of_the_settings_may_hold_a_password(name: str) -> None:
    with pytest.raises(SpecError, match="must not hold credentials") as caught:
        load(f"{name}: http://me:secret@proxy.example.com", {}, {})
    assert "secret" not in str(caught.value)


def test_registries_come_as_pairs_or_as_a_map() -> None:
    text = "docker.io=harbor.example.com/dockerhub,*=mirror.example.com:5000"
    by_environment = load(None, {"QWEN3_OPERATOR_IMAGE_REGISTRIES": text}, {})
    by_file = load(
        "image_registries: {docker.io: harbor.example.com/dockerhub, '*': mirror.example.com:5000}",
        {},
        {},
    )
    assert by_environment.image_registries == by_file.image_registries
    assert by_file.image_registries["*"] == "mirror.example.com:5000"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("*=https://mirror.example.com", "must be a registry such as registry.local:5000/mirror"),
        ("*=me:secret@mirror.example.com", "must be a registry"),
        ("*=mirror.example.com/", "must be a registry"),
        ("docker.io/vllm=mirror.example.com", "must be a registry such as docker.io"),
        ("mirror.example.com", "must be key=value"),
    ],
)
def test_a_registry_is_a_host_and_maybe_a_path(text: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(None, {"QWEN3_OPERATOR_IMAGE_REGISTRIES": text}, {})
    assert said in str(caught.value)


def test_pull_secrets_are_a_list() -> None:
    settings = load(None, {"QWEN3_OPERATOR_IMAGE_PULL_SECRETS": "a, b"}, {})
    assert settings.image_pull_secrets == ("a", "b")


def test_a_site_goes_offline_by_its_environment() -> None:
    assert load(None, {"QWEN3_OPERATOR_OFFLINE": "true"}, {}).offline is True
    assert load(None, {}, {}).offline is False


POOL = '{"name": "a", "hardware": "2x8xL40S-48GB", "labels": {"pool": "a"}, "memoryGib": 512}'


def test_pools_that_grow_come_as_json_from_the_environment_and_as_yaml_from_a_file() -> None:
    by_environment = load(None, {"QWEN3_OPERATOR_GROWING_POOLS": f"[{POOL}]"}, {})
    by_file = load(f"growing_pools: [{POOL}]", {}, {})

    assert by_environment.growing_pools == by_file.growing_pools
    assert by_file.growing_pools[0].memory_gib == 512


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "QWEN3_OPERATOR_GROWING_POOLS: {: not JSON"),
        (f"[{POOL}, {POOL}]", "QWEN3_OPERATOR_GROWING_POOLS"),
        ('[{"name": "a", "labels": {"p": "a"}}]', "QWEN3_OPERATOR_GROWING_POOLS[0].hardware"),
        (
            '[{"name": "a", "hardware": "8xL4-24GB", "labels": {}}]',
            "QWEN3_OPERATOR_GROWING_POOLS[0].labels",
        ),
        (
            '[{"name": "a", "hardware": "8xL4-24GB", "labels": {"p": "a"}, "gpus": 8}]',
            "QWEN3_OPERATOR_GROWING_POOLS[0].gpus",
        ),
    ],
)
def test_a_mistake_in_a_pool_names_where_it_is(text: str, said: str) -> None:
    with pytest.raises(SpecError) as error:
        load(None, {"QWEN3_OPERATOR_GROWING_POOLS": text}, {})
    assert said in str(error.value)


def test_groups_of_devices_are_numbers() -> None:
    assert load(None, {"QWEN3_OPERATOR_AMD_GROUPS": "44, 109"}, {}).amd_groups == (44, 109)
    with pytest.raises(SpecError, match="QWEN3_OPERATOR_AMD_GROUPS"):
        load(None, {"QWEN3_OPERATOR_AMD_GROUPS": "render"}, {})
