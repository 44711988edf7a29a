"""The sums behind a plan: the figures of its tightest GPU, each with its addends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.explanation import Explanation, Part, ReachedRate, Term, TimePart, TimeTerm
from qwen3_planner.performance.load import MILLI
from qwen3_planner.performance.prediction import predict
from qwen3_planner.performance.terms import first_token_addends, rates, token_addends
from qwen3_planner.plan import Basis, Provenance
from qwen3_planner.serving.terms import terms_of
from qwen3_planner.speed import load_of, server_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_planner.catalog.figures import Efficiency
    from qwen3_planner.performance.terms import Addend
    from qwen3_planner.plan import GpuMemory, Plan
    from qwen3_planner.question import Question
    from qwen3_planner.serving.verdicts import Fit

PARTS = (
    ("weights", "memory.weights", "weights_bytes"),
    ("activations", "memory.activation", "activation_bytes"),
    ("CUDA graphs", "memory.graphs", "graph_bytes"),
    ("other", "memory.overhead", "overhead_bytes"),
    ("KV cache", "memory.kvCache", "kv_cache_bytes"),
)
"""(name, figure, attribute of a GPU's memory), in the order in which an engine takes them."""

BUDGET = "memory.device"
"""The figure that the budget is made of."""

NOT_TOLD = Term("not told apart", 0)
MEASURED = Term("measured beyond that", 0, "what a start took that is not planned", Basis.FITTED)
"""The rest of a figure, without and with a calibration."""

_UNKNOWN = Provenance("", Basis.ASSUMED, 1.0, "not stated")


def explain(
    question: Question, fit: Fit, plan: Plan, efficiencies: Sequence[Efficiency] = ()
) -> Explanation:
    """Take the memory of the plan's tightest GPU and its speed apart.

    The terms add up to the plan's figures.

    Args:
        question: what was planned.
        fit: the winner.
        plan: as told from it.
        efficiencies: that its speed was predicted with.
    """
    gpu = tightest_gpu(fit, plan)
    sources = {provenance.figure: provenance for provenance in plan.provenance}
    terms = terms_of(question.engine)(question, fit, gpu)
    rest = NOT_TOLD if fit.correction is None else MEASURED
    parts = tuple(
        _part(name, figure, getattr(gpu, attribute), terms, sources, rest=rest)
        for name, figure, attribute in PARTS
    )
    told = Explanation(gpu.rank, len(plan.memory.per_gpu), _budget(gpu, terms, sources), parts)
    server = server_of(question, fit, efficiencies)
    if server is None or plan.performance is None:
        return told
    load = load_of(question)
    service = predict(server, load).service
    token = token_addends(server, load, service)
    first = first_token_addends(server, load, service)
    return replace(
        told,
        times=(
            _time("a token", "performance.tpotMs", service.tpot_s, token, sources),
            _time("the first token", "performance.ttftMs", service.ttft_s, first, sources),
        ),
        rates=tuple(ReachedRate(*rate) for rate in rates(server)),
    )


def _time(
    name: str,
    figure: str,
    seconds: float,
    addends: Sequence[Addend],
    sources: Mapping[str, Provenance],
) -> TimePart:
    known = sources.get(figure, _UNKNOWN)
    terms = tuple(TimeTerm(each.name, each.seconds / MILLI, each.formula) for each in addends)
    return TimePart(
        name,
        figure,
        seconds / MILLI,
        terms,
        known.basis,
        known.relative_error,
        known.source,
    )


def tightest_gpu(fit: Fit, plan: Plan) -> GpuMemory:
    """Return the GPU whose room decides the size of the KV pool; of those alike the first.

    Engines that keep layers in host memory tell it as a stage more: no GPU.
    """
    held = {gpu.stage for gpu in plan.memory.per_gpu}
    stages = [stage for stage in fit.stages if stage.stage in held]
    stage = min(stages, key=lambda stage: (stage.blocks, stage.stage)).stage
    gpus = [gpu for gpu in plan.memory.per_gpu if gpu.stage == stage]
    return max(gpus, key=lambda gpu: (gpu.weights_bytes, -gpu.rank))


def _part(  # noqa: PLR0913 - each is a fact of its own
    name: str,
    figure: str,
    n_bytes: int,
    terms: Mapping[str, tuple[Term, ...]],
    sources: Mapping[str, Provenance],
    *,
    rest: Term = NOT_TOLD,
) -> Part:
    known = sources.get(figure, _UNKNOWN)
    told = complete(terms.get(figure, ()), n_bytes, rest)
    return Part(name, figure, n_bytes, told, known.basis, known.relative_error, known.source)


def complete(
    terms: tuple[Term, ...], n_bytes: int, name_of_rest: Term = NOT_TOLD
) -> tuple[Term, ...]:
    """Return the terms that are not zero, with what they leave of the figure as one more.

    >>> complete((Term("a", 3), Term("b", 0)), 5)[-1]
    Term(name='not told apart', n_bytes=2, formula='', basis=None, source='')
    """
    told = tuple(term for term in terms if term.n_bytes)
    rest = n_bytes - sum(term.n_bytes for term in told)
    return (*told, replace(name_of_rest, n_bytes=rest)) if told and rest else told


def _budget(
    gpu: GpuMemory,
    terms: Mapping[str, tuple[Term, ...]],
    sources: Mapping[str, Provenance],
) -> Part:
    share = gpu.budget_bytes / gpu.device_bytes
    usual = (
        Term("device", gpu.device_bytes, "what a process is told that the device has"),
        Term("left alone", gpu.budget_bytes - gpu.device_bytes, f"the engine takes {share:.2%}"),
    )
    return _part("budget", BUDGET, gpu.budget_bytes, {BUDGET: terms.get(BUDGET, usual)}, sources)
