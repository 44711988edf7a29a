"""How vLLM's figures add up, term by term."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.vllm.semantics import RESERVED_BLOCKS
from qwen3_planner.explanation import Term
from qwen3_planner.plan import Basis
from qwen3_planner.rules.quantized import has_fp8_units
from qwen3_planner.serving.vllm_facts import kv_shape_of, parts_of, semantics_of, table_rows
from qwen3_planner.serving.vllm_lora import DEFAULT_LORA_RANK
from qwen3_planner.serving.vllm_memory import machete_files
from qwen3_planner.serving.weight_terms import tensor_terms
from qwen3_planner.sizing.graphs import GRAPH_BYTES_PER_LAYER
from qwen3_planner.sizing.vision import deepstack_buffers
from qwen3_planner.sizing.weights import rank_tensors, sharding_of, stage_range
from qwen3_planner.units import MIB, format_gib

if TYPE_CHECKING:
    from qwen3_planner.plan import GpuMemory
    from qwen3_planner.question import Question
    from qwen3_planner.serving.verdicts import Fit
    from qwen3_planner.serving.vllm_memory import RankParts


def vllm_terms(question: Question, fit: Fit, gpu: GpuMemory) -> dict[str, tuple[Term, ...]]:
    """Tell the figures of one GPU apart, by their names in a plan's provenance."""
    expert_rank = _expert_rank(fit, gpu)
    parts = parts_of(question, fit, gpu.stage, expert_rank)
    return {
        "memory.device": _budget(question, fit, gpu),
        "memory.weights": _weights(question, fit, gpu, parts),
        "memory.activation": _activation(question, fit, parts),
        "memory.graphs": _graphs(question, fit, gpu, parts),
        "memory.overhead": _overhead(question, fit, parts),
        "memory.kvCache": _kv_cache(question, fit, gpu),
    }


def _expert_rank(fit: Fit, gpu: GpuMemory) -> int:
    """Return the place of a GPU among the ranks that share experts."""
    layout = fit.candidate.layout
    data_rank, within = divmod(gpu.rank, layout.pipeline * layout.tensor)
    return data_rank * layout.tensor + within % layout.tensor


def _budget(question: Question, fit: Fit, gpu: GpuMemory) -> tuple[Term, ...]:
    device = Term("device", gpu.device_bytes, "what CUDA tells a process")
    left = gpu.budget_bytes - gpu.device_bytes
    tuning = question.request.tuning
    if tuning.kv_cache_memory_bytes is not None:
        why = "what the other parts leave beside --kv-cache-memory-bytes"
        return (device, Term("left alone", left, why))
    whose = f"the default of vLLM {question.version}"
    if tuning.gpu_memory_utilization is not None:
        whose = "as given"
    share = f"gpu-memory-utilization {fit.setting.utilization:g}, {whose}"
    return (device, Term("left alone", left, share))


def _weights(question: Question, fit: Fit, gpu: GpuMemory, parts: RankParts) -> tuple[Term, ...]:
    candidate, model, tuning = fit.candidate, question.model, question.tuning
    semantics = semantics_of(question)
    capability = candidate.pool.accelerator.compute_capability
    sharding = sharding_of(
        model,
        candidate.layout,
        _expert_rank(fit, gpu),
        expanded_scales=not has_fp8_units(candidate.pool.accelerator),
        packed_scales=semantics.packs_scales(capability),
        expanded_blocks=semantics.expands_blocks(capability),
        machete=machete_files(semantics, capability),
    )
    tensors = rank_tensors(
        model,
        candidate.choice.fmt,
        candidate.layout,
        sharding,
        stage=gpu.stage,
        positions=table_rows(question, fit.max_model_len),
    )
    terms = tensor_terms((*tensors, deepstack_buffers(model, fit.setting.batch.tokens)))
    rounding = parts.weights - sum(term.n_bytes for term in terms)
    why = "blocks of 512 bytes, segments of 2 MiB and more: PyTorch's CUDA allocator"
    slots = f"{tuning.max_loras} of rank {tuning.max_lora_rank or DEFAULT_LORA_RANK}"
    return (
        *terms,
        Term("allocator rounding", rounding, why),
        Term("LoRA slots", parts.adapters, slots),
        Term("draft model", parts.draft, tuning.draft_model or ""),
        Term("kept on the host", -parts.offloaded, f"--cpu-offload-gb {tuning.cpu_offload_gib}"),
    )


