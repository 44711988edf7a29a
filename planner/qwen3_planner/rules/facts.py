"""What a legality rule looks at, gathered once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.plan import Refusal
from qwen3_planner.request import EngineName

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Accelerator, ModelArchitecture
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.plan import Layout
    from qwen3_planner.request import EngineTuning, KvCacheDtype
    from qwen3_planner.sizing.activation import Batch
    from qwen3_planner.sizing.formats import WeightFormat


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """One weight format on one accelerator, whatever the layout.

    Attributes:
        model: the architecture.
        fmt: how linear weights are held.
        accelerator: of the pool.
        engine: which server.
        version: of the engine; at most the newest whose rules are known.
        kv_cache_dtype: resolved, never auto.
        batch: scheduler sizes, resolved.
        longest_tokens: of one request, asked for; None where the planner chooses.
        request_tokens: input plus output of one request; None where not stated.
        tuning: engine settings that the user fixed.
    """

    model: ModelArchitecture
    fmt: WeightFormat
    accelerator: Accelerator
    engine: EngineName
    version: Version
    kv_cache_dtype: KvCacheDtype
    batch: Batch
    longest_tokens: int | None
    request_tokens: int | None
    tuning: EngineTuning

    def refuse(self, rule: str, message: str) -> Refusal:
        """Say no to the whole pool in this format."""
        return Refusal(
            rule, message, self.fmt.quantization.value, accelerator=self.accelerator.name
        )


@dataclass(frozen=True, slots=True)
class LayoutFacts:
    """One layout of one pool in one weight format.

    Attributes:
        pool: what holds for all its layouts.
        layout: of one replica.
    """

    pool: PoolFacts
    layout: Layout

    @property
    def model(self) -> ModelArchitecture:
        """The architecture."""
        return self.pool.model

    @property
    def fmt(self) -> WeightFormat:
        """How linear weights are held."""
        return self.pool.fmt

    @property
    def version(self) -> Version:
        """The engine's; at most the newest whose rules are known."""
        return self.pool.version

    @property
    def experts_inner(self) -> int:
        """Ranks that share one expert's inner size.

        SGLang's expert groups may be smaller than all ranks: then each group's ranks share.
        """
        ranks, group = self.layout.tensor * self.layout.data, self.layout.expert
        if self.pool.engine is EngineName.SGLANG:
            return max(1, ranks // group)
        return 1 if group > 1 else ranks

    def refuse(self, rule: str, message: str) -> Refusal:
        """Say no to this layout."""
        pool = self.pool
        return Refusal(
            rule, message, pool.fmt.quantization.value, self.layout, pool.accelerator.name
        )
