"""How vLLM's figures add up, term by term."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.vllm.semantics import BLOCK_TOKENS, RESERVED_BLOCKS
from qwen3_planner.engines.vllm.yarn import rope_positions
from qwen3_planner.explanation import Term
from qwen3_planner.rules.quantized import has_fp8_units
from qwen3_planner.serving.weight_terms import tensor_terms
from qwen3_planner.sizing.weights import rank_tensors, sharding_of

if TYPE_CHECKING:
    from qwen3_planner.plan import GpuMemory
    from qwen3_planner.question import Question
    from qwen3_planner.serving.verdicts import Fit


def vllm_terms(question: Question, fit: Fit, gpu: GpuMemory) -> dict[str, tuple[Term, ...]]:
    """Tell the figures of one GPU apart, by their names in a plan's provenance."""
    return {
        "memory.device": _budget(question, fit, gpu),
        "memory.weights": _weights(question, fit, gpu),
        "memory.kvCache": _kv_cache(question, fit, gpu),
    }


def _budget(question: Question, fit: Fit, gpu: GpuMemory) -> tuple[Term, ...]:
    given = question.request.tuning.gpu_memory_utilization is not None
    whose = "as given" if given else f"the default of vLLM {question.version}"
    share = f"gpu-memory-utilization {fit.setting.utilization:g}, {whose}"
    return (
        Term("device", gpu.device_bytes, "what CUDA tells a process"),
        Term("left alone", gpu.budget_bytes - gpu.device_bytes, share),
    )


def _weights(question: Question, fit: Fit, gpu: GpuMemory) -> tuple[Term, ...]:
    candidate, model = fit.candidate, question.model
    layout = candidate.layout
    data_rank, within = divmod(gpu.rank, layout.pipeline * layout.tensor)
    sharding = sharding_of(
        model,
        layout,
        data_rank * layout.tensor + within % layout.tensor,
        expanded_scales=not has_fp8_units(candidate.pool.accelerator),
    )
    tensors = rank_tensors(
        model,
        candidate.choice.fmt,
        layout,
        sharding,
        stage=gpu.stage,
        positions=rope_positions(model, fit.max_model_len),
    )
    terms = tensor_terms(tensors)
    rounding = gpu.weights_bytes - sum(term.n_bytes for term in terms)
    why = "blocks of 512 bytes, segments of 2 MiB and more: PyTorch's CUDA allocator"
    return (*terms, Term("allocator rounding", rounding, why))


def _kv_cache(question: Question, fit: Fit, gpu: GpuMemory) -> tuple[Term, ...]:
    block = fit.stages[gpu.stage].block
    load = fit.needed_blocks - RESERVED_BLOCKS
    spare = gpu.kv_cache_bytes // block - fit.needed_blocks
    each = f"{block // BLOCK_TOKENS:,} bytes a token"
    return (
        Term(
            "the load", load * block, f"{_load(question, fit)}: {load:,} blocks of {block:,} bytes"
        ),
        Term("null block", RESERVED_BLOCKS * block, "one block is never handed out"),
        Term("spare", spare * block, f"{spare:,} blocks of {BLOCK_TOKENS} tokens, {each}"),
    )


def _load(question: Question, fit: Fit) -> str:
    tokens = question.request_tokens
    requests = question.requests_per_rank(fit.candidate.layout)
    if tokens is None or requests * tokens < fit.max_model_len:
        tokens = fit.max_model_len
        requests = requests if question.request_tokens is None else 1
    noun = "request" if requests == 1 else "requests"
    return f"{requests:,} {noun} of {tokens:,} tokens"
