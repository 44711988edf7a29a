"""Every candidate judged: the fits in order, and a refusal for each of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from qwen3_planner.candidates import Candidate, Pool, pools_of, replicas_that_fit
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.fit import Room, fit, fit_load, holds, room_of
from qwen3_planner.rank import Score, ranked
from qwen3_planner.refusals import (
    checkpoint_unknown,
    gpus_exceeded,
    memory_refusal,
    multi_node_not_supported,
    no_matching_accelerator,
    not_enough_hardware,
    target_missed,
)
from qwen3_planner.rules.chains import layout_refusal, pool_refusal
from qwen3_planner.rules.facts import LayoutFacts, PoolFacts
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.serving.verdicts import Fit, Misfit
from qwen3_planner.speed import load_of
from qwen3_planner.targeting import Aimed, Missed, aim, has_aim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import Refusal
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.sizing.stages import Setting


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal beside what was refused.

    Attributes:
        refusal: why.
        candidate: None where a whole pool, or everything, was refused.
        misfit: numbers of the memory that was missing, where memory was the reason.
        missed: the targets that were missed, where speed was the reason.
    """

    refusal: Refusal
    candidate: Candidate | None = None
    misfit: Misfit | None = None
    missed: Missed | None = None


@dataclass(frozen=True, slots=True)
class Solution:
    """All verdicts on one question.

    Attributes:
        scores: of the candidates that fit, best first.
        refused: the others.
    """

    scores: tuple[Score, ...]
    refused: tuple[Refused, ...]

    @property
    def best(self) -> Score | None:
        """The winner, if any candidate fits."""
        return self.scores[0] if self.scores else None


def solve(question: Question, inventory: Inventory) -> Solution:
    """Judge every candidate of the question on this hardware."""
    request = question.request
    pools = pools_of(inventory, request.accelerators)
    if not question.choices:
        return Solution((), (Refused(checkpoint_unknown(question)),))
    if not pools:
        return Solution((), (Refused(no_matching_accelerator(question, inventory)),))
    aimed: list[Aimed] = []
    refused: list[Refused] = []
    for pool in pools:
        for choice in question.choices:
            for verdict in judge_pool(question, pool, choice):
                found = judge_aim(question, verdict) if isinstance(verdict, Fit) else verdict
                if isinstance(found, Aimed):
                    aimed.append(found)
                else:
                    refused.append(found)
    output_tokens = load_of(question).output_tokens
    return Solution(ranked(aimed, request.objective, output_tokens), tuple(refused))


def judge_aim(question: Question, held: Fit) -> Aimed | Refused:
    """Judge whether a fit meets the targets, and with how many replicas."""
    if not has_aim(question):
        return Aimed(held, question.request.replicas, None)
    found = aim(question, held)
    if isinstance(found, Aimed):
        return found
    return Refused(target_missed(question, found), held.candidate, missed=found)


Judged: TypeAlias = dict[tuple[object, ...], bool]
"""Whether what is told apart by engine, accelerator, weights and layout is legal, and fits."""


def has_fit(question: Question, inventory: Inventory, judged: Judged | None = None) -> bool:
    """Whether any candidate fits: :func:`solve` without telling why the others do not.

    Args:
        question: what is planned.
        inventory: the hardware.
        judged: what was judged on other hardware for this very request; it is added to. However
            many GPUs of an accelerator there are, a layout of it holds the same.
    """
    known: Judged = {} if judged is None else judged
    for pool in pools_of(inventory, question.request.accelerators):
        setting = serving_of(question.engine).setting(question, pool)
        for choice in question.choices:
            if _is_surely_short(question, choice, pool, pool.gpus):
                continue
            facts = pool_facts(question, pool, choice, setting)
            key = question.engine, pool.accelerator.name, choice.source, choice.fmt.quantization
            if key not in known:
                known[key] = pool_refusal(facts) is None
            if known[key] and any(
                _is_placed(question, candidate)
                and _fits(facts, candidate, setting, question, known)
                for candidate in reversed(candidates_of(question, pool, choice))
            ):
                return True
    return False


def _is_surely_short(question: Question, choice: WeightChoice, pool: Pool, gpus: int) -> bool:
    """Whether so many GPUs cannot hold the weights, whatever the layout and the rest of memory."""
    if question.calibration.memory:
        return False  # measurements may say that less is held
    return serving_of(question.engine).least_bytes(question, choice) > gpus * pool.device_bytes


def _is_placed(question: Question, candidate: Candidate) -> bool:
    layout, limit = candidate.layout, question.request.max_nodes_per_replica
    return (
        not _is_surely_short(question, candidate.choice, candidate.pool, layout.gpus_per_replica)
        and (limit is None or layout.nodes_per_replica <= limit)
        and gpus_exceeded(question, candidate) is None
        and _unplaced(question, candidate) is None
    )


