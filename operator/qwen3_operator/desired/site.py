"""What this installation decides about children: images, and how pods reach the hubs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qwen3_operator.setting_text import ANY_REGISTRY, PodLevel
from qwen3_planner.engines.profiles import image_of
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.cpu_nodes import NAME_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qwen3_planner.catalog.rows import Catalog, EngineRelease
    from qwen3_planner.plan import Plan


@dataclass(frozen=True, slots=True)
class Hubs:
    """How pods of this installation reach Hugging Face and ModelScope; empty: as they are.

    Attributes:
        hf_endpoint: URL of a mirror of Hugging Face.
        modelscope_endpoint: URL of a mirror of ModelScope.
        https_proxy: URL of the proxy for https, without credentials.
        http_proxy: URL of the proxy for http, without credentials.
        no_proxy: hosts that are reached directly, separated by commas.
        ca_config_map: ConfigMap in the namespace of each resource with all certificate
            authorities to trust, under :data:`CA_KEY`.
        is_offline: whether nothing may be fetched from a hub.
    """

    hf_endpoint: str = ""
    modelscope_endpoint: str = ""
    https_proxy: str = ""
    http_proxy: str = ""
    no_proxy: str = ""
    ca_config_map: str = ""
    is_offline: bool = False


CA_KEY = "ca.crt"
"""Key of the ConfigMap with certificate authorities, PEM, one after another."""


@dataclass(frozen=True, slots=True)
class Around:
    """Who reaches engines in this installation, and how their metrics are read.

    Attributes:
        namespace: of the operator, which reads engines; empty where it runs outside the cluster.
        pod_labels: of the operator's pods; empty: every pod of its namespace counts as one.
        prometheus_namespaces: from which metrics are read.
        pod_monitors: whether each model has a PodMonitor, unless it says otherwise.
        pod_monitor_labels: by which the Prometheus of this cluster selects PodMonitors.
        gateway: that serves routes which name none, ``namespace/name`` or, for one listener,
            ``namespace/name/listener``; empty: there is none.
        hostname: of such routes which name none, with ``{name}`` and ``{namespace}``; empty: that
            of the Gateway's listeners.
    """

    namespace: str = ""
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    prometheus_namespaces: tuple[str, ...] = ()
    pod_monitors: bool = False
    pod_monitor_labels: Mapping[str, str] = field(default_factory=dict)
    gateway: str = ""
    hostname: str = ""


@dataclass(frozen=True, slots=True)
class TemplateRules:
    """What podTemplate may do in this installation.

    Attributes:
        level: Pod Security level that the user's part may not leave.
        accounts: ServiceAccounts that pods may run as beside their namespace's ``default``.
    """

    level: PodLevel = PodLevel.BASELINE
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """Choices of whoever installed the operator, beside what the resource and the plan say.

    Attributes:
        images: (engine, vendor of the accelerator) to an image of this installation's own, with
            ``{version}`` and ``{arch}``.
        releases: engine to what the catalog knows of it, its images among that.
        vendors: accelerator's catalog name to its vendor.
        hubs: how the hubs are reached.
        fetch_image: image with the operator's own program, which fills caches.
        amd_groups: groups, by number, that may open an AMD GPU on the nodes (video, render).
        allows_host_path: whether resources may keep weights in a folder of the node.
        host_path_folders: which such a folder has to be, or lie in; empty: any.
        template_rules: what a resource's podTemplate may ask of nodes and accounts.
        around: who reaches engines, and how their metrics are read.
        image_registries: registry that the catalog's images name to the one they are taken from.
        image_pull_secrets: names, in the namespace of each resource, beside those it has itself.
        leaving: code that lets clients go before an engine ends; empty: engines are left as they
            are.
    """

    images: Mapping[tuple[str, str], str]
    releases: Mapping[str, EngineRelease]
    vendors: Mapping[str, str]
    hubs: Hubs = Hubs()
    fetch_image: str = "qwen3-operator"
    amd_groups: tuple[int, ...] = ()
    allows_host_path: bool = False
    host_path_folders: tuple[str, ...] = ()
    template_rules: TemplateRules = TemplateRules()
    around: Around = Around()
    image_registries: Mapping[str, str] = field(default_factory=dict)
    image_pull_secrets: tuple[str, ...] = ()
    leaving: str = ""

    def image(self, plan: Plan, architecture: str = "amd64") -> str:
        """Return the image that runs this plan on nodes of an architecture.

        Raises:
            LookupError: no image is known for that engine on that vendor's accelerators.
        """
        vendor = self._vendor(plan.placement.accelerator)
        own = self.images.get((plan.engine, vendor))
        if own is not None:
            return own.replace("{version}", plan.engine_version).replace("{arch}", architecture)
        release = self.releases[plan.engine]
        try:
            found = image_of(release, plan.engine_version, vendor)
            return mirrored(found, self.image_registries)
        except SpecError:
            since = dict(release.images_since).get(vendor)
        if since is None:
            raise LookupError(f"no image is known for {plan.engine} on {vendor}")
        told = f"no image is known for {plan.engine} {plan.engine_version} on {vendor}"
        raise LookupError(f"{told}, only from {since} on")

    def allows_folder(self, path: str) -> bool:
        """Whether resources may keep weights in this folder of the node."""
        inside = (path == one or path.startswith(f"{one}/") for one in self.host_path_folders)
        return self.allows_host_path and (not self.host_path_folders or any(inside))

    def pull_secrets(self, own: Iterable[str]) -> list[dict[str, str]]:
        """Make the pod's imagePullSecrets of those that the resource names and the site's."""
        return [{"name": name} for name in dict.fromkeys((*own, *self.image_pull_secrets))]

    def _vendor(self, accelerator: str) -> str:
        """Return the vendor; what no catalog holds is a CPU, or a GPU that NVIDIA's labels tell."""
        unknown = "generic" if accelerator.startswith(NAME_PREFIX) else "nvidia"
        return self.vendors.get(accelerator, unknown)


