"""What is told of a llama.cpp plan beside its figures: errors, warnings, provenance."""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.adapters import ASSUMED_RANK
from qwen3_planner.engines.vllm.yarn import yarn_factor
from qwen3_planner.plan import Basis, Provenance
from qwen3_planner.serving.llamacpp_memory import (
    VISION_COMPUTE_BYTES,
    has_gpu,
    known_host_bytes,
    memory_of,
    shares_host_memory,
)
from qwen3_planner.sizing.gguf import file_type_of
from qwen3_planner.sizing.gguf_mixes import depends_on_importance_matrix, needs_importance_matrix
from qwen3_planner.sizing.llamacpp import GPU_CONTEXT_ERROR_BYTES
from qwen3_planner.sizing.llamacpp_compute import (
    ALONE_ERROR,
    BORROWED_ERROR,
    CPU_ERROR,
    SPLIT_ERROR,
)
from qwen3_planner.units import format_gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.candidates import Candidate
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.serving.verdicts import Fit

MATRIX_ERROR: Final = 0.015
"""Share of the weights: files made with an importance matrix differ by about 1 % from the rule
(IQ4_XS of several uploaders)."""

VISION_ERROR: Final = 0.5
"""Share of what encoding an image is assumed to take."""

VISION_PEAKS: Final = "assumed; four measured peaks of whole servers are 0.9 % to 2 % higher"

MEASURED: Final = "llama.cpp b11549: buffers it states without allocating (293 runs)"

RULE: Final = "ggml-org/llama.cpp@007dbbf src/llama-quant.cpp"


def warnings_of(question: Question, fit: Fit) -> Iterator[str]:
    """Yield what the user should know about context, layers on the host, slots and file."""
    factor = yarn_factor(question.model, fit.max_model_len)
    if factor is not None:
        yield (
            f"YaRN with factor {factor:g} stretches the context to {fit.max_model_len} tokens;"
            " its static scaling may cost quality on short texts."
        )
    yield from _about_host(question, fit)
    in_flight, slots = question.request.workload.concurrency, fit.setting.batch.seqs
    if in_flight > slots:
        yield (
            f"{in_flight} requests in flight exceed max-num-seqs={slots}: the rest waits."
            f" --max-num-seqs {in_flight} would let them all run."
        )
    yield from _about_file(fit.candidate.choice)
    yield from _about_adapters(question)


def compute_error(candidate: Candidate) -> float:
    """Return how far the compute buffers may be off, relative."""
    if not has_gpu(candidate.pool.accelerator):
        return CPU_ERROR
    if candidate.layout.keeps_layers_on_host:
        return BORROWED_ERROR
    return SPLIT_ERROR if candidate.layout.pipeline > 1 else ALONE_ERROR


def weights_error(choice: WeightChoice) -> float:
    """Return how far the weights may be off, relative."""
    if choice.fmt.gguf is not None:
        return 0.0
    file_type = file_type_of(choice.fmt.quantization)
    return MATRIX_ERROR if needs_importance_matrix(file_type) else 0.0


def _about_host(question: Question, fit: Fit) -> Iterator[str]:
    layout, pool = fit.candidate.layout, fit.candidate.pool
    if not layout.keeps_layers_on_host:
        return
    memory = memory_of(question, fit.candidate, fit.setting, fit.max_model_len)
    host = memory.host(0)
    needs = format_gib(host.fixed + memory.needed_blocks * host.block)
    what = (
        f"The experts of {layout.host_expert_layers} of {question.model.layers} layers"
        if layout.host_expert_layers
        else f"{layout.host_layers} of {question.model.layers} layers"
    )
    yield f"{what} stay in host memory and are computed there: answers are much slower."
    if known_host_bytes(pool, layout) is None:
        yield f"The node's memory is not stated: it needs {needs} for this plan."


def _about_file(choice: WeightChoice) -> Iterator[str]:
    if choice.fmt.gguf is not None:
        return
    file_type = file_type_of(choice.fmt.quantization)
    if needs_importance_matrix(file_type):
        yield (
            f"{file_type} is made with an importance matrix, and its uploaders choose the types of"
            " some tensors themselves: its size is approximate until the file's header is read."
        )
    elif depends_on_importance_matrix(file_type):
        yield (
            f"{file_type} files made with an importance matrix are up to 1.5 % smaller or larger"
            " than this plain one."
        )


def _about_adapters(question: Question) -> Iterator[str]:
    """Tell how adapters are asked for, which is this engine's own way."""
    adapters = question.request.adapters
    if not adapters:
        return
    ids = ", ".join(f"{number} is {adapter.name}" for number, adapter in enumerate(adapters))
    yield (
        f'llama.cpp takes adapters by number, not as a model: "lora": [{{"id": 0, "scale": 1}}] in'
        f" a request ({ids}); requests with different ones are not computed together."
    )
    unstated = [adapter.name for adapter in adapters if adapter.rank is None]
    if unstated:
        yield f"The rank of {', '.join(unstated)} is not stated and taken to be {ASSUMED_RANK}."


def _activation(question: Question, fit: Fit) -> Provenance:
    """Tell where compute buffers come from; what encodes an image is no part of any run."""
    largest = max(stage.activation for stage in fit.stages)
    error = compute_error(fit.candidate)
    if question.model.vision is None:
        return Provenance("memory.activation", Basis.FORMULA, error, MEASURED)
    error = round(hypot(error, VISION_ERROR * VISION_COMPUTE_BYTES / largest), 4)
    source = f"{MEASURED}; encoding an image: {VISION_PEAKS}"
    return Provenance("memory.activation", Basis.ASSUMED, error, source)


def provenance_of(question: Question, fit: Fit) -> tuple[Provenance, ...]:
    """Tell basis, error and source of each figure; errors are relative, one sigma."""
    accelerator, choice = fit.candidate.pool.accelerator, fit.candidate.choice
    error = weights_error(choice)
    basis = Basis.FORMULA if error else Basis.EXACT
    rule = RULE if choice.fmt.gguf is None else "the file's header"
    overhead = max(1, *(stage.overhead for stage in fit.stages))
    has_context = not shares_host_memory(accelerator)
    return (
        Provenance("model.parameters", Basis.EXACT, 0.0, question.model.source),
        Provenance("memory.checkpoint", basis, error, rule),
        Provenance("memory.weights", basis, error, f"{rule}; {MEASURED}"),
        Provenance("memory.kvCache", Basis.EXACT, 0.0, MEASURED),
        _activation(question, fit),
        Provenance("memory.graphs", Basis.EXACT, 0.0, "not kept apart from the GPU's context"),
        Provenance(
            "memory.overhead",
            Basis.FITTED if has_context else Basis.ASSUMED,
            round(GPU_CONTEXT_ERROR_BYTES / overhead, 4) if has_context else 0.5,
            "free against total GPU memory in start-up logs of b8000 to b10000"
            if has_context
            else "the server's own memory; no log states it",
        ),
        Provenance(
            "memory.device",
            Basis.FORMULA if accelerator.usable_source.startswith("derived") else Basis.EXACT,
            accelerator.usable_relative_error,
            accelerator.usable_source,
        ),
        Provenance("memory.host", Basis.FORMULA, 0.1, f"{MEASURED}; the process itself is assumed"),
    )