def _activation(question: Question, fit: Fit, parts: RankParts) -> tuple[Term, ...]:
    """Name what the peak is made of: the largest of what happens one after the other."""
    image = "of the largest image, which the profile run encodes"
    if parts.peak == parts.encoding:
        return (Term("image encoder", parts.encoding, f"peak {image}"),)
    batch, model = fit.setting.batch, question.model
    warm = f"a start from the compiler's cache peaks at {format_gib(parts.warm_peak)}"
    copy = f"held while the model is compiled; {warm}"
    logits = f"{batch.logit_rows:,} rows of {model.vocab_size:,} logits"
    width = semantics_of(question, fit.candidate.choice).sampler_bytes
    candidates = (
        Term("one layer's pass", parts.forward, f"{batch.tokens:,} tokens of one step"),
        Term("sampling step", parts.sampling, f"{logits}, {width} B each, and hidden states"),
        Term("copy of embedding", parts.compiling, copy),
    )
    largest = max(candidates, key=lambda term: term.n_bytes)
    return (largest, Term("encoded image", parts.encoded, f"tokens {image}"))


def _graphs(question: Question, fit: Fit, gpu: GpuMemory, parts: RankParts) -> tuple[Term, ...]:
    first, end = stage_range(question.model.layers, fit.candidate.layout.pipeline, gpu.stage)
    count = parts.graphs // (GRAPH_BYTES_PER_LAYER * (end - first))
    each = f"{GRAPH_BYTES_PER_LAYER / MIB:.2f} MiB a layer"
    return (Term("captured graphs", parts.graphs, f"{count} of {end - first} layers, {each}"),)


def _overhead(question: Question, fit: Fit, parts: RankParts) -> tuple[Term, ...]:
    batch, vocabulary = fit.setting.batch, question.model.vocab_size
    each = vocabulary * 4 + vocabulary // 8
    experts = f"two buffers for {batch.tokens:,} tokens x {question.model.experts_per_token}"
    gpus = fit.candidate.layout.gpus_per_replica
    return (
        Term(
            "expert buffers",
            parts.expert_buffers,
            experts,
            Basis.FORMULA,
            "vLLM 0.32.0 fused_moe/experts/triton_moe.py workspace_shapes",
        ),
        Term(
            "sampler state",
            parts.sampler_state,
            f"{batch.seqs:,} sequences x {each:,} bytes of penalties",
            Basis.FORMULA,
            "vLLM 0.32.0 v1/worker/gpu/sample/penalties.py",
        ),
        Term(
            "stage inputs",
            parts.stage_inputs,
            f"{batch.tokens:,} tokens x hidden states and residual of the stage before",
            Basis.EXACT,
            "vLLM 0.27.1 v1/worker/gpu/model_runner.py load_model",
        ),
        Term("cuBLAS workspaces", parts.matmul, "by compute capability"),
        Term(
            "outside PyTorch",
            parts.non_torch,
            "context" if gpus == 1 else f"context, communication of {gpus} GPUs",
        ),
    )


def _kv_cache(question: Question, fit: Fit, gpu: GpuMemory) -> tuple[Term, ...]:
    block = fit.stages[gpu.stage].block
    tokens = kv_shape_of(question, fit.candidate.layout).tokens
    load = fit.needed_blocks - RESERVED_BLOCKS
    spare = gpu.kv_cache_bytes // block - fit.needed_blocks
    each = f"{load:,} blocks of {block:,} bytes"
    return (
        Term("the load", load * block, f"{_load(question, fit)}: {each}"),
        Term("null block", RESERVED_BLOCKS * block, "one block is never handed out"),
        Term(
            "spare",
            spare * block,
            f"{spare:,} blocks of {tokens} tokens, {block // tokens:,} bytes a token",
        ),
    )


def _load(question: Question, fit: Fit) -> str:
    tokens = question.request_tokens
    requests = question.requests_per_rank(fit.candidate.layout)
    if tokens is None or requests * tokens < fit.max_model_len:
        tokens = fit.max_model_len
        requests = requests if question.request_tokens is None else 1
    noun = "request" if requests == 1 else "requests"
    return f"{requests:,} {noun} of {tokens:,} tokens"
