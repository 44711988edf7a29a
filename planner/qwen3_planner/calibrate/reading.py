"""What a log or a result says, each with the place where it says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from qwen3_planner.corrections.document import Row

Value: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Stated:
    """One value and where it stands.

    Attributes:
        value: as read.
        place: ``vllm.log line 12``.
    """

    value: Value
    place: str


@dataclass(slots=True)
class Reading:
    """What was read of one input.

    Attributes:
        format: ``vllm-log``, ``sglang-log``, ``vllm-bench``, ``guidellm``, ``llama-bench``.
        facts: how the engine ran, by name (see :mod:`qwen3_planner.calibrate.facts`).
        figures: memory that a start states, in bytes or tokens, by name.
        runs: what a benchmark measured, one for each load.
        notes: what the user should know.
        rows: entries of an overlay, where the input is one: they are learned already.
    """

    format: str
    facts: dict[str, Stated] = field(default_factory=dict)
    figures: dict[str, Stated] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One load that was measured.

    Attributes:
        place: where it stands.
        input_tokens: of each prompt, on average.
        output_tokens: of each answer, on average.
        concurrency: requests in flight.
        measured: by measure: ``tpot_ms``, ``ttft_ms``, ``output_tokens_per_s``,
            ``decode_tokens_per_s``, ``prompt_tokens_per_s``.
    """

    place: str
    input_tokens: int
    output_tokens: int
    concurrency: int
    measured: dict[str, float]
