"""How far each figure of vLLM's memory may be off, and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.versions import ruling_at
from qwen3_planner.engines.vllm.profiling import SAMPLER_BYTES_PER_LOGIT
from qwen3_planner.plan import Basis, Provenance
from qwen3_planner.serving.vllm_facts import device_of, parts_of, semantics_of, tightest_stage
from qwen3_planner.sizing.graphs import GRAPH_SIGMA
from qwen3_planner.sizing.overhead import (
    CONTEXT_ERROR_BYTES,
    PEAK_ERROR_BYTES,
    QUANTIZED_WEIGHTS_ERROR,
    WEIGHTS_ERROR,
    group_error_bytes,
)

if TYPE_CHECKING:
    from qwen3_planner.question import Question
    from qwen3_planner.serving.verdicts import Fit


def provenance_of(question: Question, fit: Fit) -> tuple[Provenance, ...]:
    """Tell basis, error and source of each figure; errors are relative, one sigma."""
    accelerator = fit.candidate.pool.accelerator
    stage = tightest_stage(fit.stages)
    tightest = fit.stages[stage]
    semantics = semantics_of(question, fit.candidate.choice)
    parts = parts_of(question, fit, stage, 0)
    is_quantized = fit.candidate.choice.fmt.is_quantized
    candidate, context = fit.candidate, CONTEXT_ERROR_BYTES
    is_linked = device_of(candidate.pool).is_linked
    group = group_error_bytes(candidate.layout.gpus_per_replica, is_linked=is_linked)
    pool_bytes = max(1, fit.blocks * tightest.block)
    return (
        Provenance("model.parameters", Basis.EXACT, 0.0, question.model.source),
        Provenance("memory.checkpoint", Basis.EXACT, 0.001, "tensor shapes; headers not counted"),
        Provenance(
            "memory.weights",
            Basis.EXACT,
            QUANTIZED_WEIGHTS_ERROR if is_quantized else WEIGHTS_ERROR,
            "tensors of vLLM 0.32.0 models/qwen3*.py as the CUDA caching allocator holds them",
        ),
        Provenance(
            "memory.kvCache",
            Basis.FORMULA,
            round(min(1.0, fit.error_bytes / pool_bytes), 4),
            "vLLM 0.32.0 v1/core/kv_cache_utils.py, v1/worker/gpu_worker.py",
        ),
        Provenance(
            "memory.activation",
            Basis.FORMULA,
            _relative(PEAK_ERROR_BYTES + (parts.peak - parts.warm_peak) / 2, parts.peak),
            ruling_at(SAMPLER_BYTES_PER_LOGIT[semantics.runner], semantics.version).source,
        ),
        Provenance(
            "memory.graphs",
            Basis.FITTED,
            GRAPH_SIGMA if parts.graphs else 0.0,
            "start-up logs of vLLM 0.10.2 to 0.31 that state their graphs",
        ),
        Provenance(
            "memory.overhead",
            Basis.FITTED,
            _relative(context + group + parts.copy / 2, parts.overhead),
            "llm-d/llm-d-benchmark@2593348 config_explorer/empirical-vllm-memory-results.md",
        ),
        Provenance(
            "memory.device",
            Basis.FORMULA if accelerator.usable_source.startswith("derived") else Basis.EXACT,
            accelerator.usable_relative_error,
            accelerator.usable_source,
        ),
        Provenance("memory.host", Basis.ASSUMED, 0.5, "processes of the engine; no log states it"),
    )


def _relative(sigma: float, n_bytes: int) -> float:
    return round(min(1.0, sigma / max(1, n_bytes)), 4)
