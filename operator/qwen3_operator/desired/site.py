"""What this installation decides about children: images, and how pods reach the hubs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qwen3_planner.engines.versions import parse_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_planner.catalog.rows import Catalog
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
class Site:
    """Choices of whoever installed the operator, beside what the resource and the plan say.

    Attributes:
        images: (engine, vendor of the accelerator) to an image with ``{version}``.
        since: (engine, vendor) to the first version that has such an image.
        vendors: accelerator's catalog name to its vendor.
        hubs: how the hubs are reached.
        fetch_image: image with the operator's own program, which fills caches.
        amd_groups: groups, by number, that may open an AMD GPU on the nodes (video, render).
        allows_host_path: whether resources may keep weights in a folder of the node.
    """

    images: Mapping[tuple[str, str], str]
    vendors: Mapping[str, str]
    hubs: Hubs = Hubs()
    fetch_image: str = "qwen3-operator"
    amd_groups: tuple[int, ...] = ()
    since: Mapping[tuple[str, str], str] = field(default_factory=dict)
    allows_host_path: bool = False

    def image(self, plan: Plan) -> str:
        """Return the image that runs this plan.

        Raises:
            LookupError: no image is known for that engine on that vendor's accelerators.
        """
        vendor = self.vendors[plan.placement.accelerator]
        which = (plan.engine, vendor)
        try:
            template = self.images[which]
        except KeyError:
            raise LookupError(f"no image is known for {plan.engine} on {vendor}") from None
        since = self.since.get(which)
        if since is not None and parse_version(plan.engine_version) < parse_version(since):
            told = f"no image is known for {plan.engine} {plan.engine_version} on {vendor}"
            raise LookupError(f"{told}, only from {since} on")
        return template.replace("{version}", plan.engine_version)


def site_for(images: Mapping[str, str], catalog: Catalog, hubs: Hubs | None = None) -> Site:
    """Combine the catalog's images with those of the settings, which win for every vendor.

    Args:
        images: by engine, or by ``engine/vendor``, from ``Settings.images``.
        catalog: knows engines and accelerators.
        hubs: from the settings; None: the hubs are reached as they are.
    """
    vendors = {row.name: row.vendor for row in catalog.accelerators}
    chosen = {
        (engine.name, vendor): image
        for engine in catalog.engines
        for vendor, image in engine.images
    }
    since = {
        (engine.name, vendor): version
        for engine in catalog.engines
        for vendor, version in engine.images_since
    }
    for named, image in sorted(images.items()):  # "vllm" before "vllm/amd", which says more
        engine_name, _, only = named.partition("/")
        for vendor in {only} if only else {*vendors.values()}:
            chosen[engine_name, vendor] = image
            since.pop((engine_name, vendor), None)
    return Site(chosen, vendors, hubs or Hubs(), since=since)
