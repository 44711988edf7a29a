"""What a test of the engine floor works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.rules.quantized import has_fp8_units

from .agreement import planned_tensors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qwen3_planner.catalog.rows import Catalog, ModelArchitecture
    from qwen3_planner.plan import Layout
    from qwen3_planner.sizing.formats import WeightFormat
    from qwen3_planner.sizing.linear import Tensor

    from .agreement import Place
    from .oracle import Oracle


@dataclass(frozen=True, slots=True)
class Rig:
    """The planner's catalog, the engine on described GPUs, and a folder for models.

    Attributes:
        catalog: as it ships.
        oracle: the engine's process for an accelerator by its catalog name.
        folder: of this test.
    """

    catalog: Catalog
    oracle: Callable[[str], Oracle]
    folder: Path

    def planned(
        self,
        accelerator: str,
        model: ModelArchitecture,
        fmt: WeightFormat,
        layout: Layout,
        place: Place,
    ) -> tuple[Tensor, ...]:
        """List what the planner says one rank holds on an accelerator."""
        return planned_tensors(
            model,
            fmt,
            layout,
            place,
            positions=model.max_position_embeddings,
            expanded_scales=not has_fp8_units(self.catalog.accelerator(accelerator)),
        )
