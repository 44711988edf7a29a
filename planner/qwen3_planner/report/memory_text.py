"""Where the memory of each GPU goes, as a table for the terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.report.table import render
from qwen3_planner.units import gib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.plan import GpuMemory

_LABEL_WIDTH = 14
_NUMBER_WIDTH = 7
_COLUMN_WIDTH = 13

_WHOLE_BUDGET = 0.98
"""Share of the budget from which the parts are said to be all of it: pools end on whole blocks."""

_PARTS = (
    ("weights", "weights_bytes"),
    ("KV cache", "kv_cache_bytes"),
    ("activations", "activation_bytes"),
    ("CUDA graphs", "graph_bytes"),
    ("other", "overhead_bytes"),
)


def memory_lines(per_gpu: Sequence[GpuMemory], width: int, *, bar: str = "#") -> list[str]:
    """Show the memory of one replica's GPUs in GiB.

    Ranks whose figures are equal are shown once: with bars where all are equal, else as columns.
    """
    members: dict[GpuMemory, list[int]] = {}
    for gpu in per_gpu:
        members.setdefault(replace(gpu, rank=0), []).append(gpu.rank)
    alike = [(ranks, gpu) for gpu, ranks in members.items()]
    if len(alike) == 1:
        return _bars(alike[0][1], len(per_gpu), width, bar)
    room = max(1, (width - _LABEL_WIDTH) // _COLUMN_WIDTH)
    lines = ["Memory per GPU, in GiB"]
    for start in range(0, len(alike), room):
        lines += [f"  {line}" for line in _columns(alike[start : start + room])]
    return lines


def _bars(gpu: GpuMemory, count: int, width: int, bar: str) -> list[str]:
    title = "Memory of the GPU, in GiB" if count == 1 else f"Memory of each of {count} GPUs, in GiB"
    room = max(10, width - 2 - _LABEL_WIDTH - _NUMBER_WIDTH - 2)
    lines = [title]
    for label, attribute in _PARTS:
        size = getattr(gpu, attribute)
        lines.append(_bar_line(label, size, gpu.device_bytes, room, bar))
    taken = _taken(gpu)
    lines.append(_bar_line("left alone", gpu.device_bytes - taken, gpu.device_bytes, room, "."))
    share = 100 * taken / gpu.device_bytes
    lines.append(
        f"  {'on the device'.ljust(_LABEL_WIDTH)}{_number(gpu.device_bytes)}"
        f"  of which the engine takes {_number(taken).strip()} ({share:.0f} %)"
    )
    return lines


def _taken(gpu: GpuMemory) -> int:
    """Return what the engine takes: its whole budget, or less where its pool leaves some."""
    parts = sum(getattr(gpu, attribute) for _, attribute in _PARTS)
    return parts if parts < _WHOLE_BUDGET * gpu.budget_bytes else gpu.budget_bytes


def _bar_line(label: str, size: int, whole: int, room: int, bar: str) -> str:
    length = round(room * size / whole)
    return f"  {label.ljust(_LABEL_WIDTH)}{_number(size)}  {bar * length}".rstrip()


def _columns(alike: Sequence[tuple[list[int], GpuMemory]]) -> list[str]:
    headers = ["", *(ranks_in_short(ranks) for ranks, _ in alike)]
    rows = [["stage", *(str(gpu.stage) for _, gpu in alike)]]
    rows += [
        [label, *(_number(getattr(gpu, attribute)).strip() for _, gpu in alike)]
        for label, attribute in _PARTS
    ]
    rows.append(["for the engine", *(_number(_taken(gpu)).strip() for _, gpu in alike)])
    rows.append(["on the device", *(_number(gpu.device_bytes).strip() for _, gpu in alike)])
    return render(headers, rows, right=headers[1:])


def ranks_in_short(ranks: Sequence[int]) -> str:
    """Name ranks in short.

    >>> ranks_in_short([3]), ranks_in_short([0, 1, 2, 3]), ranks_in_short([0, 1, 4, 5])
    ('rank 3', 'rank 0-3', 'rank 0-1,4-5')
    """
    runs: list[list[int]] = []
    for rank in ranks:
        if runs and rank == runs[-1][-1] + 1:
            runs[-1].append(rank)
        else:
            runs.append([rank])
    return "rank " + ",".join(
        str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs
    )


def _number(size: int) -> str:
    return f"{gib(size):{_NUMBER_WIDTH}.2f}"
