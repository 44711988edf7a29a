"""What this installation decides about children: images by engine and vendor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.plan import Plan


@dataclass(frozen=True, slots=True)
class Site:
    """Choices of whoever installed the operator, beside what the resource and the plan say.

    Attributes:
        images: (engine, vendor of the accelerator) to an image with ``{version}``.
        vendors: accelerator's catalog name to its vendor.
    """

    images: Mapping[tuple[str, str], str]
    vendors: Mapping[str, str]

    def image(self, plan: Plan) -> str:
        """Return the image that runs this plan.

        Raises:
            LookupError: no image is known for that engine on that vendor's accelerators.
        """
        vendor = self.vendors[plan.placement.accelerator]
        try:
            template = self.images[plan.engine, vendor]
        except KeyError:
            raise LookupError(f"no image is known for {plan.engine} on {vendor}") from None
        return template.replace("{version}", plan.engine_version)


def site_for(images: Mapping[str, str], catalog: Catalog) -> Site:
    """Combine the catalog's images with those of the settings, which win for every vendor.

    Args:
        images: by engine, from ``Settings.images``.
        catalog: knows engines and accelerators.
    """
    vendors = {row.name: row.vendor for row in catalog.accelerators}
    chosen = {
        (engine.name, vendor): image
        for engine in catalog.engines
        for vendor, image in engine.images
    }
    for engine_name, image in images.items():
        for vendor in {*vendors.values()}:
            chosen[engine_name, vendor] = image
    return Site(chosen, vendors)