def _fits(
    facts: PoolFacts, candidate: Candidate, setting: Setting, question: Question, known: Judged
) -> bool:
    choice, layout = candidate.choice, candidate.layout
    key = (
        question.engine,
        candidate.pool.accelerator.name,
        choice.source,
        choice.fmt.quantization,
        layout,
        _replicas_at_hand(question, candidate),
    )
    if key not in known:
        known[key] = (
            layout_refusal(LayoutFacts(facts, layout)) is None  # before its memory means anything
            and _holds_and_meets(question, candidate, setting)
        )
    return known[key]


def _replicas_at_hand(question: Question, candidate: Candidate) -> int:
    """Return how many replicas might be taken, where that decides anything; 0 elsewhere."""
    request = question.request
    if not request.replicas_are_open or not request.targets.are_given:
        return 0
    return candidate.pool.gpus // candidate.layout.gpus_per_replica


def _holds_and_meets(question: Question, candidate: Candidate, setting: Setting) -> bool:
    """Whether the load has room and is fast enough; memory alone is judged with less work."""
    if not question.request.targets.are_given:
        return holds(question, candidate, setting)
    found = fit(question, candidate, setting)
    return isinstance(found, Fit) and isinstance(aim(question, found), Aimed)


def judge_pool(question: Question, pool: Pool, choice: WeightChoice) -> Iterator[Fit | Refused]:
    """Yield a verdict for each layout of one weight format on one pool, or one for all."""
    setting = serving_of(question.engine).setting(question, pool)
    facts = pool_facts(question, pool, choice, setting)
    no = pool_refusal(facts)
    if no is not None:
        yield Refused(no)
        return
    for candidate in candidates_of(question, pool, choice):
        yield judge(question, facts, candidate, setting)


def candidates_of(question: Question, pool: Pool, choice: WeightChoice) -> tuple[Candidate, ...]:
    """List the candidates of one weight format on one pool."""
    request = question.request
    limit = pool.gpus if request.max_gpus is None else request.max_gpus // request.replicas
    found = serving_of(question.engine).layouts(question, pool, limit)
    return tuple(Candidate(pool, choice, layout) for layout in found)


def pool_facts(question: Question, pool: Pool, choice: WeightChoice, setting: Setting) -> PoolFacts:
    """Gather what the pool's rules look at."""
    return PoolFacts(
        model=question.model,
        fmt=choice.fmt,
        accelerator=pool.accelerator,
        engine=question.engine,
        version=min(question.version, parse_version(question.release.newest_known_version)),
        kv_cache_dtype=serving_of(question.engine).kv_cache(question, choice),
        batch=setting.batch,
        longest_tokens=question.request.max_model_len,
        request_tokens=question.request_tokens,
        tuning=question.tuning,
    )


def judge(
    question: Question, facts: PoolFacts, candidate: Candidate, setting: Setting
) -> Fit | Refused:
    """Judge one candidate: legal, placed, large enough, and over no more nodes than allowed."""
    admitted = admit(question, facts, candidate, setting)
    return admitted if isinstance(admitted, Refused) else judge_load(question, admitted)


def admit(
    question: Question, facts: PoolFacts, candidate: Candidate, setting: Setting
) -> Room | Refused:
    """Judge what the load does not change: legality and place; then work out the memory."""
    no = (
        layout_refusal(LayoutFacts(facts, candidate.layout))
        or gpus_exceeded(question, candidate)
        or _unplaced(question, candidate)
    )
    return room_of(question, candidate, setting) if no is None else Refused(no, candidate)


def judge_load(question: Question, room: Room) -> Fit | Refused:
    """Judge whether there is room for the load.

    The limit on nodes is asked last, so that it is named only where nothing else is in the way.
    """
    verdict, candidate = fit_load(question, room), room.candidate
    if isinstance(verdict, Misfit):
        return Refused(memory_refusal(question, verdict), candidate, verdict)
    limit = question.request.max_nodes_per_replica
    if limit is not None and candidate.layout.nodes_per_replica > limit:
        return Refused(multi_node_not_supported(question, candidate, limit), candidate)
    return verdict


def _unplaced(question: Question, candidate: Candidate) -> Refusal | None:
    layout, replicas = candidate.layout, question.request.replicas
    nodes = layout.nodes_per_replica
    if replicas_that_fit(candidate.pool, layout.gpus_per_node, nodes, replicas):
        return None
    return not_enough_hardware(question, candidate)
