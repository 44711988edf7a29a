"""How a quantization holds the weights of the linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from qwen3_planner.request import Quantization

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Checkpoint


class WeightKind(StrEnum):
    """Families of storage for a linear layer's weight."""

    PLAIN = "plain"
    FP8_BLOCK = "fp8-block"
    FP8_CHANNEL = "fp8-channel"
    INT4_GROUP = "int4-group"


@dataclass(frozen=True, slots=True)
class WeightFormat:
    """Storage of the linear layers; embeddings, norms, router and head stay 16 bit in all.

    Attributes:
        quantization: the name users know it by.
        kind: family of storage.
        block_rows: outputs that share one FP8 scale; 0 where there are no blocks.
        block_columns: inputs that share one FP8 scale; 0 where there are no blocks.
        group_size: inputs that share one int4 scale; 0 otherwise.
        has_zero_points: whether each int4 group carries a packed zero point.
        online: made while loading from the bf16 checkpoint.
    """

    quantization: Quantization
    kind: WeightKind
    block_rows: int = 0
    block_columns: int = 0
    group_size: int = 0
    has_zero_points: bool = False
    online: bool = False

    @property
    def is_quantized(self) -> bool:
        """Whether linear weights are smaller than 16 bit."""
        return self.kind is not WeightKind.PLAIN


BF16 = WeightFormat(Quantization.BF16, WeightKind.PLAIN)

ONLINE_FP8 = WeightFormat(Quantization.FP8, WeightKind.FP8_CHANNEL, online=True)
"""vLLM ``--quantization fp8`` on a bf16 checkpoint: fp8 weights with a handful of scales."""


def format_of(checkpoint: Checkpoint) -> WeightFormat:
    """Read the weight format off a catalog row."""
    quantization = Quantization(checkpoint.quantization)
    match quantization:
        case Quantization.BF16:
            return BF16
        case Quantization.FP8 if checkpoint.block_size != (0, 0):
            rows, columns = checkpoint.block_size
            return WeightFormat(quantization, WeightKind.FP8_BLOCK, rows, columns)
        case Quantization.FP8:
            return WeightFormat(quantization, WeightKind.FP8_CHANNEL)
        case Quantization.AWQ_INT4 | Quantization.GPTQ_INT4:
            return WeightFormat(
                quantization,
                WeightKind.INT4_GROUP,
                group_size=checkpoint.group_size,
                has_zero_points=checkpoint.has_zero_points,
            )
        case Quantization.AUTO:
            raise ValueError(quantization)
