"""SGLang's settings on one layout: the user's, else what the version takes by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.adapters import ASSUMED_RANK
from qwen3_planner.engines.sglang.fraction import (
    FractionQuestion,
    default_fraction,
    vision_factor,
)
from qwen3_planner.engines.sglang.graph_sizes import decode_sizes, prefill_sizes
from qwen3_planner.engines.sglang.semantics import semantics_at
from qwen3_planner.engines.sglang.tiers import tier_of
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.sizing.lora import NO_SLOTS, Slots, adapter_bytes
from qwen3_planner.sizing.sglang_memory import Serving

if TYPE_CHECKING:
    from qwen3_planner.candidates import Pool
    from qwen3_planner.engines.sglang.semantics import SglangSemantics
    from qwen3_planner.plan import Layout
    from qwen3_planner.question import Question


def semantics_of(question: Question) -> SglangSemantics:
    """Return what holds for the question's version; newer than known takes the newest known."""
    known = parse_version(question.release.newest_known_version)
    return semantics_at(min(question.version, known))


def run_of(question: Question, pool: Pool, layout: Layout) -> Serving:
    """Resolve the settings that memory depends on."""
    tuning, semantics = question.request.tuning, semantics_of(question)
    tier = tier_of(semantics.tiers, pool.accelerator.memory_mib)
    chunk = tuning.max_num_batched_tokens or tier.chunked_prefill
    largest = _largest_decode(question, pool, layout)
    is_eager = bool(tuning.enforce_eager)
    prefill = prefill_sizes(chunk) if _captures_prefill(question, pool, layout) else ()
    asked = FractionQuestion(
        memory_mib=pool.accelerator.memory_mib,
        is_nvidia=pool.accelerator.vendor == "nvidia",
        tensor_ranks=layout.tensor * layout.data,
        stages=layout.pipeline,
        attention_data=layout.data,
        chunked_prefill=chunk,
        largest_decode=0 if is_eager and semantics.eager_frees_decode else largest,
        prefill_graphs=len(prefill),
    )
    return Serving(
        fraction=tuning.gpu_memory_utilization or _default(question, semantics, asked),
        chunked_prefill=chunk,
        max_requests=tuning.max_num_seqs,
        decode_sizes=0 if is_eager else len(decode_sizes(semantics.decode_sizes, largest)),
        prefill_sizes=len(prefill),
        context=question.wanted_context,
    )


def _default(question: Question, semantics: SglangSemantics, asked: FractionQuestion) -> float:
    fraction = default_fraction(semantics.fraction_form, asked)
    vision = question.model.vision
    if vision is None:
        return fraction
    return fraction * vision_factor(None, vision.hidden_size)


def _largest_decode(question: Question, pool: Pool, layout: Layout) -> int:
    semantics, asked = semantics_of(question), question.request.tuning.max_num_seqs
    tier = tier_of(semantics.tiers, pool.accelerator.memory_mib)
    largest = tier.largest_graph(layout.tensor * layout.data)
    return min(largest, asked) if semantics.decode_follows_requests and asked else largest


def _captures_prefill(question: Question, pool: Pool, layout: Layout) -> bool:
    rule = semantics_of(question).prefill_graphs
    return (
        rule.on
        and pool.accelerator.vendor == "nvidia"
        and question.model.vision is None
        and not question.request.tuning.enforce_eager
        and (layout.data == 1 or rule.under_data)
        and (layout.pipeline == 1 or rule.under_pipeline)
    )


def slots_of(question: Question) -> Slots:
    """Return the slots for adapters; requests for the plain model take one, too.

    Each stage makes them for the layers of all: PyPI sglang 0.5.1 to 0.5.23 ``lora/mem_pool.py``.
    """
    tuning = question.tuning
    if not tuning.max_loras:
        return NO_SLOTS
    return Slots(
        count=tuning.max_loras + 1, rank=tuning.max_lora_rank or ASSUMED_RANK, spans_stages=True
    )


def kept_bytes(question: Question) -> int:
    """Return what one worker keeps of adapters in host memory: each of them, whole."""
    slots = slots_of(question)
    count = max(slots.count - 1, len(question.request.adapters)) if slots.count else 0
    return count * adapter_bytes(question.model, slots.rank, has_experts=False)
