"""Steps that take more hardware, or other hardware."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.candidates import layouts, pools_of
from qwen3_planner.plan import Change
from qwen3_planner.remedies.trying import Stuck, one
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.sizing.kv_cache import kv_bytes_per_32, token_bytes
from qwen3_planner.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import Accelerator, Catalog
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.request import EngineName

NODE_SIZES = (1, 2, 4, 8)
"""GPUs of one server, as they are sold."""

LEAST_HELD_SHARE = 0.75
"""Of the files, what is surely loaded: 0.6B stores a tied head that is a fifth of them."""

MOST_NODES = 8
"""Servers of the largest size that are proposed together."""


def max_gpus_step(stuck: Stuck) -> Change | None:
    """Raise the bound on GPUs to the smallest that the hardware here can use."""
    bound = stuck.request.max_gpus
    if bound is None:
        return None
    request = stuck.request
    totals = {
        layout.gpus_per_replica * request.replicas
        for pool in pools_of(stuck.inventory, request.accelerators)
        for layout in layouts(
            stuck.question.model, pool, request.parallelism, request.replicas, pool.gpus
        )
    }
    return stuck.first(one("maxGpus", total) for total in sorted(totals) if total > bound)


def more_gpus_step(stuck: Stuck) -> Change | None:
    """Take more of an accelerator that is here, least device memory first."""
    pools = pools_of(stuck.inventory, stuck.request.accelerators)
    enough = least_bytes(stuck.question) * stuck.request.replicas
    proposals = [
        (gpus * pool.accelerator.memory_mib, _hardware(stuck, text, gpus))
        for pool in pools
        if serving_of(stuck.question.engine).runs_on(pool.accelerator)
        for gpus, text in _servers(pool.accelerator, pool.largest_node)
        if gpus > pool.gpus and gpus * pool.accelerator.memory_mib * MIB >= enough
    ]
    return stuck.first_place(change for _, change in sorted(proposals, key=lambda pair: pair[0]))


def other_accelerator_here_step(stuck: Stuck) -> Change | None:
    """Allow an accelerator that is here and was not allowed, smallest first."""
    allowed = {name.lower() for name in stuck.request.accelerators}
    if not allowed:
        return None
    others = [a for a in stuck.inventory.accelerators if a.name.lower() not in allowed]
    others.sort(key=lambda accelerator: accelerator.memory_mib)
    return stuck.first(one("accelerators", accelerator.name) for accelerator in others)


def other_hardware_step(stuck: Stuck) -> Change | None:
    """Take servers of another accelerator, least device memory first."""
    here = frozenset(accelerator.name for accelerator in stuck.inventory.accelerators)
    enough = least_bytes(stuck.question) * stuck.request.replicas
    return stuck.first_place(
        _hardware(stuck, text, gpus, accelerator)
        for memory_mib, text, accelerator, gpus in server_sizes(
            stuck.catalog, stuck.question.engine, here
        )
        if memory_mib * MIB >= enough
    )


@lru_cache(maxsize=64)
def server_sizes(
    catalog: Catalog, engine: EngineName, without: frozenset[str]
) -> tuple[tuple[int, str, Accelerator, int], ...]:
    """List (device memory in MiB, short form, accelerator, GPUs), least memory first.

    Only accelerators of vendors that the engine is known to have an image for.
    """
    vendors = {vendor for vendor, _ in catalog.engine(engine.value).images}
    serving = serving_of(engine)
    sizes = [
        (gpus * accelerator.memory_mib, text, accelerator, gpus)
        for accelerator in catalog.accelerators
        if accelerator.name not in without and serving.runs_on(accelerator)
        if accelerator.vendor in vendors
        for gpus, text in _servers(accelerator, 0)
    ]
    return tuple(sorted(sizes, key=lambda size: size[:2]))


def least_bytes(question: Question) -> int:
    """Return a bound below which no device memory can be enough for one replica.

    The smallest weights there are, and the KV cache of the load without any copy of a head.
    """
    model, serving = question.model, serving_of(question.engine)
    layers, each = model.full_attention_layers(), question.request_tokens
    tokens = question.request.workload.concurrency * (each or question.shortest_context)

    def least(choice: WeightChoice) -> int:
        files = serving.checkpoint_bytes(question, choice)
        width = kv_bytes_per_32(serving.kv_cache(question, choice))
        cache = tokens * token_bytes(model, 1, layers, width)
        return max(int(files * LEAST_HELD_SHARE) + cache, serving.least_bytes(question, choice))

    return min((least(choice) for choice in question.choices), default=0)


def _servers(accelerator: Accelerator, node: int) -> Iterator[tuple[int, str]]:
    """Yield (GPUs, short form): single servers, then several of the largest, or of those here."""
    for size in NODE_SIZES:
        yield size, f"{size}x{accelerator.name}"
    largest = max(node, NODE_SIZES[-1])
    for nodes in range(2, MOST_NODES + 1):
        yield nodes * largest, f"{nodes}x{largest}x{accelerator.name}"


def _hardware(stuck: Stuck, text: str, gpus: int, accelerator: Accelerator | None = None) -> Change:
    """Assign hardware, with what else of the request would still forbid it."""
    assignments: list[tuple[str, str | int | float]] = [("hardware", text)]
    allowed = stuck.request.accelerators
    if accelerator is not None and allowed:
        assignments.append(("accelerators", accelerator.name))
    bound = stuck.request.max_gpus
    if bound is not None and gpus > bound:
        assignments.append(("maxGpus", gpus))
    return Change(tuple(assignments))
