"""What may give way where all that is asked for cannot be had: one part of the specification."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from qwen3_planner.api.schema import Rule, Struct, whole
from qwen3_planner.request import Quantization

MOST_QUANTIZATIONS = 8
"""Far more than any engine serves of one model."""


class Lowered(StrEnum):
    """What may give way."""

    POOL = "pool"
    CONTEXT = "context"
    QUANTIZATION = "quantization"


class FallbackWhen(StrEnum):
    """What has to be the matter before anything gives way."""

    INFEASIBLE = "Infeasible"
    BUSY = "Busy"


class FallbackSpec(Struct):
    """What the planner may lower, and in which order, before a model waits or has no plan."""

    order: Annotated[
        tuple[Lowered, ...],
        Field(min_length=1, max_length=3, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ]
    """What may give way; the first that is named gives way first: pool (another accelerator of
    those that may be used), context (a shorter maxModelLen) and quantization (less precise
    weights). Example: [pool, context, quantization]."""

    quantizations: Annotated[
        tuple[Quantization, ...],
        Field(max_length=MOST_QUANTIZATIONS, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = ()
    """Formats that may be taken instead of the first choice, in this order. Default: those that the
    engine tries by itself and that are less precise. Example: [fp8, awq-int4]."""

    min_model_len: Annotated[int, whole(1, 16_777_216)] | None = None
    """The shortest context that will do; it is halved step by step down to it. Default: a quarter
    of the first choice."""

    when: FallbackWhen = FallbackWhen.BUSY
    """Infeasible: only where the cluster has no hardware for the first choice. Busy: also where it
    has, but too little of it is free now. Default: Busy."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.quantizations) || size(self.quantizations) == 0"
            " || self.order.exists(o, o == 'quantization')",
            message="quantizations needs quantization in order",
            holds=lambda f: not f.quantizations or Lowered.QUANTIZATION in f.order,
            field="quantizations",
        ),
        Rule(
            cel="!has(self.quantizations) || !self.quantizations.exists(q, q == 'auto')",
            message="quantizations takes formats by name, not auto",
            holds=lambda f: Quantization.AUTO not in f.quantizations,
            field="quantizations",
        ),
        Rule(
            cel="!has(self.minModelLen) || self.order.exists(o, o == 'context')",
            message="minModelLen needs context in order",
            holds=lambda f: f.min_model_len is None or Lowered.CONTEXT in f.order,
            field="minModelLen",
        ),
    )
