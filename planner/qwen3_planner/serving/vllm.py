"""vLLM: settings, memory of each rank, and command line of a plan."""

from __future__ import annotations

from math import floor, hypot
from typing import TYPE_CHECKING

from qwen3_planner.candidates import layouts
from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.engines.adapters import about_adapters, placed
from qwen3_planner.engines.sources import located
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.engines.vllm.command import ServeOptions, command, environment
from qwen3_planner.engines.vllm.flags import flag_ranges, takes
from qwen3_planner.engines.vllm.semantics import (
    RESERVED_BLOCKS,
    VLLM_VENDORS,
    default_batch,
)
from qwen3_planner.engines.vllm.yarn import yarn_factor
from qwen3_planner.request import KvCacheDtype, Quantization
from qwen3_planner.rules.quantized import BF16_CAPABILITY, has_fp8_units
from qwen3_planner.serving.contract import Launch
from qwen3_planner.serving.least import least_bytes
from qwen3_planner.serving.vllm_errors import provenance_of
from qwen3_planner.serving.vllm_facts import (
    additions_of,
    cache_of,
    device_of,
    kv_shape_of,
    parts_of,
    semantics_of,
    table_rows,
)
from qwen3_planner.serving.vllm_lora import kept_bytes
from qwen3_planner.serving.vllm_memory import memory_of_stages
from qwen3_planner.sizing.activation import Batch
from qwen3_planner.sizing.formats import WeightKind
from qwen3_planner.sizing.kv_cache import kv_bytes_per_32
from qwen3_planner.sizing.overhead import UNKNOWN_RELEASE_ERROR_BYTES, host_bytes
from qwen3_planner.sizing.stages import Setting, StageMemory
from qwen3_planner.sizing.weights import checkpoint_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.candidates import Candidate, Pool
    from qwen3_planner.catalog.rows import Accelerator
    from qwen3_planner.plan import Layout, Provenance
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.serving.verdicts import Fit

CONSUMER_BLACKWELL_MAJOR = 12
"""Compute capability major of RTX 5090 and RTX PRO 6000."""


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
        accelerator, bounds = pool.accelerator, semantics.batch_bounds
        tokens, seqs = default_batch(
            semantics, pool.device_bytes, accelerator.name, accelerator.compute_capability
        )
        seqs = tuning.max_num_seqs or seqs
        if tuning.max_num_batched_tokens is not None:
            tokens = tuning.max_num_batched_tokens
        elif bounds.tokens_within_load:
            tokens = min(tokens, seqs * question.wanted_context)
        if tuning.max_num_seqs is None and bounds.seqs_within_tokens:
            seqs = min(seqs, tokens)
        return Setting(tuning.gpu_memory_utilization or semantics.utilization, Batch(tokens, seqs))

    def kv_cache(self, question: Question, choice: WeightChoice) -> KvCacheDtype:
        """Return what the KV cache holds: asked for, or what the files of the weights say."""
        return cache_of(question, choice)

    def layouts(self, question: Question, pool: Pool, gpu_limit: int) -> tuple[Layout, ...]:
        """List tensor x pipeline x data layouts, experts spread over tensor x data or not."""
        request = question.request
        return layouts(question.model, pool, request.parallelism, request.replicas, gpu_limit)

    def stages(
        self, question: Question, candidate: Candidate, setting: Setting
    ) -> tuple[StageMemory, ...]:
        """Compute the tightest rank of each stage of a candidate."""
        return memory_of_stages(
            question.model,
            candidate.choice.fmt,
            candidate.layout,
            semantics=semantics_of(question, candidate.choice),
            setting=setting,
            device=device_of(candidate.pool),
            positions=table_rows(question, question.wanted_context),
            kv_bytes_per_32=kv_bytes_per_32(cache_of(question, candidate.choice)),
            additions=additions_of(question, candidate.choice),
        )

    def rank_weights(self, question: Question, fit: Fit, stage: int, expert_rank: int) -> int:
        """Return what one GPU holds after loading, in bytes."""
        return parts_of(question, fit, stage, expert_rank).held

    def needed_blocks(self, question: Question, layout: Layout, context: int) -> int:
        """Return the KV blocks of one rank that hold the load, the null block included.

        Each request in flight takes its stated tokens, or a whole context where none are stated;
        one request of the whole context must always fit.
        """
        shape = kv_shape_of(question, layout)
        each = shape.blocks(question.request_tokens or context)
        whole = shape.blocks(context)
        return max(whole, question.requests_per_rank(layout) * each) + RESERVED_BLOCKS

    def longest_context(self, question: Question, layout: Layout, blocks: int) -> int:
        """Return the longest context (whole blocks) that the load leaves room for; 0 if none."""
        shape = kv_shape_of(question, layout)
        usable = blocks - RESERVED_BLOCKS
        requests = question.requests_per_rank(layout)
        if question.request_tokens is None:
            return max(0, floor(usable / requests) - shape.state_blocks) * shape.tokens
        if requests * shape.blocks(question.request_tokens) > usable:
            return 0
        return min(question.wanted_context, (usable - shape.state_blocks) * shape.tokens)

    def logged_tokens(self, question: Question, layout: Layout, blocks: int, context: int) -> int:
        """Return what vLLM logs as "GPU KV cache size"; of hybrid models since 0.20.1."""
        return kv_shape_of(question, layout).logged_tokens(blocks, context)

    def pool_blocks(self, fit: Fit) -> tuple[int, int, int]:
        """Return the blocks that vLLM allocates: all that fit."""
        return max(0, fit.blocks - fit.margin_blocks), fit.blocks, fit.blocks + fit.spare_blocks

    def checkpoint_bytes(self, question: Question, choice: WeightChoice) -> int:
        """Return the bytes of the safetensors files."""
        return checkpoint_bytes(question.model, choice.fmt)

    def least_bytes(self, question: Question, choice: WeightChoice) -> int:
        """Return what all GPUs surely hold together."""
        return least_bytes(question, choice, cache_of(question, choice))

    def error_bytes(
        self,
        question: Question,
        candidate: Candidate,
        setting: Setting,
        stages: tuple[StageMemory, ...],
    ) -> float:
        """Combine the errors of the device's memory and of the formulas: one sigma."""
        if question.request.tuning.kv_cache_memory_bytes is not None and (
            additions_of(question, candidate.choice).kv_cache_bytes is not None
        ):
            return 0.0  # the pool is what was asked for, or the engine does not start
        tightest = min(stages, key=lambda stage: stage.blocks)
        pool = candidate.pool
        device = pool.accelerator.usable_relative_error * pool.device_bytes * setting.utilization
        is_new = question.version > parse_version(question.release.newest_known_version)
        return hypot(device, tightest.sigma, UNKNOWN_RELEASE_ERROR_BYTES if is_new else 0.0)

    def host_bytes(self, question: Question, fit: Fit) -> int:
        """Return the host memory that the pods of one replica ask for."""
        layout = fit.candidate.layout
        additions = additions_of(question, fit.candidate.choice)
        each = additions.offload_bytes + kept_bytes(question, additions.slots)
        return host_bytes(layout.gpus_per_replica, layout.data) + each * layout.gpus_per_replica

    def adapter_bytes(self, question: Question, fit: Fit) -> int:
        """Return the slots of the stage that has most."""
        stages = range(fit.candidate.layout.pipeline)
        return max(parts_of(question, fit, stage, 0).adapters for stage in stages)

    def launch(self, question: Question, fit: Fit, served_name: str) -> Launch:
        """Render ``vllm serve``."""
        options = _serve_options(question, fit, served_name)
        dtype = options.kv_cache_dtype
        is_free = question.request.kv_cache_dtype is KvCacheDtype.AUTO
        if options.needs_half and is_free and dtype is KvCacheDtype.BF16:
            dtype = KvCacheDtype.FP16  # left to the engine, it follows the activations
        return Launch(command(options), environment(options), dtype.value)

    def warnings(self, question: Question, fit: Fit) -> Iterator[str]:
        """Yield what the user should know about context, weights and scheduler."""
        factor = yarn_factor(question.model, fit.max_model_len)
        if factor is not None:
            yield (
                f"YaRN with factor {factor:g} stretches the context to {fit.max_model_len} tokens;"
                " its static scaling may cost quality on short texts."
            )
        yield from _about_kernels(fit)
        yield from _about_tuning(question, fit)
        yield from about_adapters(question.request, question.tuning, fit.candidate.choice.source)
        in_flight = question.requests_per_rank(fit.candidate.layout)
        seqs = fit.setting.batch.seqs
        if in_flight > seqs:
            yield (
                f"{in_flight} requests in flight exceed max-num-seqs={seqs}: the rest waits."
                f" --max-num-seqs {in_flight} would let them all run."
            )

    def provenance(self, question: Question, fit: Fit) -> tuple[Provenance, ...]:
        """Tell basis, error and source of each figure; errors are relative, one sigma."""
        return provenance_of(question, fit)


