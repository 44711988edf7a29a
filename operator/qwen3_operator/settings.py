"""How this operator is set up: one frozen value, from a file, the environment and flags.

Pure: text and mappings in, :class:`Settings` out. Reading the file and the environment is the
business of ``__main__``. The later source wins: defaults, file, environment, flags.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from qwen3_operator.errors import SpecError
from qwen3_operator.setting_text import (
    ANY_REGISTRY,
    ENVIRONMENT_PREFIX,
    PodLevel,
    value_of,
    values_in,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = "[a-z0-9]([-.a-z0-9]*[a-z0-9])?"
GATEWAY = re.compile(f"{_NAME}/{_NAME}(/{_NAME})?")
FOLDER = re.compile(r"(/[-._a-zA-Z0-9]*[-_a-zA-Z0-9])+")
HOST = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?(:[0-9]{1,5})?")
REGISTRY = re.compile(rf"{HOST.pattern}(/[a-z0-9]+([-._]+[a-z0-9]+)*)*")
HOSTNAME = re.compile(r"([-.a-z0-9]|\{name\}|\{namespace\})+")


class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


class GrowingPoolSetting(BaseModel):
    """Nodes of one kind that are provisioned when pods wait for them."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )

    name: str = Field(min_length=1, max_length=63)
    """How messages call it."""

    hardware: str = Field(min_length=1)
    """The most it may grow to, as NODESxCOUNTxPRODUCT: ``4x8xH100-SXM-80GB``."""

    labels: dict[str, str] = Field(min_length=1)
    """Labels of its nodes that the provisioner knows beforehand; pods select them."""

    taints: tuple[str, ...] = ()
    """Taints of its nodes, as kubectl writes them: ``nvidia.com/gpu=present:NoSchedule``."""

    cpu: float | None = Field(default=None, gt=0)
    """Cores of one node; unset: enough."""

    memory_gib: float | None = Field(default=None, gt=0)
    """Memory of one node; unset: enough."""