def site_for(images: Mapping[str, str], catalog: Catalog, hubs: Hubs | None = None) -> Site:
    """Combine the catalog's images with those of the settings, which win for every vendor.

    Args:
        images: by engine, or by ``engine/vendor``, from ``Settings.images``.
        catalog: knows engines and accelerators.
        hubs: from the settings; None: the hubs are reached as they are.
    """
    vendors = {row.name: row.vendor for row in catalog.accelerators}
    chosen: dict[tuple[str, str], str] = {}
    for named, image in sorted(images.items()):  # "vllm" before "vllm/amd", which says more
        engine_name, _, only = named.partition("/")
        for vendor in {only} if only else {*vendors.values(), "generic"}:
            chosen[engine_name, vendor] = image
    releases = {engine.name: engine for engine in catalog.engines}
    return Site(chosen, releases, vendors, hubs or Hubs())


DOCKER_HUB = "docker.io"
"""What a name without a registry means."""


def mirrored(image: str, registries: Mapping[str, str]) -> str:
    """Take an image from another registry; tag and digest stay.

    >>> mirrored("vllm/vllm-openai:v0.9.0", {"*": "registry.local:5000"})
    'registry.local:5000/vllm/vllm-openai:v0.9.0'
    >>> mirrored("ghcr.io/a/b@sha256:12", {"ghcr.io": "mirror.local/ghcr", "*": "mirror.local"})
    'mirror.local/ghcr/a/b@sha256:12'

    Args:
        image: as Kubernetes takes it: ``[registry/]path[:tag][@digest]``.
        registries: registry to the one that is used instead, without a scheme; ``*``: any other.
    """
    first, slash, rest = image.partition("/")
    names_one = bool(slash) and ("." in first or ":" in first or first == "localhost")
    registry, path = (first, rest) if names_one else (DOCKER_HUB, image)
    mirror = registries.get(registry, registries.get(ANY_REGISTRY))
    if mirror is None or image.startswith(f"{mirror}/"):
        return image
    if registry == DOCKER_HUB and "/" not in path:  # an official image, such as python:3.13
        path = f"library/{path}"
    return f"{mirror}/{path}"