def _serve_options(question: Question, fit: Fit, served_name: str) -> ServeOptions:
    request, candidate = question.request, fit.candidate
    capability = candidate.pool.accelerator.compute_capability
    semantics = semantics_of(question, candidate.choice)
    return ServeOptions(
        model=question.model,
        source=located(
            candidate.choice.source, question.request.revision, question.request.weights_at
        ),
        revision=request.revision,
        served_name=served_name,
        layout=candidate.layout,
        max_model_len=fit.max_model_len,
        kv_cache_dtype=cache_of(question, candidate.choice),
        has_cache_scales=candidate.choice.fmt.kv_scales,
        tuning=question.tuning,
        adapters=placed(request),
        chat=request.chat,
        is_online_fp8=candidate.choice.fmt.online,
        needs_half=candidate.choice.fmt.quantization is Quantization.FP16
        or (capability is not None and capability < BF16_CAPABILITY),
        avoids_deep_gemm=(
            semantics.deep_gemm_breaks
            and candidate.choice.fmt.kind is WeightKind.FP8_BLOCK
            and capability is not None
            and capability[0] == CONSUMER_BLACKWELL_MAJOR
        ),
        semantics=semantics,
        draft_source=question.draft_source,
        draft_tokens=additions_of(question).draft_tokens,
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


def _about_tuning(question: Question, fit: Fit) -> Iterator[str]:
    """Yield what of the user's tuning this version cannot do or hides."""
    tuning, semantics = question.request.tuning, semantics_of(question, fit.candidate.choice)
    version = semantics.version
    if tuning.kv_cache_memory_bytes is not None:
        if not takes("--kv-cache-memory-bytes", version):
            since = flag_ranges()["--kv-cache-memory-bytes"].since
            yield f"vLLM {version} has no --kv-cache-memory-bytes (since {since}): it is left out."
        elif tuning.gpu_memory_utilization is not None:
            yield "--kv-cache-memory-bytes is taken as given; --gpu-memory-utilization is ignored."
    if tuning.cpu_offload_gib and not semantics.offloads:
        yield (
            f"vLLM {version} takes --cpu-offload-gb for this model but keeps all weights on the"
            " GPU: its second model runner cannot offload before 0.28.0."
        )
    elif tuning.cpu_offload_gib:
        yield "Offloaded weights are read over PCIe at every step: decoding slows down a lot."
