"""The last resort: several assignments at once, none of which could be left out."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from qwen3_planner.changes import PARALLELISM_NAMES, TARGET_FIELDS
from qwen3_planner.inventory.hardware import Inventory, NodeGroup
from qwen3_planner.plan import UNSET, Change
from qwen3_planner.question import settle_engine, understand
from qwen3_planner.remedies.hardware import least_bytes, server_sizes
from qwen3_planner.remedies.trying import MOST_PLACES, smallest_part
from qwen3_planner.remedies.tuning import TAKEN_BACK, taken_back
from qwen3_planner.request import (
    EngineTuning,
    KvCacheDtype,
    ParallelismWish,
    PlanRequest,
    Quantization,
    Targets,
    Workload,
)
from qwen3_planner.rules.serving import longest_context
from qwen3_planner.solving import Judged
from qwen3_planner.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.changes import Value
    from qwen3_planner.remedies.trying import Stuck
    from qwen3_planner.serving.verdicts import Fit

    Assignments = tuple[tuple[str, Value], ...]


MOST_FRUITLESS = 3
"""Places whose plan cannot be put as a change of the question, before it is given up: what is in
the way there has no option, and is in the way elsewhere too."""


def together_step(stuck: Stuck) -> Change | None:
    """Free everything that was fixed, here and then on other hardware, then give back what works.

    The load is lowered only where nothing holds it. What remains is minimal: without any one of
    its assignments there is no plan.
    """
    for request in _freed(stuck):
        fruitless, judged = 0, Judged()
        most = MOST_PLACES if request.targets.are_given else None
        for first in islice(_places(stuck, request), most):
            # of the hardware that is here more is known than of a server that is sold
            if not stuck.has_fit_of(request, Change(first), judged if first else None):
                continue
            change = _freed_change(stuck, request, first)
            if change is not None:
                return smallest_part(stuck, change)
            fruitless += 1
            if fruitless == MOST_FRUITLESS:
                return None
    return None


def _freed(stuck: Stuck) -> Iterator[PlanRequest]:
    """Yield the request without what binds it, then with the smallest load too."""
    request = stuck.request
    limit = longest_context(stuck.question.model)
    context = request.max_model_len
    keeps_context = context is None or max(context, stuck.question.request_tokens or 0) <= limit
    freed = replace(
        request,
        engine_version=None,
        quantization=Quantization.AUTO,
        kv_cache_dtype=KvCacheDtype.AUTO,
        parallelism=ParallelismWish(data=1),
        tuning=EngineTuning(),
        accelerators=(),
        max_gpus=None,
        max_nodes_per_replica=None,
        max_model_len=context if keeps_context else None,
    )
    yield freed
    without = replace(freed, targets=Targets())
    if request.targets.are_given:
        yield without
    yield replace(without, workload=Workload(), max_model_len=None, replicas=1)


def _places(stuck: Stuck, request: PlanRequest) -> Iterator[Assignments]:
    """Yield the hardware that is here, then servers, least device memory first."""
    yield ()
    least: dict[str, int] = {}  # by name of the engine, then by that of the accelerator
    for memory_mib, text, accelerator, gpus in server_sizes(
        stuck.catalog, stuck.question.engine, frozenset()
    ):
        # another engine may run there, from other files
        if accelerator.name not in least:
            place = Inventory((NodeGroup(accelerator, gpus),))
            engine = settle_engine(request, place)
            if engine not in least:
                least[engine] = least_bytes(understand(request, place, stuck.catalog))
            least[accelerator.name] = least[engine]
        if memory_mib * MIB >= least[accelerator.name] * request.replicas:
            yield (("hardware", text),)


def _freed_change(stuck: Stuck, freed: PlanRequest, first: Assignments) -> Change | None:
    """Solve the freed request, and write down where its best plan departs from what was asked."""
    after = stuck.solution_of(freed, Change(first))
    if after is None or after.best is None:
        return None
    found = after.best.fit
    departures = (
        *first,
        *_departures(stuck.request, freed, found, stuck.question.release.default_version),
    )
    change = Change(departures)
    return change if departures and stuck.gives_plan(change) else None


def _departures(
    request: PlanRequest, freed: PlanRequest, found: Fit, default_version: str
) -> Iterator[tuple[str, Value]]:
    candidate, layout = found.candidate, found.candidate.layout
    accelerator, fmt = candidate.pool.accelerator.name, candidate.choice.fmt
    if request.engine_version not in (None, default_version):
        yield "engineVersion", default_version
    if request.quantization not in (Quantization.AUTO, fmt.quantization):
        yield "quantization", fmt.quantization.value
    if request.kv_cache_dtype is not KvCacheDtype.AUTO:
        yield "kvCacheDtype", KvCacheDtype.AUTO.value
    for name in PARALLELISM_NAMES:
        if getattr(request.parallelism, name) not in (None, getattr(layout, name)):
            yield name, getattr(layout, name)
    if request.accelerators and accelerator not in request.accelerators:
        yield "accelerators", accelerator
    if request.max_nodes_per_replica is not None:
        yield "maxNodesPerReplica", max(request.max_nodes_per_replica, layout.nodes_per_replica)
    if request.max_gpus is not None:
        yield "maxGpus", max(request.max_gpus, layout.gpus_per_replica * request.replicas)
    if request.max_model_len not in (None, found.max_model_len):
        yield "maxModelLen", found.max_model_len
    yield from _target_departures(request, freed)
    yield from _load_departures(request, freed)
    yield from _tuning_departures(request, found)


def _target_departures(request: PlanRequest, freed: PlanRequest) -> Iterator[tuple[str, Value]]:
    if freed.targets == request.targets:
        return
    for name, field in TARGET_FIELDS.items():
        if getattr(request.targets, field) is not None:
            yield name, UNSET


def _load_departures(request: PlanRequest, freed: PlanRequest) -> Iterator[tuple[str, Value]]:
    if freed.workload == request.workload:
        return
    yield "concurrency", 1
    if request.workload.input_tokens is not None:
        yield "inputTokens", 1
    if request.workload.output_tokens is not None:
        yield "outputTokens", 1
    if freed.replicas != request.replicas:
        yield "replicas", freed.replicas


def _tuning_departures(request: PlanRequest, found: Fit) -> Iterator[tuple[str, Value]]:
    tuning, setting = request.tuning, found.setting
    if tuning.gpu_memory_utilization is not None:
        yield "gpuMemoryUtilization", setting.utilization
    if tuning.max_num_seqs is not None:
        yield "maxNumSeqs", setting.batch.seqs
    if tuning.max_num_batched_tokens is not None:
        yield "maxNumBatchedTokens", setting.batch.tokens
    for names in TAKEN_BACK:
        yield from taken_back(request, names)
