"""SGLang: settings, memory of each rank, and command line of a plan.

``data`` means attention data parallelism here: the ranks of a replica form that many groups, each
with a copy of the attention and a KV cache of its own, while MLP and experts spread over all ranks.
SGLang's own ``--tp-size`` is therefore ``tensor x data``. ``expert`` is any divisor of it.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

from qwen3_planner.candidates import layouts
from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.engines.adapters import placed
from qwen3_planner.engines.sglang.command import LaunchOptions, command, environment
from qwen3_planner.engines.sglang.kernels import BF16_CAPABILITY, DEEP_GEMM_FAILS
from qwen3_planner.engines.sglang.semantics import FEWEST_REQUESTS, SGLANG_VENDORS, ExpertForm
from qwen3_planner.engines.sources import located
from qwen3_planner.engines.versions import ruling_at
from qwen3_planner.plan import Layout
from qwen3_planner.request import KvCacheDtype, Quantization
from qwen3_planner.serving.contract import Launch
from qwen3_planner.serving.least import least_bytes
from qwen3_planner.serving.sglang_memory import (
    adapters_of,
    asked_of,
    memory_of,
    parts_of,
)
from qwen3_planner.serving.sglang_notes import about_plan, provenance_of
from qwen3_planner.serving.sglang_run import kept_bytes, run_of, semantics_of
from qwen3_planner.sizing.activation import Batch
from qwen3_planner.sizing.formats import WeightKind
from qwen3_planner.sizing.overhead import QUANTIZED_WEIGHTS_ERROR, WEIGHTS_ERROR, host_bytes
from qwen3_planner.sizing.sglang_memory import error_bytes
from qwen3_planner.sizing.stages import Setting, StageMemory
from qwen3_planner.sizing.weights import checkpoint_bytes
from qwen3_planner.units import GIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.candidates import Candidate, Pool
    from qwen3_planner.catalog.rows import Accelerator, ModelArchitecture
    from qwen3_planner.plan import Provenance
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.serving.verdicts import Fit

CONTEXT_STEP = 16
"""A context that is shortened comes in steps of so many tokens."""

AMD_POOL_ERROR = 0.1
"""Share of the budget by which the pool may be off on AMD GPUs, one sigma: the attention kernels
there keep buffers that no formula here counts (145.3 of 171.1 GiB were left in a log of MI355X)."""

HOPPER_MAJOR = 9

ALIGNED_SLICE = 128
"""FP8 scales cover so many of an expert's inner columns."""


