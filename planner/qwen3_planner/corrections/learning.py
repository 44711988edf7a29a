"""(planned, measured) -> what plans take up from now on. Pure: the date comes with the origin."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, sqrt
from typing import TYPE_CHECKING, NamedTuple

from qwen3_planner.catalog.measurements import Compared, MemoryRow, Setup, SpeedRow
from qwen3_planner.corrections.speeds import times
from qwen3_planner.corrections.subjects import kind_of, reach_of
from qwen3_planner.performance.load import Load, Server, closed_loop, decode_seconds
from qwen3_planner.performance.prompts import alone_seconds
from qwen3_planner.plan import Layout
from qwen3_planner.units import MIB

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_planner.catalog.measurements import Origin
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.plan import Plan

REPEAT_SIGMA_BYTES = 64 * MIB
"""How far two starts of the very same may differ beside the compiler's cache. Assumed: the terms of
starts of one release on one card differ by 4 to 7 MiB (tests/unit/planner/accuracy M1, M2)."""

TOKENS = "memory.kvCacheTokens"


def memory_row(  # noqa: PLR0913 - each is a fact of its own
    setup: Setup,
    *,
    planned_pool: float,
    planned_tokens: float,
    measured_tokens: float,
    token_bytes: float,
    origin: Origin,
    figures: Sequence[Compared] = (),
) -> MemoryRow:
    """Learn from one start what a GPU takes beyond its plan.

    Args:
        setup: how the engine ran.
        planned_pool: bytes that the plan, made without a calibration, leaves for the KV cache on
            the GPU that has least; negative where it leaves none.
        planned_tokens: that it says the engine logs.
        measured_tokens: that the engine logged.
        token_bytes: of one logged token on that GPU.
        origin: of the measurement.
        figures: other figures that were compared.
    """
    added = planned_pool - measured_tokens * token_bytes
    tokens = Compared(TOKENS, "tokens", planned_tokens, measured_tokens)
    return MemoryRow(
        setup=setup,
        reach=reach_of(setup),
        origin=origin,
        figures=(tokens, *figures),
        added_bytes=round(added),
        sigma_bytes=float(REPEAT_SIGMA_BYTES),
    )


def memory_row_of_plan(
    plan: Plan, model: ModelArchitecture, measured_tokens: int, origin: Origin
) -> MemoryRow:
    """Learn from what a running engine says of its KV cache; for whoever started it from a plan.

    Args:
        plan: that it was started from, made without a calibration, its cache not given in bytes.
        model: the plan's.
        measured_tokens: as the engine logs them, of one data-parallel rank.
        origin: where they were read.

    Raises:
        ValueError: the plan has no KV cache, or nothing was measured.
    """
    planned_tokens = plan.memory.kv_cache_tokens
    if planned_tokens < 1 or measured_tokens < 1:
        raise ValueError("a plan with a KV cache and a measured one are needed")
    pool = max(gpu.kv_cache_bytes for gpu in plan.memory.per_gpu)
    return memory_row(
        setup_of_plan(plan, model),
        planned_pool=pool,
        planned_tokens=planned_tokens,
        measured_tokens=measured_tokens,
        token_bytes=pool / planned_tokens,
        origin=origin,
    )


def setup_of_plan(plan: Plan, model: ModelArchitecture) -> Setup:
    """Say how an engine runs that was started from a plan."""
    layout = plan.layout
    return Setup(
        engine=plan.engine,
        version=plan.engine_version,
        accelerator=plan.placement.accelerator,
        variant=plan.variant,
        kind=kind_of(model),
        quantization=plan.quantization,
        layout=Layout(layout.tensor, layout.pipeline, layout.data, layout.expert),
    )


class Run(NamedTuple):
    """One load, and what it got.

    Attributes:
        load: requests of one size.
        measured: by measure, as :func:`predicted` names them.
    """

    load: Load
    measured: Mapping[str, float]


DECODING = ("tpot_ms", "decode_tokens_per_s", "output_tokens_per_s")
"""Measures of decoding, the most telling first; one of each run counts."""

PROMPTS = ("prompt_tokens_per_s", "ttft_ms")
"""Measures of computing prompts, likewise."""

ROUNDS = 40
"""Of the search for both factors; each run is a mixture of both times, so one moves the other."""

CLOSE = 1e-6
WIDEST = 3.0
"""Logarithm of a factor that no server deviates by: 20 times."""


def predicted(server: Server, load: Load, names: Sequence[str]) -> dict[str, float]:
    """Return what the model says of each measure of a load."""
    said: dict[str, float] = {}
    if "prompt_tokens_per_s" in names:
        said["prompt_tokens_per_s"] = load.input_tokens / alone_seconds(server, load.input_tokens)
    if "decode_tokens_per_s" in names:
        said["decode_tokens_per_s"] = 1.0 / decode_seconds(server, load, 1.0)
    if {"tpot_ms", "ttft_ms", "output_tokens_per_s"} & set(names):
        service = closed_loop(server, load)
        said["tpot_ms"] = 1000.0 * service.tpot_s
        said["ttft_ms"] = 1000.0 * service.ttft_s
        said["output_tokens_per_s"] = service.output_tokens_per_s
    return {name: said[name] for name in names}


def speed_row(
    setup: Setup, weights: str, server: Server, runs: Sequence[Run], origin: Origin
) -> SpeedRow:
    """Learn factors of times from the runs of one server.

    Args:
        setup: how the server ran.
        weights: class of its weight format.
        server: as predicted without a calibration.
        runs: measured; at least one.
        origin: of the measurement.
    """
    decoding = [(run, _first(run, DECODING)) for run in runs]
    prompts = [(run, _first(run, PROMPTS)) for run in runs]
    has_decode = any(name for _, name in decoding)
    has_prompt = any(name for _, name in prompts)
    decode, prompt = 0.0, 0.0
    for _ in range(ROUNDS):
        now = stretched(server, exp(decode), exp(prompt))
        moves = (
            _mean_gap(now, decoding) if has_decode else 0.0,
            _mean_gap(now, prompts) if has_prompt else 0.0,
        )
        decode = max(-WIDEST, min(WIDEST, decode + moves[0]))
        prompt = max(-WIDEST, min(WIDEST, prompt + 0.5 * moves[1]))
        if max(map(abs, moves)) < CLOSE:
            break
    left = [
        _gap(stretched(server, exp(decode), exp(prompt)), *each) for each in decoding if each[1]
    ]
    return SpeedRow(
        setup=setup,
        reach=reach_of(setup, weights),
        origin=origin,
        figures=tuple(figure for run in runs for figure in compared(server, run)),
        decode_factor=exp(decode),
        prompt_factor=exp(prompt),
        sigma=sqrt(sum(gap**2 for gap in left) / len(left)) if left else 0.0,
        loads=len(runs),
        has_decode=has_decode,
        has_prompt=has_prompt,
    )


UNITS = {
    "tpot_ms": ("performance.tpotMs", "ms"),
    "ttft_ms": ("performance.ttftMs", "ms"),
    "output_tokens_per_s": ("performance.outputTokensPerSecond", "tokens/s"),
    "decode_tokens_per_s": ("decodeTokensPerSecond", "tokens/s"),
    "prompt_tokens_per_s": ("promptTokensPerSecond", "tokens/s"),
}
"""Measures by the name of a plan's figure, or what is nearest to one, and their unit."""


