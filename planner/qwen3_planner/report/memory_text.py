"""Where the memory of each GPU goes, as a table for the terminal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.report.table import render
from qwen3_planner.units import gib

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.plan import GpuMemory

_LABEL_WIDTH = 14
_NUMBER_WIDTH = 7
_COLUMN_WIDTH = 13

_WHOLE_BUDGET = 0.98
"""Share of the budget from which the parts are said to be all of it: pools end on whole blocks."""

_GRAPHS = "graph_bytes"

_PARTS = (
    ("weights", "weights_bytes"),
    ("KV cache", "kv_cache_bytes"),
    ("activations", "activation_bytes"),
    ("CUDA graphs", _GRAPHS),
    ("other", "overhead_bytes"),
)


_EIGHTHS = " \u258f\u258e\u258d\u258c\u258b\u258a\u2589\u2588"
"""Bars grow by an eighth of a column where the encoding has these blocks, else by whole signs."""

BLOCKS = _EIGHTHS[1:] + "\u2593\u2592\u2591"
"""Every character of bars that are not ASCII."""


@dataclass(frozen=True, slots=True)
class _Signs:
    """What bars are drawn with: weights, KV cache, other parts, what is left alone."""

    weights: str
    kv_cache: str
    others: str
    left: str


_DRAWN = _Signs(*"\u2588\u2593\u2592\u2591")
_TYPED = _Signs(*"WKo.")


def memory_lines(
    per_gpu: Sequence[GpuMemory], width: int, *, device: str = "the GPU", blocks: bool = False
) -> list[str]:
    """Show the memory of one replica's GPUs in GiB, with bars.

    Ranks whose figures are equal are shown once: a bar a part where all are equal, else columns of
    figures and a stacked bar for each kind of rank.

    Args:
        per_gpu: in rank order.
        width: of the terminal.
        device: what a single one is called; a board without a GPU has a name, too.
        blocks: draw with block characters; without them with ASCII.
    """
    members: dict[GpuMemory, list[int]] = {}
    for gpu in per_gpu:
        members.setdefault(replace(gpu, rank=0), []).append(gpu.rank)
    alike = [(ranks, gpu) for gpu, ranks in members.items()]
    if len(alike) == 1:
        return _bars(alike[0][1], len(per_gpu), width, device=device, blocks=blocks)
    room = max(1, (width - _LABEL_WIDTH) // _COLUMN_WIDTH)
    lines = ["Memory per GPU, in GiB"]
    for start in range(0, len(alike), room):
        lines += [f"  {line}" for line in _columns(alike[start : start + room])]
    return [*lines, *_stacked(alike, width, _DRAWN if blocks else _TYPED)]


def _stacked(
    alike: Sequence[tuple[list[int], GpuMemory]], width: int, signs: _Signs
) -> Iterator[str]:
    """Draw one line for each kind of rank; its full length is the device."""
    names = [ranks_in_short(ranks) for ranks, _ in alike]
    label = max(_LABEL_WIDTH, *(len(name) + 2 for name in names))
    room = max(10, width - 2 - label)
    for name, (_, gpu) in zip(names, alike, strict=True):
        yield f"  {name.ljust(label)}{_stack(gpu, room, signs)}"
    words = ("weights", "KV cache", "other parts", "left alone")
    drawn = (signs.weights, signs.kv_cache, signs.others, signs.left)
    said = (f"{sign} {word}" for sign, word in zip(drawn, words, strict=True))
    yield f"  {' ' * label}{'  '.join(said)}"


def _stack(gpu: GpuMemory, room: int, signs: _Signs) -> str:
    others = gpu.activation_bytes + gpu.graph_bytes + gpu.overhead_bytes
    parts = (
        (signs.weights, gpu.weights_bytes),
        (signs.kv_cache, gpu.kv_cache_bytes),
        (signs.others, others),
    )
    bar, end = "", 0
    for sign, size in parts:
        end += size
        bar += sign * (round(room * end / gpu.device_bytes) - len(bar))
    return bar.ljust(room, signs.left)


def _bars(gpu: GpuMemory, count: int, width: int, *, device: str, blocks: bool) -> list[str]:
    what = device if count == 1 else f"each of {count} GPUs"
    title = f"Memory of {what}, in GiB"
    room = max(10, width - 2 - _LABEL_WIDTH - _NUMBER_WIDTH - 2)
    lines = [title]
    for label, attribute in _PARTS:
        size = getattr(gpu, attribute)
        if attribute == _GRAPHS and not size:
            continue  # switched off, or an engine or a board without them
        bar = _bar(room * size / gpu.device_bytes, blocks=blocks)
        lines.append(_bar_line(label, size, bar))
    taken = _taken(gpu)
    left = gpu.device_bytes - taken
    dots = (_DRAWN if blocks else _TYPED).left * round(room * left / gpu.device_bytes)
    lines.append(_bar_line("left alone", left, dots))
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


def _bar(columns: float, *, blocks: bool) -> str:
    """Draw a bar of so many columns.

    >>> _bar(2.6, blocks=False), len(_bar(2.6, blocks=True))
    ('###', 3)
    """
    if not blocks:
        return "#" * round(columns)
    whole, rest = divmod(round(columns * 8), 8)
    return _EIGHTHS[-1] * whole + _EIGHTHS[rest].strip()


def _bar_line(label: str, size: int, bar: str) -> str:
    return f"  {label.ljust(_LABEL_WIDTH)}{_number(size)}  {bar}".rstrip()


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
