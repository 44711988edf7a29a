"""What should be known of a plan for SGLang, and where its figures come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.adapters import about_adapters
from qwen3_planner.engines.sglang.fraction import FRACTION_FORM
from qwen3_planner.engines.sglang.kernels import BF16_CAPABILITY
from qwen3_planner.engines.sglang.semantics import MAMBA_SLOTS_PER_REQUEST
from qwen3_planner.engines.versions import ruling_at
from qwen3_planner.engines.vllm.yarn import yarn_factor
from qwen3_planner.plan import Basis, Provenance
from qwen3_planner.request import Quantization
from qwen3_planner.serving.sglang_memory import asked_of, parts_of
from qwen3_planner.sizing.overhead import QUANTIZED_WEIGHTS_ERROR, WEIGHTS_ERROR
from qwen3_planner.sizing.sglang_memory import (
    CONTEXT_ERROR_BYTES,
    GROUP_ERROR_BYTES,
    OUTSIDE_ERROR,
    running_requests,
    state_bytes_per_request,
)
from qwen3_planner.units import format_gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.question import Question
    from qwen3_planner.serving.sglang_memory import RankQuestion
    from qwen3_planner.serving.verdicts import Fit


def about_plan(question: Question, fit: Fit) -> Iterator[str]:
    """Yield what the user should know."""
    asked = asked_of(question, fit.candidate, fit.max_model_len)
    factor = yarn_factor(question.model, fit.max_model_len)
    if factor is not None:
        yield (
            f"YaRN with factor {factor:g} stretches the context to {fit.max_model_len} tokens;"
            " its static scaling may cost quality on short texts."
        )
    yield from _about_device(question, fit)
    yield from _about_room_beside(question, asked)
    yield from _about_requests(question, fit, asked)
    yield from _about_offload(question)
    yield from about_adapters(question.request, question.tuning, fit.candidate.choice.source)


def _about_device(question: Question, fit: Fit) -> Iterator[str]:
    accelerator, fmt = fit.candidate.pool.accelerator, fit.candidate.choice.fmt
    capability = accelerator.compute_capability
    is_old = capability is not None and capability < BF16_CAPABILITY
    if is_old and fmt.quantization is Quantization.BF16:
        yield (
            f"{accelerator.name} has no bf16 units: SGLang serves {question.model.name} in fp16"
            " there, whose range its values may exceed."
        )
    if accelerator.vendor == "amd":
        yield (
            f"On {accelerator.name} SGLang's attention kernels keep buffers that are not counted"
            " here: the KV cache may be a tenth smaller."
        )


def _about_room_beside(question: Question, asked: RankQuestion) -> Iterator[str]:
    """Tell where activations and graphs may not fit beside the share."""
    parts = parts_of(asked)[0]
    if parts.outside <= parts.slack:
        return
    free = asked.free_before
    enough = max(0.01, (free - parts.outside) / free)
    given = question.request.tuning.gpu_memory_utilization is not None
    whose = "the share asked for" if given else "SGLang's default"
    yield (
        f"mem-fraction-static={asked.run.fraction:.3g} ({whose}) leaves"
        f" {format_gib(parts.slack)} for activations, CUDA graphs and tables, which take about"
        f" {format_gib(parts.outside)}: the server may run out of memory."
        f" --gpu-memory-utilization {int(enough * 100) / 100:g} would leave enough."
    )


def _about_requests(question: Question, fit: Fit, asked: RankQuestion) -> Iterator[str]:
    layout, run = fit.candidate.layout, asked.run
    in_flight = question.requests_per_rank(layout)
    most = running_requests(max(2, fit.blocks), fit.max_model_len, run.max_requests, layout.data)
    each = state_bytes_per_request(question.model, layout.tensor, range(question.model.layers))
    if each:
        slots = parts_of(asked)[0].states // each
        most = min(most, max(1, slots // MAMBA_SLOTS_PER_REQUEST))
    if in_flight <= most:
        return
    if run.max_requests is not None and most == max(1, run.max_requests // layout.data):
        yield (
            f"{in_flight} requests in flight exceed max-running-requests={most}: the rest waits."
            f" --max-num-seqs {in_flight * layout.data} would let them all run."
        )
    else:
        yield (
            f"{in_flight} requests in flight are more than the {most} that SGLang runs at once"
            " here: the rest waits."
        )


def _about_offload(question: Question) -> Iterator[str]:
    asked = question.request.tuning.cpu_offload_gib
    if asked and asked != int(asked):
        yield f"SGLang keeps whole GiB in host memory: {int(asked)} of the {asked:g} asked for."


def provenance_of(question: Question, fit: Fit) -> tuple[Provenance, ...]:
    """Tell basis, error and source of each figure; errors are relative, one sigma."""
    candidate = fit.candidate
    accelerator = candidate.pool.accelerator
    asked = asked_of(question, candidate, fit.max_model_len)
    parts = parts_of(asked)[0]
    tightest = min(fit.stages, key=lambda stage: stage.blocks)
    pool_bytes = max(1, fit.blocks * tightest.block)
    is_quantized = candidate.choice.fmt.is_quantized
    share = (
        "as given"
        if question.request.tuning.gpu_memory_utilization is not None
        else ruling_at(FRACTION_FORM, asked.version).source
    )
    before = CONTEXT_ERROR_BYTES + (
        GROUP_ERROR_BYTES[asked.device.is_linked] if asked.layout.gpus_per_replica > 1 else 0
    )
    beside = f"about {format_gib(parts.outside)} beside the budget, of {format_gib(parts.slack)}"
    return (
        Provenance("model.parameters", Basis.EXACT, 0.0, question.model.source),
        Provenance("memory.checkpoint", Basis.EXACT, 0.001, "tensor shapes; headers not counted"),
        Provenance(
            "memory.weights",
            Basis.EXACT,
            QUANTIZED_WEIGHTS_ERROR if is_quantized else WEIGHTS_ERROR,
            "tensors of sglang 0.5.23 models/qwen3*.py as the CUDA caching allocator holds them",
        ),
        Provenance(
            "memory.kvCache",
            Basis.FORMULA,
            round(min(1.0, fit.error_bytes / pool_bytes), 4),
            "PyPI sglang 0.5.23 mem_cache/kv_cache_configurator.py",
        ),
        Provenance("memory.activation", Basis.ASSUMED, OUTSIDE_ERROR, beside),
        Provenance("memory.graphs", Basis.ASSUMED, OUTSIDE_ERROR, beside),
        Provenance(
            "memory.overhead",
            Basis.FITTED,
            round(min(1.0, before / max(1, parts.context)), 4),
            "free memory before loading in start-up logs of SGLang 0.4.6 to 0.5.19",
        ),
        Provenance(
            "memory.device",
            Basis.FORMULA if accelerator.usable_source.startswith("derived") else Basis.EXACT,
            accelerator.usable_relative_error,
            f"{accelerator.usable_source}; share: {share}",
        ),
        Provenance("memory.host", Basis.ASSUMED, 0.5, "processes of the engine; no log states it"),
    )