class Settings(BaseModel):
    """Everything that whoever installs the operator may decide."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespaces: tuple[str, ...] = ()
    """Namespaces that are served; empty: all of them (needs cluster-wide rights)."""

    workers: int = Field(default=8, ge=1, le=256)
    """Resources reconciled at the same time. Eight keep one core busy: a reconcile mostly waits."""

    images: dict[str, str] = Field(default_factory=dict)
    """Image by engine, or by engine and vendor (``vllm/amd``), instead of the catalog's:
    ``{"vllm": "registry.local/vllm:v{version}"}``."""

    image_registries: dict[str, str] = Field(default_factory=dict)
    """Registry to take the catalog's images from, by the registry that they name:
    ``{"docker.io": "registry.local/dockerhub", "*": "registry.local"}``; ``*`` is every other.
    Images that somebody wrote out, here or in a resource, stay as they are."""

    image_pull_secrets: tuple[str, ...] = ()
    """Secrets, which each namespace has, with which the images of its models are pulled, beside
    those of the resource."""

    amd_groups: tuple[int, ...] = ()
    """Groups, by number, that may open an AMD GPU on the nodes (video and render): pods on them
    join these, since they do not run as root."""

    hf_endpoint: str | None = None
    """URL of a mirror of Hugging Face, for every pod that fetches weights from there."""

    modelscope_endpoint: str | None = None
    """URL of a mirror of ModelScope, likewise."""

    https_proxy: str | None = None
    """URL of the proxy through which pods reach the hubs. It becomes part of pods, so it must not
    hold a password: resources take such a one from a Secret by ``spec.engine.env``."""

    http_proxy: str | None = None
    """The same for hubs that are reached by plain http."""

    no_proxy: str | None = None
    """Hosts that are reached without the proxy, separated by commas; the cluster's own are."""

    ca_config_map: str | None = None
    """Name of a ConfigMap that each namespace has, with the certificate authorities that pods
    trust when they fetch weights, under the key ``ca.crt``."""

    fetch_image: str = "qwen3-operator"
    """Image with this program, for the Jobs that fill caches; the chart gives its own."""

    allow_host_path: bool = False
    """Whether resources may keep weights in a folder of the node (``spec.cache.hostPath``)."""

    host_path_folders: tuple[str, ...] = ()
    """Folders of nodes that such a folder has to be, or lie in; empty: any of the node's. It is
    mounted for writing."""

    pod_template_level: PodLevel = PodLevel.BASELINE
    """Pod Security level that ``spec.podTemplate`` may not leave, whatever the namespace's label
    says; ``privileged`` leaves it to the namespace."""

    pod_template_accounts: tuple[str, ...] = ()
    """ServiceAccounts that ``spec.podTemplate`` may have pods run as, in any namespace; ``*``: all.
    Pods act with an account's rights, which whoever writes the resource may not have."""

    pod_monitors: bool = False
    """Whether each model gets a PodMonitor, unless it says otherwise (``spec.monitoring``)."""

    pod_monitor_labels: dict[str, str] = Field(default_factory=dict)
    """Labels by which this cluster's Prometheus selects PodMonitors: ``{"release": "prometheus"}``.
    """

    prometheus_namespaces: tuple[str, ...] = ()
    """Namespaces from which Prometheus may reach engines behind a ``spec.networkPolicy``."""

    gateway: str | None = None
    """Gateway of routes that name none: ``namespace/name``, or ``namespace/name/listener``."""

    route_hostname: str | None = None
    """Host name of such routes, made of a resource's name: ``{name}.{namespace}.example.com``."""

    pod_labels: dict[str, str] = Field(default_factory=dict)
    """Labels of the operator's own pods, which may reach those engines, too; the chart gives them.
    """

    offline: bool = False
    """Whether nothing may be fetched from hubs: weights then come from claims and images."""

    growing_pools: tuple[GrowingPoolSetting, ...] = ()
    """Pools whose nodes are provisioned on demand: models are then planned for nodes to come, and
    their pods wait for them. In the environment as JSON. Karpenter's NodePools are found."""

    kubeconfig: str | None = None
    """Path of a kubeconfig; unset: the pod's service account, else kubectl's own rules."""

    context: str | None = None
    """Context of the kubeconfig; unset: its current one."""

    lease_name: str = "qwen3-operator"
    """Name of the Lease that the one working operator holds."""

    lease_namespace: str | None = None
    """Namespace of the Lease; unset: the pod's own, else ``default``."""

    lease_duration_s: float = Field(default=15.0, ge=1.0)
    """How long a silent holder keeps the Lease; takeover after a crash takes this long."""

    lease_renew_deadline_s: float | None = Field(default=None, gt=0.0)
    """A holder that could not renew for so long stops working, well before others may start;
    unset: two thirds of the duration."""

    lease_retry_s: float | None = Field(default=None, gt=0.0)
    """Pause between two attempts to get or renew the Lease; unset: two fifteenths of it."""

    identity: str | None = None
    """Name of this process in the Lease; unset: host name and a random suffix."""

    health_host: str = "0.0.0.0"  # noqa: S104 - the kubelet probes the pod's address
    """Address that answers ``/healthz`` and ``/readyz``."""

    health_port: int = Field(default=8080, ge=0, le=65535)
    """Port for the same; 0 turns the endpoint off."""

    read_engines: bool = True
    """Ask each engine that became ready for the size of its KV cache, over HTTP at the pod's
    address, and show it beside the planned one."""

    group_limit_s: float = Field(default=300.0, gt=0.0)
    """How long a replica over several nodes may hold GPUs with some of its pods while others find
    no node; then all of them are taken back, and wait together."""

    name_all_holders: bool = False
    """Name who of other namespaces holds the GPUs that a resource waits for; else they are counted.
    Whoever may read the resource then learns those names."""

    near_labels: tuple[str, ...] = ("nvidia.com/gpu.clique",)
    """Labels of nodes that say what is near, the nearest first (NVLink domain, rack). Replicas over
    several nodes stand within one domain of the first of which a domain holds them whole."""

    prometheus_url: str | None = None
    """URL of the Prometheus that scrapes the engines, for ``spec.scaling``; unset: nothing is
    scaled by load. Example: http://prometheus-operated.monitoring:9090."""

    prometheus_token_file: str | None = None
    """File with a bearer token for it, read again for every question."""

    prometheus_ca_file: str | None = None
    """File with the certificate authorities that are trusted for it; unset: the system's."""

    prometheus_proxy: str | None = None
    """URL of the proxy through which it is reached, without a password; unset: directly."""

    prometheus_timeout_s: float = Field(default=5.0, gt=0.0, le=60.0)
    """Time for one answer of Prometheus."""

    prometheus_labels: dict[str, str] = Field(default_factory=dict)
    """Further labels that series of this cluster have there, where it holds several clusters':
    ``{"cluster": "eu-1"}``."""

    scaling_interval_s: int = Field(default=15, ge=1, le=300)
    """Seconds between two readings of the load of a resource that scales."""

    request_timeout_s: float = Field(default=30.0, gt=0.0)
    """Time for one request to the API server, watches excepted."""

    request_limit: int = Field(default=32, ge=1, le=1024)
    """Requests to the API server in flight at once, watches excepted."""

    drain_timeout_s: float = Field(default=20.0, ge=0.0)
    """On SIGTERM: time for reconciles under way to finish before the Lease is given back."""

    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    """Least severe line that is written."""

    log_format: LogFormat = LogFormat.TEXT
    """Text for people, JSON (one object a line) for machines."""

    @property
    def lease_times(self) -> tuple[float, float, float]:
        """Duration, renew deadline and pause between attempts, in seconds."""
        duration = self.lease_duration_s
        deadline = self.lease_renew_deadline_s or duration * 2 / 3
        return duration, deadline, self.lease_retry_s or duration * 2 / 15

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator(
        "hf_endpoint",
        "modelscope_endpoint",
        "https_proxy",
        "http_proxy",
        "prometheus_url",
        "prometheus_proxy",
    )
    @classmethod
    def _url_without_credentials(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be a URL such as https://mirror.example.com")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not hold credentials: they would be readable in every pod")
        return value.rstrip("/")

    @field_validator("image_registries")
    @classmethod
    def _registries(cls, value: dict[str, str]) -> dict[str, str]:
        for name, mirror in value.items():
            if name != ANY_REGISTRY and HOST.fullmatch(name) is None:
                raise ValueError(f"{name!r} must be a registry such as docker.io, or *")
            if REGISTRY.fullmatch(mirror) is None:
                raise ValueError(f"{name} must be a registry such as registry.local:5000/mirror")
        return value

    @field_validator("growing_pools")
    @classmethod
    def _named_once(cls, pools: tuple[GrowingPoolSetting, ...]) -> tuple[GrowingPoolSetting, ...]:
        names = [pool.name for pool in pools]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"names {twice} twice")
        return pools

    @field_validator("gateway")
    @classmethod
    def _namespace_and_name(cls, value: str | None) -> str | None:
        if value is not None and GATEWAY.fullmatch(value) is None:
            raise ValueError("must be namespace/name, or namespace/name/listener")
        return value

    @field_validator("route_hostname")
    @classmethod
    def _host_with_placeholders(cls, value: str | None) -> str | None:
        if value is not None and HOSTNAME.fullmatch(value) is None:
            raise ValueError("must be a host name in which {name} and {namespace} are replaced")
        return value

    @field_validator("host_path_folders")
    @classmethod
    def _folders(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for folder in value:
            if FOLDER.fullmatch(folder) is None:
                raise ValueError("must be absolute paths such as /var/lib/models, not the root")
        return value

    @field_validator("prometheus_labels")
    @classmethod
    def _labels_of_prometheus(cls, value: dict[str, str]) -> dict[str, str]:
        if all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) and value[name] for name in value):
            return value
        raise ValueError("must be names of labels, each with a value, such as cluster=eu-1")

    @field_validator("lease_duration_s", mode="after")
    @classmethod
    def _whole_seconds(cls, value: float) -> float:
        if value != int(value):
            raise ValueError("a Lease counts whole seconds")
        return value


