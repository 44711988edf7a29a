"""Where the memory of each GPU goes, drawn and as figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.report.html.figures import DASH, bare_size, between, share, size
from qwen3_planner.report.html.markup import Content, Markup, join, tag
from qwen3_planner.report.html.page import section
from qwen3_planner.report.html.stacks import Bar, Part, stacked_bars, swatch
from qwen3_planner.report.html.tables import Column, table
from qwen3_planner.report.memory_text import ranks_in_short

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.plan import GpuMemory, Plan, Provenance

NINETY_PERCENT = 1.645
"""Standard deviations on each side of a 90 % interval."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A part of a GPU's memory: its kind in the style sheet, name, attribute and figure."""

    kind: str
    name: str
    attribute: str
    figure: str


KINDS = (
    _Kind("weights", "Weights", "weights_bytes", "memory.weights"),
    _Kind("kv", "KV cache", "kv_cache_bytes", "memory.kvCache"),
    _Kind("activations", "Activations", "activation_bytes", "memory.activation"),
    _Kind("graphs", "CUDA graphs", "graph_bytes", "memory.graphs"),
    _Kind("other", "Overhead", "overhead_bytes", "memory.overhead"),
)


def memory_section(plan: Plan, heading: str = "") -> Markup:
    """Draw the memory of one replica's GPUs; those alike share a bar.

    Args:
        plan: whose memory.
        heading: of the section; empty: what is shown.
    """
    groups = _alike(plan.memory.per_gpu)
    bars = [_bar(_named(plan, ranks, gpu), gpu) for ranks, gpu in groups]
    gpus = len(plan.memory.per_gpu)
    name = plan.placement.accelerator
    title = f"Memory of {name}" if gpus == 1 else f"Memory of each of {gpus} x {name}"
    drawing = stacked_bars("memory-bars", title, _described(plan, groups), bars)
    tables = [
        _figures(plan, gpu, _named(plan, ranks, gpu) if len(groups) > 1 else "One GPU")
        for ranks, gpu in groups
    ]
    return section(
        "memory",
        heading or title,
        drawing,
        tag("div", *tables, class_="tables"),
        note="GiB of one replica's GPUs. The mark shows what KV cache the load asked for needs.",
        long=len(groups) > 1,
    )


def _alike(per_gpu: Sequence[GpuMemory]) -> list[tuple[list[int], GpuMemory]]:
    members: dict[GpuMemory, list[int]] = {}
    for gpu in per_gpu:
        members.setdefault(replace(gpu, rank=0), []).append(gpu.rank)
    return [(ranks, gpu) for gpu, ranks in members.items()]


def _bar(named: str, gpu: GpuMemory) -> Bar:
    whole = gpu.device_bytes
    parts = [
        Part(
            kind.name,
            kind.kind,
            n_bytes,
            f"{kind.name}: {size(n_bytes)}, {share(n_bytes, whole)} of the device",
        )
        for kind, n_bytes in _sizes(gpu)
    ]
    free = _free(gpu)
    parts.append(Part("Free", "free", free, f"Left alone: {size(free)}, {share(free, whole)}"))
    need = gpu.weights_bytes + gpu.kv_needed_bytes
    marks = ((need, f"load needs {size(gpu.kv_needed_bytes)} of KV"),)
    return Bar(
        f"{named}: {size(whole)} on the device",
        whole,
        tuple(parts),
        marks if gpu.kv_needed_bytes else (),
    )


def _sizes(gpu: GpuMemory) -> Iterator[tuple[_Kind, int]]:
    for kind in KINDS:
        yield kind, getattr(gpu, kind.attribute)


def _free(gpu: GpuMemory) -> int:
    return max(0, gpu.device_bytes - sum(n_bytes for _, n_bytes in _sizes(gpu)))


def _named(plan: Plan, ranks: list[int], gpu: GpuMemory) -> str:
    named = ranks_in_short(ranks).replace("rank", "Rank" if len(ranks) == 1 else "Ranks")
    return f"{named}, stage {gpu.stage}" if plan.layout.pipeline > 1 else named


def _described(plan: Plan, groups: Sequence[tuple[list[int], GpuMemory]]) -> str:
    said = []
    for ranks, gpu in groups:
        parts = ", ".join(f"{kind.name} {size(n_bytes)}" for kind, n_bytes in _sizes(gpu))
        free = size(_free(gpu))
        said.append(
            f"{_named(plan, ranks, gpu)} of {size(gpu.device_bytes)}: {parts}, free {free}."
        )
    return " ".join(said)


def _figures(plan: Plan, gpu: GpuMemory, named: str) -> Markup:
    sources = {one.figure: one for one in plan.provenance}
    whole = gpu.device_bytes
    rows: list[list[Content]] = []
    for kind, n_bytes in _sizes(gpu):
        known = sources.get(kind.figure)
        rows.append(
            [
                join(swatch(kind.kind), kind.name),
                bare_size(n_bytes),
                _interval(plan, kind, n_bytes, known),
                share(n_bytes, whole),
                known.basis.value if known else DASH,
            ]
        )
    free = _free(gpu)
    rows.append([join(swatch("free"), "Free"), bare_size(free), DASH, share(free, whole), DASH])
    return table(
        f"{named}, in GiB",
        (
            Column("Part"),
            Column("GiB", is_number=True),
            Column("90 % interval", is_number=True),
            Column("Share", is_number=True),
            Column("Basis"),
        ),
        rows,
        class_="narrow",
        foot=("On the device", bare_size(whole), DASH, share(whole, whole), _basis_of_device(plan)),
    )


def _basis_of_device(plan: Plan) -> str:
    return next((one.basis.value for one in plan.provenance if one.figure == "memory.device"), DASH)


def _interval(plan: Plan, kind: _Kind, n_bytes: int, known: Provenance | None) -> str:
    """Say the ends: the plan's own for the pool, else from the error of the figure."""
    memory = plan.memory
    if kind.kind == "kv" and memory.kv_cache_tokens:
        ends = [
            n_bytes * tokens / memory.kv_cache_tokens
            for tokens in (memory.kv_cache_tokens_low, memory.kv_cache_tokens_high)
        ]
    elif known is not None:
        error = NINETY_PERCENT * known.relative_error
        ends = [n_bytes * max(0.0, 1 - error), n_bytes * (1 + error)]
    else:
        return DASH
    low, high = map(bare_size, ends)
    return low if low == high else between(low, high)
