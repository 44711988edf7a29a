"""Pages, built from fixed values, so that they change only when the drawing does."""

from __future__ import annotations

from typing import Any

from qwen3_planner.curves import LoadCurve, LoadPoint, concurrencies
from qwen3_planner.fronts import FrontPoint
from qwen3_planner.performance.prediction import Interval
from qwen3_planner.plan import Basis, Cost, Layout, Performance, Provenance
from qwen3_planner.report.html.plan_page import Pictured
from qwen3_planner.request import Targets
from support.plan_builders import make_gpu, make_memory, make_no_plan, make_plan, make_refusal

SATURATED, ASKED = 96, 32
NARROW, WIDE = 0.04, 0.25

SPEED = Performance(
    input_tokens=4096,
    output_tokens=1024,
    concurrency=ASKED,
    ttft_ms=1120.0,
    ttft_ms_low=908.0,
    ttft_ms_high=1390.0,
    tpot_ms=31.0,
    tpot_ms_low=29.0,
    tpot_ms_high=33.1,
    output_tokens_per_second=999.0,
    output_tokens_per_second_low=935.0,
    output_tokens_per_second_high=1067.0,
    requests_per_second=0.976,
    relative_error=0.04,
    saturation_concurrency=SATURATED,
    saturation_output_tokens_per_second=1322.0,
)
COST = Cost(
    usd_per_hour=7.05,
    usd_per_million_output_tokens=1.96,
    usd_per_million_input_tokens=0.081,
    usd_per_million_output_tokens_alone=1.61,
    kwh_per_million_output_tokens=0.54,
    price_as_of="2026-11-09",
)
SOURCES = tuple(
    Provenance(figure, basis, error, source)
    for figure, basis, error, source in (
        ("memory.weights", Basis.EXACT, 0.001, "tensors as the allocator holds them"),
        ("memory.kvCache", Basis.FORMULA, 0.0239, "vLLM 0.32.0 v1/core/kv_cache_utils.py"),
        ("memory.activation", Basis.FORMULA, 0.2438, "a profile run; see https://example.org/a."),
        ("memory.graphs", Basis.FITTED, 0.8, "start-up logs that state their graphs"),
        ("memory.overhead", Basis.FITTED, 0.17, "logs (https://example.org/logs, read)"),
        ("memory.device", Basis.EXACT, 0.001, "79.18 GiB in logs"),
    )
)


def make_curve(**fields: object) -> LoadCurve:
    """Return the curve of a replica that 96 requests fill; 400 wait for one another."""
    parts: dict[str, Any] = {
        "input_tokens": 4096,
        "output_tokens": 1024,
        "asked": ASKED,
        "saturation_concurrency": SATURATED,
        "points": tuple(map(_point, concurrencies(SATURATED, ASKED))),
    }
    return LoadCurve(**{**parts, **fields})


def _point(count: int) -> LoadPoint:
    running = min(count, SATURATED)
    sigma = NARROW if count <= SATURATED else WIDE
    tpot = 0.014 + 0.0005 * running
    waiting = max(0, count - SATURATED) * 0.08
    return LoadPoint(
        count,
        Interval.around(0.3 + 0.02 * running + waiting, sigma),
        Interval.around(tpot, sigma),
        Interval.around(running / tpot, sigma),
    )


def make_points() -> tuple[FrontPoint, ...]:
    """Return two layouts at five loads each."""
    found = []
    formats = (("bf16", Layout(tensor=2, pipeline=2), 14.0), ("fp8", Layout(tensor=2), 20.0))
    for quantization, layout, quickest in formats:
        for count in (1, 4, 16, ASKED, SATURATED):
            tpot = quickest + 0.5 * count
            rate = 1000 * count / tpot
            found.append(
                FrontPoint(
                    accelerator="H100-SXM-80GB",
                    layout=layout,
                    quantization=quantization,
                    concurrency=count,
                    ttft_ms=300.0 + 20 * count,
                    tpot_ms=tpot,
                    output_tokens_per_second=rate,
                    usd_per_million_output_tokens=3.5 * layout.gpus_per_replica / 3600 / rate * 1e6,
                )
            )
    return tuple(found)


def make_pictured(**fields: object) -> Pictured:
    """Return what the page of a plan with everything on it shows."""
    gpus = tuple(
        make_gpu(rank, stage=rank // 2, weights_bytes=32_845_000_000 - rank // 2 * 2_000_000_000)
        for rank in range(4)
    )
    alternative = make_plan(quantization="fp8", performance=SPEED, cost=COST)
    refusals = (
        make_refusal(),
        make_refusal(rule="AttentionHeadDivisibility", layout=Layout(tensor=3), needed_bytes=None),
        make_refusal(quantization="nvfp4", rule="QuantizationNeedsNewerGPU", needed_bytes=None),
        make_refusal(quantization="int8", rule="CheckpointUnknown", layout=None, fixes=()),
    )
    plan = make_plan(
        layout=Layout(tensor=2, pipeline=2),
        memory=make_memory(per_gpu=gpus, concurrency_by_context=((2048, 157), (40960, 7))),
        warnings=("Not used by this plan: 2 of 6 H100-SXM-80GB.",),
        performance=SPEED,
        cost=COST,
        provenance=SOURCES,
        alternatives=(alternative,),
        refusals=refusals,
    )
    parts: dict[str, Any] = {
        "result": plan,
        "command_line": ("qwen3", "plan", "Qwen3-32B", "--hardware", "6xH100-SXM-80GB"),
        "curve": make_curve(),
        "points": make_points(),
        "targets": Targets(ttft_ms=2000.0, tpot_ms=50.0),
    }
    return Pictured(**{**parts, **fields})


def make_pictured_no_plan() -> Pictured:
    """Return what the page shows where nothing fits."""
    return Pictured(make_no_plan(), ("qwen3", "plan", "Qwen3-32B", "--hardware", "L40S-48GB"))
