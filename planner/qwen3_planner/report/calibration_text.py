"""What was learned from measurements, for people: planned beside measured, and what it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.catalog.measurements import DeviceRow, MemoryRow
from qwen3_planner.report.table import labelled, render
from qwen3_planner.units import format_gib

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.catalog.measurements import Compared, Reach, Setup, SpeedRow
    from qwen3_planner.corrections.document import Row

LABEL = 13
BIG = 1000.0
SHORT = {
    "memory.kvCacheTokens": "KV cache",
    "memory.weights": "weights",
    "memory.kvCache": "KV cache",
    "memory.activation": "activations",
    "memory.graphs": "CUDA graphs",
    "memory.overhead": "other",
    "performance.tpotMs": "time per token",
    "performance.ttftMs": "first token",
    "performance.outputTokensPerSecond": "output",
    "decodeTokensPerSecond": "generation",
    "promptTokensPerSecond": "prompt",
}
"""Figures in words."""


def calibration_text(rows: Sequence[Row], width: int) -> str:
    """Say what was learned, a paragraph for each input."""
    lines: list[str] = []
    for row in rows:
        if lines:
            lines.append("")
        lines += _paragraph(row, width)
    return "\n".join(lines) + "\n"


def _paragraph(row: Row, width: int) -> Iterator[str]:
    yield from labelled("Read", f"{row.origin.name} ({row.origin.format})", width, LABEL)
    if not isinstance(row, DeviceRow):
        yield from labelled("Ran as", _ran(row.setup), width, LABEL)
    yield ""
    yield from render(
        ("figure", "planned", "measured", "error"),
        [_cells(figure) for figure in row.figures],
        right=("planned", "measured", "error"),
    )
    yield ""
    yield from labelled("Learned", _learned(row), width, LABEL)
    yield from labelled("Speaks for", _reach(row), width, LABEL)


def _ran(setup: Setup) -> str:
    batch = f", {setup.batch_tokens:,} tokens a step" if setup.batch_tokens else ""
    return (
        f"{setup.variant} {setup.quantization} on {setup.engine} {setup.version}, {setup.layout} of"
        f" {setup.accelerator}{batch}"
    )


def _cells(figure: Compared) -> tuple[str, str, str, str]:
    name, _, where = figure.figure.partition(" at ")
    shown = SHORT.get(name, name) + (f", {where}" if where else "")
    planned, measured = (_amount(value, figure.unit) for value in (figure.planned, figure.measured))
    return shown, planned, measured, f"{figure.error:+.1%}"


def _amount(value: float, unit: str) -> str:
    digits = 0 if unit == "tokens" or abs(value) >= BIG else 2
    return f"{value:,.{digits}f} {unit}"


def _learned(row: Row) -> str:
    if isinstance(row, MemoryRow):
        if row.added_bytes == 0:
            return "a GPU takes what is planned; plans are surer"
        more = "more" if row.added_bytes > 0 else "less"
        return f"a GPU takes {format_gib(abs(row.added_bytes))} {more} than planned"
    if isinstance(row, DeviceRow):
        return (
            f"memory x{row.memory_factor:.2f}, arithmetic x{row.compute_factor:.2f}, attention"
            f" x{row.attention_factor:.2f} of what such cards usually reach"
        )
    return _of_times(row)


def _of_times(row: SpeedRow) -> str:
    said = []
    if row.has_decode:
        said.append(f"decoding takes x{row.decode_factor:.2f}")
    if row.has_prompt:
        said.append(f"{'' if said else 'computing '}prompts x{row.prompt_factor:.2f}")
    runs = "1 run" if row.loads == 1 else f"{row.loads} runs"
    return f"{', '.join(said)} of the planned time, from {runs}"


def _reach(row: Row) -> str:
    if isinstance(row, DeviceRow):
        return f"{row.accelerator} where no run of an engine on such a card is known"
    reach = row.reach
    return (
        f"{reach.engine} {_range(reach)}, {reach.kind} models on {reach.accelerator},"
        f" {_layouts(reach)}{f', {reach.weights} weights' if reach.weights else ''}"
    )


def _range(reach: Reach) -> str:
    return f"from {reach.since} to before {reach.until}" if reach.until else f"from {reach.since}"


def _layouts(reach: Reach) -> str:
    names = {"one": "one GPU", "tensor": "several GPUs", "pipeline": "pipeline stages"}
    return names.get(reach.layout, "any layout")
