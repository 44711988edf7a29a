"""How SGLang's figures add up, term by term."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.explanation import Term
from qwen3_planner.plan import Basis
from qwen3_planner.serving.sglang_memory import adapters_of, asked_of, parts_of, placing_of
from qwen3_planner.serving.sglang_run import semantics_of
from qwen3_planner.serving.weight_terms import tensor_terms
from qwen3_planner.sizing.sglang_weights import rank_tensors
from qwen3_planner.units import format_gib

if TYPE_CHECKING:
    from qwen3_planner.plan import GpuMemory
    from qwen3_planner.question import Question
    from qwen3_planner.serving.sglang_memory import RankParts
    from qwen3_planner.serving.verdicts import Fit


def sglang_terms(question: Question, fit: Fit, gpu: GpuMemory) -> dict[str, tuple[Term, ...]]:
    """Tell the figures of one GPU apart, by their names in a plan's provenance."""
    parts = parts_of(asked_of(question, fit.candidate))[gpu.stage]
    return {
        "memory.device": _budget(question, fit, gpu),
        "memory.weights": _weights(question, fit, gpu),
        "memory.overhead": _overhead(parts),
        "memory.kvCache": _kv_cache(fit, gpu),
    }


def _budget(question: Question, fit: Fit, gpu: GpuMemory) -> tuple[Term, ...]:
    given = question.request.tuning.gpu_memory_utilization is not None
    whose = "as given" if given else "by its own rule"
    share = gpu.budget_bytes / gpu.device_bytes
    beside = parts_of(asked_of(question, fit.candidate))[gpu.stage]
    needed = f"activations and graphs lie there: about {format_gib(beside.outside)}"
    return (
        Term("device", gpu.device_bytes, "what CUDA tells a process"),
        Term(
            "left alone",
            gpu.budget_bytes - gpu.device_bytes,
            f"mem-fraction-static {share:.3g}, {whose}; {needed}",
        ),
    )


def _weights(question: Question, fit: Fit, gpu: GpuMemory) -> tuple[Term, ...]:
    asked = asked_of(question, fit.candidate, fit.max_model_len)
    tensors = rank_tensors(
        asked.model,
        asked.fmt,
        asked.layout,
        placing_of(asked, semantics_of(question)),
        stage=gpu.stage,
        positions=asked.positions,
    )
    terms = tensor_terms(tensors)
    offloaded = asked.offload_bytes
    slots, held = asked.slots, adapters_of(asked, gpu.stage)
    rounding = gpu.weights_bytes + offloaded - held - sum(term.n_bytes for term in terms)
    why = "segments of 2 MiB and more: SGLang asks the device what is left"
    return (
        *terms,
        Term("allocator rounding", rounding, why),
        Term("LoRA slots", held, f"{slots.count} of rank {slots.rank}, one of them for none"),
        Term("kept on the host", -offloaded, f"--cpu-offload-gb {format_gib(offloaded)}"),
    )


def _overhead(parts: RankParts) -> tuple[Term, ...]:
    return (
        Term("CUDA context", parts.context, "the same share of what was not free before loading"),
        Term("loading", parts.growth, "what loading takes beside the tensors"),
        Term("image embeddings", parts.reserve, "kept free for them", Basis.EXACT),
        Term("recurrent states", parts.states, "of linear-attention layers", Basis.FORMULA),
        Term(
            "not handed out",
            parts.unused,
            "another rank has less room, whole pages, or a pool of fixed size",
            Basis.FORMULA,
        ),
        Term("lacking beside", parts.short, "activations and graphs surely take more than is left"),
    )


def _kv_cache(fit: Fit, gpu: GpuMemory) -> tuple[Term, ...]:
    each = fit.stages[gpu.stage].block
    load = fit.needed_blocks * each
    spare = gpu.kv_cache_bytes // each - fit.needed_blocks
    return (
        Term("the load", load, f"{fit.needed_blocks:,} tokens of {each:,} bytes"),
        Term("spare", gpu.kv_cache_bytes - load, f"{spare:,} tokens of {each:,} bytes"),
    )
