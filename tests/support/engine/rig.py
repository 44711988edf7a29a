"""What a test of the engine floor works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.engines.versions import parse_version
from qwen3_planner.engines.vllm.semantics import semantics_at
from qwen3_planner.rules.quantized import has_fp8_units
from qwen3_planner.serving.vllm_memory import machete_files
from qwen3_planner.sizing.weights import rank_tensors, sharding_of

from .environment import VLLM_VERSION

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
        gpu = self.catalog.accelerator(accelerator)
        semantics = semantics_at(parse_version(VLLM_VERSION))
        sharding = sharding_of(
            model,
            layout,
            place.expert_rank,
            expanded_scales=not has_fp8_units(gpu),
            expanded_blocks=semantics.expands_blocks(gpu.compute_capability),
            machete=machete_files(semantics, gpu.compute_capability),
        )
        rows = semantics.table_rows(model, model.max_position_embeddings)
        return rank_tensors(model, fmt, layout, sharding, stage=place.stage, positions=rows)
