"""Steps that give up what the user fixed of the layout, or the weight format."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.candidates import LARGEST_FREE_REPLICA, MOST_FREE_STAGES
from qwen3_planner.catalog.tensor_sizes import legal_tensor_sizes
from qwen3_planner.changes import PARALLELISM_NAMES, apply_change
from qwen3_planner.engines.ladders import PRECISION, ladder_of
from qwen3_planner.plan import Change
from qwen3_planner.question import understand
from qwen3_planner.remedies.trying import Stuck, one
from qwen3_planner.request import EngineName, KvCacheDtype, ParallelismWish, Quantization
from qwen3_planner.solving import solve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qwen3_planner.changes import Value
    from qwen3_planner.plan import Layout


def layout_step(stuck: Stuck) -> Change | None:
    """Give one fixed size its nearest value that works; else all fixed sizes the best ones."""
    wish = stuck.request.parallelism
    steps = [
        (abs(value - fixed), PARALLELISM_NAMES.index(name), value, name)
        for name in PARALLELISM_NAMES
        if (fixed := getattr(wish, name)) is not None
        for value in _values(stuck, name)
        if value != fixed
    ]
    single = stuck.first(one(name, value) for _, _, value, name in sorted(steps))
    return single or _all_free(stuck, ())


def _values(stuck: Stuck, name: str) -> Iterable[int]:
    """List what a size may be."""
    model, wish = stuck.question.model, stuck.request.parallelism
    match name:
        case "tensor":
            return legal_tensor_sizes(model)
        case "pipeline":
            return range(1, min(model.layers, MOST_FREE_STAGES) + 1)
        case "expert":
            groups = {1} | {size * (wish.data or 1) for size in legal_tensor_sizes(model)}
            return sorted(groups) if model.is_moe else (1,)
        case _:
            return range(1, LARGEST_FREE_REPLICA + 1)


def experts_step(stuck: Stuck) -> Change | None:
    """Leave experts whole: spread them over a group of the ranks that were fixed."""
    wish = stuck.request.parallelism
    if wish.tensor is None or not stuck.question.model.is_moe:
        return None
    ranks = wish.tensor * (wish.data or 1)
    sizes = (size for size in range(2, ranks + 1) if ranks % size == 0)
    return stuck.first(one("expert", size) for size in sizes if size != wish.expert)


def _all_free(stuck: Stuck, first: tuple[tuple[str, Value], ...]) -> Change | None:
    """Apply some assignments, let the planner choose the layout, and fix what it chose.

    Only sizes that the user had fixed, and that come out different, are assigned.
    """
    wish = stuck.request.parallelism
    if wish == ParallelismWish():
        return None
    layout = _best_layout(stuck, first)
    if layout is None:
        return None
    freed = tuple(
        (name, getattr(layout, name))
        for name in PARALLELISM_NAMES
        if getattr(wish, name) not in (None, getattr(layout, name))
    )
    change = Change((*first, *freed))
    return change if stuck.gives_plan(change) else None


def _best_layout(stuck: Stuck, first: tuple[tuple[str, Value], ...]) -> Layout | None:
    request, inventory = apply_change(stuck.request, stuck.inventory, Change(first), stuck.catalog)
    freed = replace(request, parallelism=ParallelismWish(data=1))
    best = solve(understand(freed, inventory, stuck.catalog), inventory).best
    return None if best is None else best.fit.candidate.layout


def kv_cache_step(stuck: Stuck) -> Change | None:
    """Halve the KV cache, or take it back where the engine cannot keep it so."""
    asked = stuck.request.kv_cache_dtype
    small, plain = KvCacheDtype.FP8, KvCacheDtype.BF16
    if stuck.question.engine is EngineName.LLAMACPP:
        small, plain = KvCacheDtype.Q8_0, KvCacheDtype.FP16
    others = (small,) if asked is KvCacheDtype.AUTO else (small, plain)
    return stuck.first(one("kvCacheDtype", other.value) for other in others if other is not asked)


def quantization_step(stuck: Stuck) -> Change | None:
    """Take the next weight format down the ladder, or up where none below works."""
    return stuck.first(one("quantization", name) for name in _formats(stuck))


def _formats(stuck: Stuck) -> Iterator[str]:
    asked = stuck.request.quantization
    if asked is Quantization.AUTO:
        return
    ladder = ladder_of(stuck.question.engine)
    if asked is Quantization.BF16 and asked in ladder:
        yield Quantization.FP16.value  # the same checkpoint runs where bf16 does not
    place = PRECISION.index(asked)
    lower = [other for other in ladder if PRECISION.index(other) > place]
    higher = [other for other in reversed(ladder) if PRECISION.index(other) < place]
    yield from (other.value for other in (*lower, *higher))


def quantization_and_layout_step(stuck: Stuck) -> Change | None:
    """Take another weight format and free the layout."""
    changes = (_all_free(stuck, (("quantization", name),)) for name in _formats(stuck))
    return next((change for change in changes if change is not None), None)