class SglangServing:
    """SGLang on NVIDIA and AMD GPUs."""

    def runs_on(self, accelerator: Accelerator) -> bool:
        """Whether it is a GPU of a vendor that this release plans SGLang on."""
        is_gpu = accelerator.device_class is AcceleratorClass.GPU
        return is_gpu and accelerator.vendor in SGLANG_VENDORS

    def setting(self, question: Question, pool: Pool) -> Setting:
        """Resolve the engine's settings on a pool.

        The share of memory depends on the layout too; here it is that of the sizes that are fixed,
        and of one rank where none is.
        """
        wish = question.request.parallelism
        layout = Layout(wish.tensor or 1, wish.pipeline or 1, wish.data or 1)
        run = run_of(question, pool, layout)
        seqs = question.request.tuning.max_num_seqs or FEWEST_REQUESTS
        return Setting(run.fraction, Batch(run.chunked_prefill, seqs))

    def kv_cache(self, question: Question, choice: WeightChoice) -> KvCacheDtype:  # noqa: ARG002 - of every engine
        """Return what the KV cache holds: what was asked for, else the engine's default."""
        return question.kv_cache_dtype

    def layouts(self, question: Question, pool: Pool, gpu_limit: int) -> tuple[Layout, ...]:
        """List tensor x pipeline x data layouts; experts in groups of a few sizes.

        Memory is alike for groups of every size, so of those that are free only three are asked
        about: none, the smallest whose slices hold whole FP8 scales, and all ranks.
        """
        request, model = question.request, question.model
        wish = request.parallelism
        if not model.is_moe or wish.expert is not None:
            return layouts(model, pool, wish, request.replicas, gpu_limit)
        alone = layouts(model, pool, replace(wish, expert=1), request.replicas, gpu_limit)
        any_size = semantics_of(question).expert_form is ExpertForm.ANY_SIZE
        return tuple(
            replace(layout, expert=expert)
            for layout in alone
            for expert in expert_sizes(model, layout.tensor * layout.data, any_size=any_size)
        )

    def stages(
        self, question: Question, candidate: Candidate, setting: Setting
    ) -> tuple[StageMemory, ...]:
        """Compute the memory of each stage of a candidate."""
        del setting  # the share of memory depends on the layout
        return memory_of(asked_of(question, candidate))

    def rank_weights(self, question: Question, fit: Fit, stage: int, expert_rank: int) -> int:
        """Return what one GPU holds after loading, in bytes: the same on every rank of a stage."""
        del expert_rank
        asked = asked_of(question, fit.candidate, fit.max_model_len)
        return parts_of(asked)[stage].weights

    def needed_blocks(self, question: Question, layout: Layout, context: int) -> int:
        """Return the tokens of one data-parallel group that hold the load.

        Each request in flight takes its stated tokens, or a whole context where none are stated;
        one request of the whole context must always fit.
        """
        each = question.request_tokens or context
        return max(context, question.requests_per_rank(layout) * each)

    def longest_context(self, question: Question, layout: Layout, blocks: int) -> int:
        """Return the longest context that the load leaves room for; 0 if none."""
        requests = question.requests_per_rank(layout)
        if question.request_tokens is None:
            longest = blocks // requests
        elif requests * question.request_tokens > blocks:
            return 0
        else:
            longest = min(question.wanted_context, blocks)
        rounded = longest - longest % CONTEXT_STEP
        shortest = question.shortest_context
        return shortest if rounded < shortest <= longest else rounded

    def logged_tokens(self, question: Question, layout: Layout, blocks: int, context: int) -> int:
        """Return what SGLang logs as max_total_num_tokens, of one data-parallel group."""
        del question, layout, context
        return blocks

    def pool_blocks(self, fit: Fit) -> tuple[int, int, int]:
        """Return the tokens that SGLang allocates: all that fit."""
        margin = fit.margin_blocks
        return max(0, fit.blocks - margin), fit.blocks, fit.blocks + margin

    def checkpoint_bytes(self, question: Question, choice: WeightChoice) -> int:
        """Return the bytes of the safetensors files."""
        return checkpoint_bytes(question.model, choice.fmt)

    def least_bytes(self, question: Question, choice: WeightChoice) -> int:
        """Return what all GPUs surely hold together."""
        return least_bytes(question, choice, question.kv_cache_dtype)

    def error_bytes(
        self,
        question: Question,
        candidate: Candidate,
        setting: Setting,
        stages: tuple[StageMemory, ...],
    ) -> float:
        """Combine the errors of the device's memory and of the formulas: one sigma."""
        del setting
        asked = asked_of(question, candidate)
        fraction, pool = asked.run.fraction, candidate.pool
        is_quantized = candidate.choice.fmt.is_quantized
        share = QUANTIZED_WEIGHTS_ERROR if is_quantized else WEIGHTS_ERROR
        formulas = error_bytes(
            candidate.layout.gpus_per_replica,
            share * max(stage.weights for stage in stages),
            is_linked=asked.device.is_linked,
            has_vision=question.model.vision is not None,
        )
        device = pool.accelerator.usable_relative_error * pool.device_bytes * fraction
        amd = AMD_POOL_ERROR * stages[0].budget if pool.accelerator.vendor == "amd" else 0.0
        sigma = sqrt(formulas**2 + device**2 + amd**2)
        if asked.given_bytes is None:
            return sigma
        spare = min(parts.unused for parts in parts_of(asked))
        return max(0.0, sigma - spare)  # a pool that was given is as large as that, or smaller

    def host_bytes(self, question: Question, fit: Fit) -> int:
        """Return the host memory that the pods of one replica ask for."""
        layout = fit.candidate.layout
        offloaded = int(question.request.tuning.cpu_offload_gib or 0) * GIB
        each = offloaded + kept_bytes(question)
        return host_bytes(layout.gpus_per_replica, 1) + each * layout.gpus_per_replica

    def adapter_bytes(self, question: Question, fit: Fit) -> int:
        """Return the slots of a rank: each stage has the same."""
        return adapters_of(asked_of(question, fit.candidate, fit.max_model_len), 0)

    def launch(self, question: Question, fit: Fit, served_name: str) -> Launch:
        """Render ``python3 -m sglang.launch_server``."""
        options = launch_options(question, fit, served_name)
        dtype = question.kv_cache_dtype
        if options.wants_half and question.request.kv_cache_dtype is KvCacheDtype.AUTO:
            dtype = KvCacheDtype.FP16  # left to the engine, it follows the activations
        return Launch(command(options), environment(options), dtype.value)

    def warnings(self, question: Question, fit: Fit) -> Iterator[str]:
        """Yield what the user should know about context, memory beside the budget, kernels."""
        yield from about_plan(question, fit)

    def provenance(self, question: Question, fit: Fit) -> tuple[Provenance, ...]:
        """Tell basis, error and source of each figure; errors are relative, one sigma."""
        return provenance_of(question, fit)


def expert_sizes(model: ModelArchitecture, ranks: int, *, any_size: bool) -> tuple[int, ...]:
    """List the sizes of expert groups that are worth asking about, smallest first.

    Args:
        model: the architecture.
        ranks: that share one replica's experts.
        any_size: whether the version takes other sizes than 1 and all.
    """
    sizes = {1, ranks} if model.experts % ranks == 0 else {1}
    if any_size:
        aligned = (
            size
            for size in range(2, ranks)
            if ranks % size == 0
            and model.experts % size == 0
            and model.moe_intermediate_size % (ranks // size * ALIGNED_SLICE) == 0
        )
        sizes.update(tuple(aligned)[:1])
    return tuple(sorted(sizes))


def launch_options(question: Question, fit: Fit, served_name: str) -> LaunchOptions:
    """Gather what the command line of a plan is made of."""
    request, candidate, semantics = question.request, fit.candidate, semantics_of(question)
    fmt, capability = candidate.choice.fmt, candidate.pool.accelerator.compute_capability
    given = request.tuning.kv_cache_memory_bytes
    is_old = capability is not None and capability < BF16_CAPABILITY
    return LaunchOptions(
        model=question.model,
        source=located(
            candidate.choice.source, question.request.revision, question.request.weights_at
        ),
        revision=request.revision,
        served_name=served_name,
        layout=candidate.layout,
        max_model_len=fit.max_model_len,
        kv_cache_dtype=question.kv_cache_dtype,
        kv_tokens=None if given is None else given // max(stage.block for stage in fit.stages),
        tuning=question.tuning,
        adapters=placed(request),
        chat=request.chat,
        is_online_fp8=fmt.online,
        wants_half=is_old or fmt.quantization is Quantization.FP16,
        avoids_deep_gemm=(
            fmt.kind is WeightKind.FP8_BLOCK
            and not question.model.is_moe
            and capability is not None
            and capability[0] == HOPPER_MAJOR
            and ruling_at(DEEP_GEMM_FAILS, semantics.version).value
        ),
        semantics=semantics,
    )
