"""vLLM: settings, memory of each rank, and command line of a plan."""

from __future__ import annotations

from math import floor, sqrt
from typing import TYPE_CHECKING

from qwen3_planner.candidates import layouts
from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.engines.vllm.command import ServeOptions, command, environment
from qwen3_planner.engines.vllm.semantics import (
    BLOCK_TOKENS,
    RESERVED_BLOCKS,
    VLLM_VENDORS,
    Runner,
    default_batch,
    semantics_at,
)
from qwen3_planner.engines.vllm.yarn import rope_positions, yarn_factor
from qwen3_planner.plan import Basis, Provenance
from qwen3_planner.request import KvCacheDtype
from qwen3_planner.rules.quantized import BF16_CAPABILITY, has_fp8_units
from qwen3_planner.serving.contract import Launch
from qwen3_planner.serving.vllm_memory import memory_of_stages
from qwen3_planner.sizing.activation import Batch
from qwen3_planner.sizing.formats import WeightKind
from qwen3_planner.sizing.kv_cache import blocks_for, kv_bytes_per_32, logged_tokens
from qwen3_planner.sizing.overhead import (
    QUANTIZED_WEIGHTS_ERROR,
    RUNNER_ERROR_BYTES,
    WEIGHTS_ERROR,
    host_bytes,
    memory_error_bytes,
)
from qwen3_planner.sizing.stages import Device, Setting, StageMemory
from qwen3_planner.sizing.weights import checkpoint_bytes, rank_weights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.candidates import Candidate, Pool
    from qwen3_planner.catalog.rows import Accelerator
    from qwen3_planner.engines.vllm.semantics import VllmSemantics
    from qwen3_planner.plan import Layout
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.serving.verdicts import Fit

CONSUMER_BLACKWELL_MAJOR = 12
"""Compute capability major of RTX 5090 and RTX PRO 6000."""


def semantics_of(question: Question) -> VllmSemantics:
    """Return what holds for the question's version; newer than known takes the newest known."""
    known = min(question.version, parse_version(question.release.newest_known_version))
    return semantics_at(known, is_moe=question.model.is_moe)


class VllmServing:
    """vLLM on NVIDIA and AMD GPUs."""

    def runs_on(self, accelerator: Accelerator) -> bool:
        """Whether it is a GPU of a vendor that this release plans vLLM on."""
        is_gpu = accelerator.device_class is AcceleratorClass.GPU
        return is_gpu and accelerator.vendor in VLLM_VENDORS

    def setting(self, question: Question, pool: Pool) -> Setting:
        """Resolve the engine's settings on a pool.

        Source of the bounds: vLLM 0.32.0 ``engine/arg_utils.py``
        _set_default_max_num_seqs_and_batched_tokens_args.
        """
        tuning, semantics = question.request.tuning, semantics_of(question)
        tokens, seqs = default_batch(semantics, pool.device_bytes, pool.accelerator.name)
        seqs = tuning.max_num_seqs or seqs
        if tuning.max_num_batched_tokens is None:
            tokens = min(tokens, seqs * question.wanted_context)
        else:
            tokens = tuning.max_num_batched_tokens
        if tuning.max_num_seqs is None:
            seqs = min(seqs, tokens)
        return Setting(tuning.gpu_memory_utilization or semantics.utilization, Batch(tokens, seqs))

    def layouts(self, question: Question, pool: Pool, gpu_limit: int) -> tuple[Layout, ...]:
        """List tensor x pipeline x data layouts, experts spread over tensor x data or not."""
        request = question.request
        return layouts(question.model, pool, request.parallelism, request.replicas, gpu_limit)

    def stages(
        self, question: Question, candidate: Candidate, setting: Setting
    ) -> tuple[StageMemory, ...]:
        """Compute the tightest rank of each stage of a candidate."""
        accelerator = candidate.pool.accelerator
        return memory_of_stages(
            question.model,
            candidate.choice.fmt,
            candidate.layout,
            semantics=semantics_of(question),
            setting=setting,
            device=Device(
                candidate.pool.device_bytes,
                accelerator.compute_capability,
                has_fp8_units(accelerator),
            ),
            positions=rope_positions(question.model, question.wanted_context),
            kv_bytes_per_32=kv_bytes_per_32(question.kv_cache_dtype),
        )

    def rank_weights(self, question: Question, fit: Fit, stage: int, expert_rank: int) -> int:
        """Return what one GPU holds after loading, in bytes."""
        candidate = fit.candidate
        return rank_weights(
            question.model,
            candidate.choice.fmt,
            candidate.layout,
            stage=stage,
            expert_rank=expert_rank,
            positions=rope_positions(question.model, fit.max_model_len),
            expanded_scales=not has_fp8_units(candidate.pool.accelerator),
        )

    def needed_blocks(self, question: Question, layout: Layout, context: int) -> int:
        """Return the KV blocks of one rank that hold the load, the null block included.

        Each request in flight takes its stated tokens, or a whole context where none are stated;
        one request of the whole context must always fit.
        """
        each = blocks_for(question.request_tokens or context, BLOCK_TOKENS)
        whole = blocks_for(context, BLOCK_TOKENS)
        return max(whole, question.requests_per_rank(layout) * each) + RESERVED_BLOCKS

    def longest_context(self, question: Question, layout: Layout, blocks: int) -> int:
        """Return the longest context (whole blocks) that the load leaves room for; 0 if none."""
        usable = blocks - RESERVED_BLOCKS
        requests = question.requests_per_rank(layout)
        if question.request_tokens is None:
            return max(0, floor(usable / requests)) * BLOCK_TOKENS
        if requests * blocks_for(question.request_tokens, BLOCK_TOKENS) > usable:
            return 0
        return min(question.wanted_context, usable * BLOCK_TOKENS)

    def logged_tokens(self, blocks: int, context: int) -> int:
        """Return what vLLM logs as "GPU KV cache size"."""
        return logged_tokens(blocks, context, BLOCK_TOKENS)

    def pool_blocks(self, fit: Fit) -> tuple[int, int, int]:
        """Return the blocks that vLLM allocates: all that fit."""
        margin = fit.margin_blocks
        return max(0, fit.blocks - margin), fit.blocks, fit.blocks + margin

    def checkpoint_bytes(self, question: Question, choice: WeightChoice) -> int:
        """Return the bytes of the safetensors files."""
        return checkpoint_bytes(question.model, choice.fmt)

    def error_bytes(
        self,
        question: Question,
        candidate: Candidate,
        setting: Setting,
        stages: tuple[StageMemory, ...],
    ) -> float:
        """Combine the errors of the device's memory and of the formulas: one sigma."""
        pool = candidate.pool
        device = pool.accelerator.usable_relative_error * pool.device_bytes * setting.utilization
        formula = memory_error_bytes(
            candidate.layout.gpus_per_replica,
            candidate.layout.pipeline,
            semantics_of(question).runner,
            max(stage.weights for stage in stages),
            is_quantized=candidate.choice.fmt.is_quantized,
        )
        return sqrt(device**2 + formula**2)

    def host_bytes(self, question: Question, fit: Fit) -> int:  # noqa: ARG002 - of every engine
        """Return the host memory that the pods of one replica ask for."""
        layout = fit.candidate.layout
        return host_bytes(layout.gpus_per_replica, layout.data)

    def launch(self, question: Question, fit: Fit, served_name: str) -> Launch:
        """Render ``vllm serve``."""
        options = _serve_options(question, fit, served_name)
        dtype = question.kv_cache_dtype.value
        if options.needs_half and question.request.kv_cache_dtype is KvCacheDtype.AUTO:
            dtype = KvCacheDtype.FP16.value  # left to the engine, it follows the activations
        return Launch(command(options), environment(options), dtype)

    def warnings(self, question: Question, fit: Fit) -> Iterator[str]:
        """Yield what the user should know about context, weights and scheduler."""
        factor = yarn_factor(question.model, fit.max_model_len)
        if factor is not None:
            yield (
                f"YaRN with factor {factor:g} stretches the context to {fit.max_model_len} tokens;"
                " its static scaling may cost quality on short texts."
            )
        yield from _about_kernels(fit)
        in_flight = question.requests_per_rank(fit.candidate.layout)
        seqs = fit.setting.batch.seqs
        if in_flight > seqs:
            yield (
                f"{in_flight} requests in flight exceed max-num-seqs={seqs}: the rest waits."
                f" --max-num-seqs {in_flight} would let them all run."
            )

    def provenance(self, question: Question, fit: Fit) -> tuple[Provenance, ...]:
        """Tell basis, error and source of each figure; errors are relative, one sigma."""
        return _provenance(question, fit)


