"""From verdicts to the answer: a plan with its figures, warnings and alternatives, or a no."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from qwen3_planner.advice import warnings_of
from qwen3_planner.candidates import node_name
from qwen3_planner.capacity import concurrency_by_context
from qwen3_planner.engines.adapters import largest_rank
from qwen3_planner.estimating import estimate
from qwen3_planner.plan import (
    GpuMemory,
    LoraRoom,
    Memory,
    NoPlan,
    PlacedNode,
    Placement,
    Plan,
)
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.sizing.tensors import parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import Nearest, Provenance, Refusal
    from qwen3_planner.question import Question
    from qwen3_planner.rank import Score
    from qwen3_planner.serving.verdicts import Fit
    from qwen3_planner.solving import Refused, Solution

MOST_ALTERNATIVES = 3
"""Plans told beside the best one."""

MOST_REFUSALS = 12
"""Refusals told, one for each rule, weight format and accelerator."""

FARTHEST = 1000.0
"""Targets missed by more than so many times are equally far."""

MISSING_STEPS = 20
"""Refusals that lack about as much (in twentieths of a GPU) count as equally near."""


def tell(question: Question, solution: Solution, inventory: Inventory, catalog: Catalog) -> Plan:
    """Turn the best verdict into a plan, with those that differ usefully beside it."""
    best, *others = solution.scores
    alternatives = tuple(
        _plan_of(question, score, inventory, catalog) for score in useful_alternatives(best, others)
    )
    refusals = tuple(refused.refusal for refused in telling_refusals(solution.refused))
    plan = _plan_of(question, best, inventory, catalog)
    return replace(plan, alternatives=alternatives, refusals=refusals)


def useful_alternatives(best: Score, others: list[Score]) -> list[Score]:
    """Pick another weight format, another accelerator, and another number of GPUs, in rank order.

    The best of each; what is left over is filled up with further numbers of GPUs.
    """
    views = (_format, _accelerator, _kind)
    firsts = [
        next((score for score in others if view(score) != view(best)), None) for view in views
    ]
    chosen = {id(score): score for score in firsts if score is not None}
    seen = {_kind(score) for score in (best, *chosen.values())}
    for score in others:
        if len(chosen) == MOST_ALTERNATIVES:
            break
        if _kind(score) not in seen:
            seen.add(_kind(score))
            chosen[id(score)] = score
    return [score for score in others if id(score) in chosen]


def _format(score: Score) -> str:
    return score.fit.candidate.choice.fmt.quantization.value


def _accelerator(score: Score) -> str:
    return score.fit.candidate.pool.accelerator.name


def _kind(score: Score) -> tuple[str, str, int]:
    gpus = score.fit.candidate.layout.gpus_per_replica
    return _accelerator(score), _format(score), gpus


def telling_refusals(refused: tuple[Refused, ...]) -> list[Refused]:
    """Pick one refusal for each rule, weight format and accelerator, nothing said twice.

    Of each the nearest miss.

    First those that only the number of nodes stands against, then those that lack least memory,
    then illegal ones.
    """
    nearest: dict[tuple[str, str, str | None], Refused] = {}
    for one in refused:
        refusal = one.refusal
        key = (refusal.rule, refusal.quantization, refusal.accelerator)
        if key not in nearest or _distance(one) < _distance(nearest[key]):
            nearest[key] = one
    ordered = sorted(nearest.values(), key=_distance)
    said: dict[str, Refused] = {}
    for one in ordered:
        said.setdefault(one.refusal.message, one)
    return list(said.values())[:MOST_REFUSALS]


def _distance(one: Refused) -> tuple[int, int, int]:
    """Order refusals by how little stands against the candidate."""
    gpus = one.candidate.layout.gpus_per_replica if one.candidate else 0
    if one.refusal.rule == "MultiNodeNotSupported" and one.candidate:
        return (0, one.candidate.layout.nodes_per_replica, one.candidate.layout.pipeline)
    if one.misfit is not None and one.candidate:
        misfit = one.misfit
        share_missing = misfit.missing_bytes * MISSING_STEPS // misfit.stage.budget
        return (1, share_missing, one.candidate.layout.pipeline)
    if one.missed is not None:
        shares = [shortfall.share for shortfall in one.missed.shortfalls]
        worst = min(FARTHEST, max(shares)) if shares else FARTHEST
        return (0, round(worst * MISSING_STEPS), gpus)
    return (2, gpus, 0)


def _plan_of(question: Question, score: Score, inventory: Inventory, catalog: Catalog) -> Plan:
    if score.replicas != question.request.replicas:
        settled = replace(question.request, replicas=score.replicas)
        question = replace(question, request=settled)
    request, fit = question.request, score.fit
    estimated = estimate(question, score, catalog)
    candidate, serving = fit.candidate, serving_of(question.engine)
    served_name = request.served_name or question.model.name
    launch = serving.launch(question, fit, served_name)
    return Plan(
        variant=question.model.name,
        parameters=parameters(question.model),
        source=candidate.choice.source,
        revision=request.revision,
        served_name=served_name,
        engine=question.engine.value,
        engine_version=str(question.version),
        quantization=candidate.choice.fmt.quantization.value,
        kv_cache_dtype=launch.kv_cache_dtype,
        max_model_len=fit.max_model_len,
        replicas=request.replicas,
        layout=candidate.layout,
        placement=_placement(fit),
        memory=_memory(question, fit),
        usd_per_hour=score.usd_per_hour,
        provenance=(*_of_memory(question, fit), *estimated.provenance),
        command=launch.command,
        env=launch.env,
        warnings=(*warnings_of(question, fit, inventory), *estimated.warnings),
        performance=estimated.performance,
        cost=estimated.cost,
        reading=estimated.reading,
        lora=_lora(question, fit),
    )


def _lora(question: Question, fit: Fit) -> LoraRoom | None:
    """Tell the room for adapters; llama.cpp has as many places as adapters, each of its own."""
    adapters, tuning = question.request.adapters, question.tuning
    slots = tuning.max_loras or len(adapters)
    if not slots:
        return None
    return LoraRoom(
        slots=slots,
        rank=tuning.max_lora_rank or largest_rank(question.request),
        bytes_per_gpu=serving_of(question.engine).adapter_bytes(question, fit),
        adapters=tuple((adapter.name, adapter.source) for adapter in adapters),
    )


def _of_memory(question: Question, fit: Fit) -> tuple[Provenance, ...]:
    """Tell where the figures of memory come from, measurements among them."""
    said = serving_of(question.engine).provenance(question, fit)
    if fit.correction is None:
        return said
    from qwen3_planner.corrections.provenance import measured  # noqa: PLC0415 - only where calibrated

    return measured(said, fit.correction)


def _placement(fit: Fit) -> Placement:
    candidate = fit.candidate
    layout = candidate.layout
    node = PlacedNode(node_name(candidate.pool, layout), layout.gpus_per_node)
    return Placement(candidate.pool.accelerator.name, (node,) * layout.nodes_per_replica)


def _memory(question: Question, fit: Fit) -> Memory:
    serving = serving_of(question.engine)
    low, tokens, high = (
        serving.logged_tokens(question, fit.candidate.layout, blocks, fit.max_model_len)
        for blocks in serving.pool_blocks(fit)
    )
    return Memory(
        checkpoint_bytes=serving.checkpoint_bytes(question, fit.candidate.choice),
        host_bytes=serving.host_bytes(question, fit),
        per_gpu=tuple(_per_gpu(question, fit)),
        kv_cache_tokens=tokens,
        kv_cache_tokens_low=low,
        kv_cache_tokens_high=high,
        max_concurrency=round(tokens / fit.max_model_len, 2),
        concurrency_by_context=concurrency_by_context(question, fit),
    )


def _per_gpu(question: Question, fit: Fit) -> Iterator[GpuMemory]:
    """Yield every GPU of one replica in rank order: data, pipeline, tensor."""
    serving, layout = serving_of(question.engine), fit.candidate.layout
    _, blocks, _ = serving.pool_blocks(fit)

    @cache
    def weights(stage: int, expert_rank: int) -> int:
        return serving.rank_weights(question, fit, stage, expert_rank)

    for rank in range(layout.gpus_per_replica):
        data_rank, within = divmod(rank, layout.pipeline * layout.tensor)
        stage_index, tensor_rank = divmod(within, layout.tensor)
        stage = fit.stages[stage_index]
        # ranks that share every expert are alike
        expert_rank = data_rank * layout.tensor + tensor_rank if layout.expert > 1 else 0
        yield GpuMemory(
            rank=rank,
            stage=stage_index,
            weights_bytes=weights(stage_index, expert_rank),
            kv_cache_bytes=blocks * stage.block,
            kv_needed_bytes=fit.needed_blocks * stage.block,
            activation_bytes=stage.activation,
            graph_bytes=stage.graphs,
            overhead_bytes=stage.overhead,
            budget_bytes=stage.budget,
            device_bytes=fit.candidate.pool.device_bytes,
        )


def first_source(question: Question, catalog: Catalog) -> str:
    """Name the checkpoint that was asked about first; the plain one where none is known."""
    known = catalog.checkpoints_of(question.model.name)
    sources = [choice.source for choice in question.choices] or [row.uri for row in known]
    return sources[0] if sources else ""


def nothing_fits(
    question: Question, source: str, refusals: Sequence[Refusal], nearest: Nearest | None
) -> NoPlan:
    """Say that nothing fits, why, and what would."""
    return NoPlan(
        variant=question.model.name,
        parameters=parameters(question.model),
        source=source,
        refusals=tuple(refusals),
        nearest=nearest,
    )
