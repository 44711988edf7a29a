"""What one pipeline stage holds: the frame that every engine's memory is told in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.sizing.activation import Batch


@dataclass(frozen=True, slots=True)
class Setting:
    """The engine's settings on one pool, each the user's or the version's default.

    Attributes:
        utilization: share of the device's memory.
        batch: scheduler sizes.
        is_compiled: whether the compiler's cache is at hand; None: not known, a first start is
            planned and the interval says what a later one has.
    """

    utilization: float
    batch: Batch
    is_compiled: bool | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """What memory depends on of the accelerator.

    Attributes:
        n_bytes: that CUDA reports.
        capability: CUDA (major, minor); None elsewhere.
        has_fp8_units: whether FP8 is multiplied natively.
        is_linked: whether the devices of a node are linked other than over PCIe.
    """

    n_bytes: int
    capability: tuple[int, int] | None
    has_fp8_units: bool
    is_linked: bool = True


@dataclass(frozen=True, slots=True)
class StageMemory:
    """Memory of the tightest rank of one pipeline stage, in bytes.

    Attributes:
        stage: which.
        weights: after loading.
        activation: transient peak of the profile run.
        graphs: counted in the budget, else 0.
        overhead: workspaces, sampler state, communication, context.
        block: one KV block over the stage's layers.
        budget: utilization x device.
        sigma: of all but the device and the budget: one standard deviation.
        may_lack: what a start may take besides, one way or the other and nothing between.
        may_spare: what it may do without, likewise.
    """

    stage: int
    weights: int
    activation: int
    graphs: int
    overhead: int
    block: int
    budget: int
    sigma: float = 0.0
    may_lack: int = 0
    may_spare: int = 0

    @property
    def fixed(self) -> int:
        """Everything that is not KV cache."""
        return self.weights + self.activation + self.graphs + self.overhead

    @property
    def available(self) -> int:
        """What is left for the KV cache; negative where nothing is."""
        return self.budget - self.fixed

    @property
    def blocks(self) -> int:
        """Whole KV blocks that fit; 0 where none does."""
        return max(0, self.available // self.block)