def _serve_options(question: Question, fit: Fit, served_name: str) -> ServeOptions:
    request, candidate = question.request, fit.candidate
    capability = candidate.pool.accelerator.compute_capability
    semantics = semantics_of(question)
    return ServeOptions(
        model=question.model,
        source=candidate.choice.source,
        revision=request.revision,
        served_name=served_name,
        layout=candidate.layout,
        max_model_len=fit.max_model_len,
        kv_cache_dtype=question.kv_cache_dtype,
        tuning=request.tuning,
        is_online_fp8=candidate.choice.fmt.online,
        needs_half=capability is not None and capability < BF16_CAPABILITY,
        avoids_deep_gemm=(
            semantics.deep_gemm_breaks
            and candidate.choice.fmt.kind is WeightKind.FP8_BLOCK
            and capability is not None
            and capability[0] == CONSUMER_BLACKWELL_MAJOR
        ),
        semantics=semantics,
    )


def _about_kernels(fit: Fit) -> Iterator[str]:
    choice, accelerator = fit.candidate.choice, fit.candidate.pool.accelerator
    is_fp8 = choice.fmt.kind in (WeightKind.FP8_BLOCK, WeightKind.FP8_CHANNEL)
    if is_fp8 and not has_fp8_units(accelerator):
        yield (
            f"{accelerator.name} has no FP8 units: the weights are fp8, the arithmetic is 16 bit"
            " (weight-only kernels)."
        )
    if accelerator.vendor == "amd" and choice.fmt.kind is WeightKind.INT4_GROUP:
        yield f"vLLM has no tuned int4 kernels for {accelerator.name}; it will be slow."


def _provenance(question: Question, fit: Fit) -> tuple[Provenance, ...]:
    accelerator = fit.candidate.pool.accelerator
    tightest = min(fit.stages, key=lambda stage: stage.blocks)
    runner = semantics_of(question).runner
    is_v1 = runner is Runner.V1
    quantized = fit.candidate.choice.fmt.is_quantized
    pool_bytes = max(1, fit.blocks * tightest.block)
    runner_error = RUNNER_ERROR_BYTES[runner]
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
