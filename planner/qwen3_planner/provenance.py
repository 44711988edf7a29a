"""Where each figure of a plan comes from, and how far it may be off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.vllm.semantics import Runner
from qwen3_planner.plan import Basis, Provenance
from qwen3_planner.sizing.overhead import (
    QUANTIZED_WEIGHTS_ERROR,
    RUNNER_ERROR_BYTES,
    WEIGHTS_ERROR,
)

if TYPE_CHECKING:
    from qwen3_planner.fit import Fit
    from qwen3_planner.question import Question


def provenance_of(question: Question, fit: Fit) -> tuple[Provenance, ...]:
    """Tell basis, error and source of each figure; errors are relative, one standard deviation."""
    accelerator = fit.candidate.pool.accelerator
    tightest = min(fit.stages, key=lambda stage: stage.blocks)
    is_v1 = question.semantics.runner is Runner.V1
    quantized = fit.candidate.choice.fmt.is_quantized
    pool_bytes = max(1, fit.blocks * tightest.block)
    runner_error = RUNNER_ERROR_BYTES[question.semantics.runner]
    activation_error = runner_error / max(runner_error, tightest.activation + tightest.overhead)
    return (
        Provenance("model.parameters", Basis.EXACT, 0.0, question.model.source),
        Provenance("memory.checkpoint", Basis.EXACT, 0.001, "tensor shapes; headers not counted"),
        Provenance(
            "memory.weights",
            Basis.EXACT,
            QUANTIZED_WEIGHTS_ERROR if quantized else WEIGHTS_ERROR,
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
            Basis.FITTED if is_v1 else Basis.FORMULA,
            round(activation_error, 4),
            "llm-d/llm-d-benchmark@2593348 config_explorer/empirical-vllm-memory-results.md"
            if is_v1
            else "vLLM 0.32.0 v1/worker/gpu/model_runner.py, fused_moe/experts/triton_moe.py",
        ),
        Provenance("memory.graphs", Basis.FITTED, 1.0, "start-up logs of vLLM 0.9 to 0.28"),
        Provenance(
            "memory.overhead",
            Basis.FITTED,
            round(activation_error, 4),
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
