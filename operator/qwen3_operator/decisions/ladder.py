"""What is planned instead where all that is asked for does not fit, or is not free: spec.fallback.

The rungs are every combination of what may give way, in the order of ``fallback.order``: what is
named first gives way first, and is restored when the next one gives way by a step. The first rung
that has a plan whose replicas all find room is taken; else the first with room for one. Where
nothing has room, a resource waits for what it asked first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from qwen3_operator.decisions.feasibility import say_plan
from qwen3_operator.decisions.replan import Chosen, Outcome
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.fallback import FallbackWhen, Lowered
from qwen3_planner.api.reasons import Reason
from qwen3_planner.engines.ladders import PRECISION, ladder_of
from qwen3_planner.plan import Plan
from qwen3_planner.request import EngineName, Quantization

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from qwen3_planner.api.fallback import FallbackSpec
    from qwen3_planner.plan import PlanResult
    from qwen3_planner.request import PlanRequest

MOST_RUNGS = 32
"""Tried for one resource; each is a question to the planner, answered once per hardware."""

HALVINGS = 2
"""Of the context where no shortest one is given: down to a quarter."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One combination of what gave way, and the plan for it."""

    plan: Plan
    lowered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ladder:
    """What may give way for one resource.

    Attributes:
        request: the resource as a question, nothing lowered.
        fallback: what it allows.
        first: the answer to the request.
        accelerators: names of those that the resource may use here.
    """

    request: PlanRequest
    fallback: FallbackSpec
    first: PlanResult
    accelerators: tuple[str, ...]

    def rungs(self, ask: Callable[[PlanRequest], PlanResult]) -> Iterator[Rung]:
        """Yield what has a plan, the least lowered first; the first choice itself is left out."""
        ranges = {
            Lowered.QUANTIZATION: range(len(self._formats())),
            Lowered.CONTEXT: range(len(self._contexts())),
            Lowered.POOL: range(len(self.accelerators)),
        }
        order = [one for one in reversed(self.fallback.order) if ranges[one]]
        steps = product(*(ranges[one] for one in order))
        for number, step in enumerate(steps):
            if number == 0:
                continue  # nothing lowered
            if number > MOST_RUNGS:
                return
            rung = self._rung(dict(zip(order, step, strict=True)), ask)
            if rung is not None:
                yield rung

    def _rung(
        self, step: Mapping[Lowered, int], ask: Callable[[PlanRequest], PlanResult]
    ) -> Rung | None:
        request, lowered = self.request, []
        formats, contexts = self._formats(), self._contexts()
        by = step.get(Lowered.QUANTIZATION, 0)
        if by:
            request = replace(request, quantization=formats[by])
            lowered.append(f"spec.quantization: {formats[by]} instead of {formats[0]}")
        by = step.get(Lowered.CONTEXT, 0)
        if by:
            request = replace(request, max_model_len=contexts[by])
            lowered.append(f"spec.maxModelLen: {contexts[by]} instead of {contexts[0]}")
        plan = self._plan(request, step.get(Lowered.POOL, 0), ask)
        if plan is None:
            return None
        accelerator = plan.placement.accelerator
        if isinstance(self.first, Plan) and accelerator != self.first.placement.accelerator:
            before = self.first.placement.accelerator
            lowered.append(f"spec.accelerators: {accelerator} instead of {before}")
        return Rung(plan, tuple(lowered))

    def _plan(
        self, request: PlanRequest, skipped: int, ask: Callable[[PlanRequest], PlanResult]
    ) -> Plan | None:
        """Plan on the best pool but so many; the objective says which is better."""
        if Lowered.POOL not in self.fallback.order and isinstance(self.first, Plan):
            request = replace(request, accelerators=(self.first.placement.accelerator,))
        left = request.accelerators or self.accelerators
        answer = ask(request)
        for _ in range(skipped):
            if not isinstance(answer, Plan):
                return None
            left = tuple(name for name in left if name != answer.placement.accelerator)
            if not left:
                return None
            answer = ask(replace(request, accelerators=left))
        return answer if isinstance(answer, Plan) else None

    def _formats(self) -> tuple[Quantization, ...]:
        """List the formats, the first choice first; empty where nobody knows what that is."""
        first = self.request.quantization
        if first is Quantization.AUTO and isinstance(self.first, Plan):
            first = Quantization(self.first.quantization)
        if first is Quantization.AUTO:
            return ()
        below = self.fallback.quantizations or _less_precise(first, self._engine())
        return (first, *(one for one in below if one is not first))

    def _contexts(self) -> tuple[int, ...]:
        """List the lengths, the first choice first."""
        first = self.request.max_model_len
        if first is None and isinstance(self.first, Plan):
            first = self.first.max_model_len
        if first is None:
            return ()
        shortest = self.fallback.min_model_len or max(1, first // 2**HALVINGS)
        lengths = [first]
        while lengths[-1] // 2 > shortest:
            lengths.append(lengths[-1] // 2)
        return (*lengths, shortest) if shortest < lengths[-1] else tuple(lengths)

    def _engine(self) -> EngineName:
        if isinstance(self.first, Plan):
            return EngineName(self.first.engine)
        if self.request.engine is not EngineName.AUTO:
            return self.request.engine
        return EngineName.LLAMACPP if self.request.quantization.is_gguf else EngineName.VLLM


def _less_precise(first: Quantization, engine: EngineName) -> Sequence[Quantization]:
    """Return what the engine tries by itself behind a format."""
    place = PRECISION.index(first)
    return [one for one in ladder_of(engine) if PRECISION.index(one) > place]


def descend(
    ladder: Ladder,
    chosen: Chosen,
    ask: Callable[[PlanRequest], PlanResult],
    room: Callable[[Plan], int] | None,
) -> Chosen:
    """Choose a lower rung where the first choice does not fit or has no room.

    Args:
        ladder: what may give way.
        chosen: the first choice, as :func:`.replan.choose` decided.
        ask: the planner on the cluster's hardware.
        room: how many replicas of a plan would get their GPUs now; None where that is not asked
            (something runs already, or a queue decides).
    """
    fits = isinstance(chosen.result, Plan)
    if ladder.fallback.when is FallbackWhen.INFEASIBLE:
        room = None
    wanted = ladder.request.replicas
    if isinstance(chosen.result, Plan) and (room is None or room(chosen.result) >= wanted):
        return chosen
    some = isinstance(chosen.result, Plan) and room is not None and room(chosen.result) > 0
    best: Rung | None = None
    for rung in ladder.rungs(ask):
        free = wanted if room is None else room(rung.plan)
        if free >= wanted:
            return _lowered(chosen, rung)
        if best is None and ((free and not some) or not fits):
            best = rung
    return _lowered(chosen, best) if best is not None else chosen


def _lowered(chosen: Chosen, rung: Rung) -> Chosen:
    if isinstance(chosen.result, Plan):
        outcome, why = chosen.outcome, f"Too few GPUs are free for {say_plan(chosen.result)}"
    else:
        outcome, why = Outcome.PLANNED, chosen.verdict.message.partition(" What would fit:")[0]
    message = (
        f"Lowered as spec.fallback allows: {_listed(rung.lowered)}. {why.rstrip('.')}."
        f" Planned: {say_plan(rung.plan)}."
    )
    verdict = Verdict(Reason.PLAN_LOWERED, message)
    return Chosen(outcome, rung.plan, verdict, rung.lowered)


def _listed(lowered: Sequence[str]) -> str:
    return "; ".join(lowered) or "the next best pool"


def question_for(
    request: PlanRequest,
    fallback: FallbackSpec,
    running: Mapping[str, Any] | None,
    *,
    starts_anew: bool,
) -> PlanRequest:
    """Ask for no more than the plan that runs, as far as that was lowered within what is allowed.

    Args:
        request: the resource as a question, nothing lowered.
        fallback: what it allows.
        running: ``status.plan`` where it is feasible and runs.
        starts_anew: whether a plan that runs is given up where a better one is to be had.
    """
    if running is None or starts_anew:
        return request
    relaxed, running_format = request, running.get("quantization")
    formats = fallback.quantizations or PRECISION
    if (
        Lowered.QUANTIZATION in fallback.order
        and request.quantization is not Quantization.AUTO
        and running_format in formats
        and PRECISION.index(Quantization(running_format)) >= PRECISION.index(request.quantization)
    ):
        relaxed = replace(relaxed, quantization=Quantization(running_format))
    length = running.get("maxModelLen")
    if (
        Lowered.CONTEXT in fallback.order
        and request.max_model_len is not None
        and isinstance(length, int)
        and (fallback.min_model_len or request.max_model_len // 2**HALVINGS)
        <= length
        <= request.max_model_len
    ):
        relaxed = replace(relaxed, max_model_len=length)
    return relaxed


def still_lowered(chosen: Chosen, before: tuple[str, ...], asked: PlanRequest) -> Chosen:
    """Go on saying what gave way in a plan that is kept, but what is by now asked for just so.

    Args:
        chosen: the plan to go by.
        before: what gave way when it was made.
        asked: the resource as a question, nothing lowered.
    """
    plan = chosen.result
    if chosen.outcome is not Outcome.KEPT or not isinstance(plan, Plan):
        return chosen
    as_asked = {
        "spec.quantization": asked.quantization == plan.quantization,
        "spec.maxModelLen": asked.max_model_len == plan.max_model_len,
        "spec.accelerators": asked.accelerators == (plan.placement.accelerator,),
    }
    lowered = tuple(one for one in before if not as_asked.get(one.partition(":")[0], False))
    if not lowered:
        return chosen
    message = (
        f"Lowered as spec.fallback allows: {_listed(lowered)}. The plan stays while it holds:"
        f" {say_plan(plan)}."
    )
    return replace(chosen, verdict=Verdict(Reason.PLAN_LOWERED, message), lowered=lowered)
