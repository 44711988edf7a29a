"""Which engine tells its figures apart, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from qwen3_planner.request import EngineName
from qwen3_planner.serving.llamacpp_terms import llamacpp_terms
from qwen3_planner.serving.sglang_terms import sglang_terms
from qwen3_planner.serving.vllm_terms import vllm_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qwen3_planner.explanation import Term
    from qwen3_planner.plan import GpuMemory
    from qwen3_planner.question import Question
    from qwen3_planner.serving.verdicts import Fit

    Terms: TypeAlias = Mapping[str, tuple[Term, ...]]
    """Addends by the name of their figure in a plan's provenance."""

_TERMS: dict[EngineName, Callable[[Question, Fit, GpuMemory], Terms]] = {
    EngineName.VLLM: vllm_terms,
    EngineName.SGLANG: sglang_terms,
    EngineName.LLAMACPP: llamacpp_terms,
}


def terms_of(engine: EngineName) -> Callable[[Question, Fit, GpuMemory], Terms]:
    """Return how an engine tells the figures of one GPU apart; nothing where it does not."""
    return _TERMS.get(engine, _nothing)


def _nothing(question: Question, fit: Fit, gpu: GpuMemory) -> Terms:
    """Tell every figure as a whole."""
    del question, fit, gpu
    return {}
