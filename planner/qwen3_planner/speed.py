"""From a candidate that fits to the server whose speed is predicted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.performance.efficiency import efficiency_of
from qwen3_planner.performance.gguf_work import gguf_work
from qwen3_planner.performance.load import Limits, Load, Server, Stage
from qwen3_planner.performance.machine import (
    DEFAULT_PCIE_GB_PER_S,
    FLOPS_PER_BYTE,
    GIGA,
    Machine,
    device_class,
    format_class,
    machine_of,
)
from qwen3_planner.performance.prediction import predict
from qwen3_planner.performance.reading import predict_reading
from qwen3_planner.performance.saturation import performance_at_rate
from qwen3_planner.performance.work import stage_works
from qwen3_planner.question import DEFAULT_INPUT_TOKENS, DEFAULT_OUTPUT_TOKENS
from qwen3_planner.request import EngineName
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.sizing.gguf import file_type_of
from qwen3_planner.sizing.kv_cache import kv_bytes_per_32
from qwen3_planner.units import GIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.catalog.figures import Efficiency
    from qwen3_planner.catalog.rows import Accelerator
    from qwen3_planner.performance.prediction import Prediction
    from qwen3_planner.performance.reading import Reading
    from qwen3_planner.performance.saturation import AtRate
    from qwen3_planner.performance.work import StageWork
    from qwen3_planner.question import Question
    from qwen3_planner.serving.verdicts import Fit
    from qwen3_planner.sizing.formats import WeightFormat

HOST_GB_PER_S = 80.0
"""Bandwidth of the host's memory where layers stay in it: two channels of DDR5-5600 give 89.6, a
server with eight gives three times that. Assumed, as no inventory states it."""

HOST_SWITCH_US = 150.0
"""Of each layer whose experts alone stay on the host: there and back, each waiting for the other.
From 36.7 tokens/s of Qwen3-30B-A3B Q4_K_M with the experts of 36 layers on the host of an RTX 2080
(https://github.com/AlexsJones/llmfit/pull/755, 2026-07-16)."""

HOST = "cpu"
"""Class of device of the host's processor."""


def load_of(question: Question) -> Load:
    """Return the load whose speed is told: what is asked, the rest by default."""
    workload = question.request.workload
    entered, produced = workload.input_tokens, workload.output_tokens
    return Load(
        input_tokens=DEFAULT_INPUT_TOKENS if entered is None else entered,
        output_tokens=DEFAULT_OUTPUT_TOKENS if produced is None else produced,
        concurrency=workload.concurrency,
    )


def speed_of(question: Question, fit: Fit, efficiencies: Sequence[Efficiency]) -> Prediction | None:
    """Predict the speed of one replica under the question's load.

    None where nothing is known of the engine's efficiency, or the model generates no tokens.
    """
    server = server_of(question, fit, efficiencies)
    return None if server is None else predict(server, load_of(question))


def speed_at_rate(
    question: Question, fit: Fit, efficiencies: Sequence[Efficiency], requests_per_s: float
) -> AtRate | None:
    """Predict an open loop: what requests get that reach one replica at a rate.

    Args:
        question: whose workload states the sizes of the requests.
        fit: what is served.
        efficiencies: of the catalog.
        requests_per_s: that reach one replica; above 0.

    Returns:
        None as for :func:`speed_of`; where the replica cannot keep up its prediction is None.
    """
    server = server_of(question, fit, efficiencies)
    return (
        None if server is None else performance_at_rate(server, load_of(question), requests_per_s)
    )


def reading_of(
    question: Question, fit: Fit, efficiencies: Sequence[Efficiency]
) -> tuple[Server, Reading] | None:
    """Predict the speed of a replica that only reads (embeddings, rerankers), and say on what.

    None where nothing is known of the engine's efficiency, or the model generates tokens.
    """
    if not question.model.is_pooling:
        return None
    server = _server(question, fit, efficiencies)
    return None if server is None else (server, predict_reading(server, load_of(question)))


def server_of(question: Question, fit: Fit, efficiencies: Sequence[Efficiency]) -> Server | None:
    """Put together what the speed of one replica depends on; None as for :func:`speed_of`."""
    return None if question.model.is_pooling else _server(question, fit, efficiencies)


def _server(question: Question, fit: Fit, efficiencies: Sequence[Efficiency]) -> Server | None:
    candidate = fit.candidate
    accelerator, fmt = candidate.pool.accelerator, candidate.choice.fmt
    row = efficiency_for(question, accelerator, fmt, efficiencies)
    if row is None:
        return None
    if question.calibration:
        row = _as_measured(question, fit, row)
    return Server(
        stages=_stages(question, fit, row, efficiencies),
        efficiency=row,
        limits=_limits(question, fit),
        data=candidate.layout.data,
        is_pipelined=question.engine is not EngineName.LLAMACPP,
        subject=(question.model.name, accelerator.name),
    )


def _as_measured(question: Question, fit: Fit, row: Efficiency) -> Efficiency:
    """Scale efficiencies to what was measured on such a server, or on its card."""
    from qwen3_planner.corrections.speeds import scaled  # noqa: PLC0415 - only where calibrated
    from qwen3_planner.corrections.subjects import subject_of  # noqa: PLC0415 - as above

    subject = subject_of(question, fit.candidate, fit.setting.batch)
    return scaled(row, question.calibration, subject).efficiency


def with_pool(server: Server, question: Question, fit: Fit) -> Server:
    """Return the server of another fit of the same candidate, in the same settings.

    Under another load the context that is settled may differ, and with it the tokens of the pool.
    """
    limits = _limits(question, fit)
    return server if limits == server.limits else replace(server, limits=limits)


def _limits(question: Question, fit: Fit) -> Limits:
    serving, batch = serving_of(question.engine), fit.setting.batch
    _, blocks, _ = serving.pool_blocks(fit)
    layout = fit.candidate.layout
    tokens = serving.logged_tokens(question, layout, blocks, fit.max_model_len)
    return Limits(batch.seqs, batch.tokens, tokens)


def efficiency_for(
    question: Question,
    accelerator: Accelerator,
    fmt: WeightFormat,
    efficiencies: Sequence[Efficiency],
) -> Efficiency | None:
    """Return the fitted row that describes a weight format on an accelerator best."""
    return efficiency_of(
        efficiencies,
        question.engine.value,
        question.version,
        device=device_class(accelerator),
        weights=format_class(fmt),
        kind="moe" if question.model.is_moe else "dense",
        subject=(question.model.name, accelerator.name),
    )


def _stages(
    question: Question, fit: Fit, row: Efficiency, efficiencies: Sequence[Efficiency]
) -> tuple[Stage, ...]:
    candidate, model = fit.candidate, question.model
    fmt, layout = candidate.choice.fmt, candidate.layout
    width = kv_bytes_per_32(serving_of(question.engine).kv_cache(question, candidate.choice))
    machine = machine_of(candidate.pool.accelerator, fmt, layout, has_experts=model.is_moe)
    if question.engine is not EngineName.LLAMACPP:
        works = stage_works(model, fmt, layout, width)
        return tuple(Stage(work, machine, _tuned(question, fit, row, work)) for work in works)
    parts = gguf_work(model, file_type_of(fmt.quantization), layout, width)
    devices = tuple(Stage(work, machine, row) for work in parts.devices)
    if parts.host is None:
        return devices
    host = efficiency_of(
        efficiencies,
        question.engine.value,
        question.version,
        device=HOST,
        weights=format_class(fmt),
        kind="moe" if model.is_moe else "dense",
    )
    on_host = host or row
    if layout.host_expert_layers:
        on_host = replace(on_host, layer_us=on_host.layer_us + HOST_SWITCH_US)
    helper = devices[0] if devices else None
    return (Stage(parts.host, _host_machine(machine), on_host, helper), *devices)


def _tuned(question: Question, fit: Fit, row: Efficiency, work: StageWork) -> Efficiency:
    """Slow a row down by what was asked of the engine."""
    tuning, card = question.request.tuning, fit.candidate.pool.accelerator
    if not (tuning.cpu_offload_gib or tuning.enforce_eager):
        return row
    from qwen3_planner.performance.tuning import as_tuned  # noqa: PLC0415 - rarely asked for

    return as_tuned(
        row,
        work,
        card.memory_gb_per_s * GIGA,
        bus_bytes_per_s=(card.pcie_gb_per_s or DEFAULT_PCIE_GB_PER_S) * GIGA,
        offload_bytes=(tuning.cpu_offload_gib or 0.0) * GIB,
        is_eager=bool(tuning.enforce_eager),
    )


def _host_machine(device: Machine) -> Machine:
    memory = HOST_GB_PER_S * GIGA
    flops = memory * FLOPS_PER_BYTE[AcceleratorClass.CPU]
    return Machine(
        memory=memory,
        flops=flops,
        attention_flops=flops,
        ranks=1,
        expert_ranks=1,
        link=device.stage_link,
        has_fast_link=False,
        stage_link=device.stage_link,
        assumed=(f"{HOST_GB_PER_S:g} GB/s of host memory",),
    )