def compared(server: Server, run: Run) -> tuple[Compared, ...]:
    """Say each figure of a run as predicted and as measured."""
    load = run.load
    said = predicted(server, load, tuple(run.measured))
    where = f" at {load.concurrency} x ({load.input_tokens} + {load.output_tokens})"
    return tuple(
        Compared(f"{UNITS[name][0]}{where}", UNITS[name][1], said[name], value)
        for name, value in run.measured.items()
    )


def stretched(server: Server, decode: float, prompt: float) -> Server:
    """Return the server with its times stretched by factors."""
    stages = tuple(
        replace(stage, efficiency=times(stage.efficiency, decode, prompt))
        for stage in server.stages
    )
    return replace(server, stages=stages, efficiency=times(server.efficiency, decode, prompt))


def _first(run: Run, names: Sequence[str]) -> str:
    return next((name for name in names if name in run.measured), "")


def _gap(server: Server, run: Run, name: str) -> float:
    """Return the logarithm of measured over predicted time."""
    ratio = run.measured[name] / predicted(server, run.load, (name,))[name]
    return log(ratio) if name.endswith("_ms") else -log(ratio)


def _mean_gap(server: Server, chosen: Sequence[tuple[Run, str]]) -> float:
    gaps = [_gap(server, run, name) for run, name in chosen if name]
    return sum(gaps) / len(gaps)