def load(
    file_text: str | None, environment: Mapping[str, str], flags: Mapping[str, Any]
) -> Settings:
    """Put the settings together; a flag that is None was not given.

    Raises:
        SpecError: an unknown name or a value out of bounds; ``field`` says where it came from.
    """
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for prefix, values in (
        ("settings file: ", values_in(file_text)),
        (ENVIRONMENT_PREFIX, _from_environment(environment)),
        ("--", {name: value for name, value in flags.items() if value is not None}),
    ):
        for name, value in values.items():
            merged[name] = value
            origin[name] = _spelled(prefix, name)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise _spec_error(error, origin) from error
    _check_lease(settings)
    return settings


def _spelled(prefix: str, name: str) -> str:
    if prefix == "--":
        return prefix + name.replace("_", "-")
    return prefix + (name.upper() if prefix == ENVIRONMENT_PREFIX else name)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in Settings.model_fields:
        text = environment.get(ENVIRONMENT_PREFIX + name.upper())
        if text is not None and text != "":
            values[name] = value_of(name, text)
    return values


def _spec_error(error: ValidationError, origin: Mapping[str, str]) -> SpecError:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    field = origin.get(name, name)
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        return SpecError(field, name, "no such setting", sorted(Settings.model_fields))
    if len(first["loc"]) > 1:
        field += "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"][1:]
        )
    if "credentials" in first["msg"]:
        return SpecError(field, "(not repeated)", first["msg"].removeprefix("Value error, "))
    return SpecError(field, first["input"], first["msg"].lower().removeprefix("value error, "))


def _check_lease(settings: Settings) -> None:
    duration, deadline, retry = settings.lease_times
    if not retry < deadline < duration:
        raise SpecError(
            "lease_renew_deadline_s",
            f"{deadline:g}",
            f"must lie between lease_retry_s ({retry:g}) and lease_duration_s ({duration:g})",
        )
