"""The page of one answer: the plan in pictures, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.plan import NoPlan
from qwen3_planner.report.html.asked import (
    command_section,
    plan_facts,
    question_section,
    warnings_section,
)
from qwen3_planner.report.html.cost import cost_section
from qwen3_planner.report.html.figures import between, dollars, milliseconds, size, whole
from qwen3_planner.report.html.front import front_section
from qwen3_planner.report.html.markup import Markup, join, tag
from qwen3_planner.report.html.memory import memory_section
from qwen3_planner.report.html.others import alternatives_section, offers_section
from qwen3_planner.report.html.page import page, section, tiles, verdict_mark
from qwen3_planner.report.html.refused import missing_section, refusals_section
from qwen3_planner.report.html.sources import explanation_section, sources_section
from qwen3_planner.report.html.speed import speed_section
from qwen3_planner.report.text import verdict
from qwen3_planner.request import Targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.comparing.comparison import Comparison, Mode
    from qwen3_planner.curves import LoadCurve
    from qwen3_planner.explanation import Explanation
    from qwen3_planner.fronts import FrontPoint
    from qwen3_planner.offering import Offer
    from qwen3_planner.plan import Nearest, Plan, PlanResult

FOOT = (
    "Made by qwen3, the capacity planner for the Qwen3 family. The page holds everything it shows"
    " and loads nothing."
)


@dataclass(frozen=True, slots=True)
class Pictured:
    """What a page of one answer shows.

    Attributes:
        result: of the planner.
        command_line: that asked, word by word; empty where a program did.
        curve: speed of the plan under growing load; None where it is not known.
        points: every candidate under every load, as ``--pareto`` compares them.
        comparison: with hosts that sell the same tokens; None where no price is known.
        targets: what the question wants of the speed.
        offers: hardware that was compared, best first.
        explanation: how the figures add up, if that is wanted.
    """

    result: PlanResult
    command_line: Sequence[str] = ()
    curve: LoadCurve | None = None
    points: Sequence[FrontPoint] = ()
    comparison: Comparison | None = None
    targets: Targets | None = None
    offers: Sequence[Offer] = ()
    explanation: Explanation | None = None


def to_html(pictured: Pictured) -> str:
    """Say a plan, or why there is none, as one HTML document of ASCII bytes."""
    result = pictured.result
    if isinstance(result, NoPlan):
        return _no_plan(result, pictured)
    said = verdict(result)
    top = join(verdict_mark(yes=True, said="Fits"), tag("h1", said), _lead(result))
    sections = [
        tiles(list(_key_figures(result))),
        warnings_section(result.warnings),
        memory_section(result),
        *([speed_section(pictured.curve, pictured.targets or Targets())] if pictured.curve else []),
        front_section(pictured.points, result),
        *(cost_section(mode) for mode in _modes(pictured.comparison)),
        alternatives_section(result),
        offers_section(pictured.offers),
        command_section(result),
        plan_facts(result),
        explanation_section(pictured.explanation),
        refusals_section(result.refusals, opened=False),
        sources_section(result.provenance),
        question_section(pictured.command_line),
    ]
    return page(said, top, [part for part in sections if part], FOOT)


def _modes(comparison: Comparison | None) -> Sequence[Mode]:
    return () if comparison is None else comparison.modes


def _lead(plan: Plan) -> Markup:
    """Say in a sentence what the verdict stands on."""
    memory = plan.memory
    said = (
        f"{plan.engine} {plan.engine_version} serves requests of up to {plan.max_model_len:,}"
        f" tokens; {memory.max_concurrency:.2f} of full length fit into its KV cache at once"
    )
    return tag(
        "p",
        f"{said}{' on each data-parallel rank' if plan.layout.data > 1 else ''}.",
        class_="lead",
    )


def _key_figures(plan: Plan) -> Iterator[tuple[str, str, str]]:
    tightest = min(plan.memory.per_gpu, key=lambda gpu: gpu.kv_cache_bytes - gpu.kv_needed_bytes)
    spare = tightest.kv_cache_bytes - tightest.kv_needed_bytes
    copies = f", {plan.replicas} replicas" if plan.replicas > 1 else ""
    yield "Hardware", f"{plan.gpus} x {plan.placement.accelerator}", f"{plan.layout}{copies}"
    yield (
        "KV cache to spare",
        size(spare),
        f"per GPU beyond the {size(tightest.kv_needed_bytes)} that the load needs",
    )
    if (speed := plan.performance) is not None:
        load = "1 request" if speed.concurrency == 1 else f"{speed.concurrency:,} requests"
        tpot = between(milliseconds(speed.tpot_ms_low), milliseconds(speed.tpot_ms_high))
        yield (
            "Time per token",
            milliseconds(speed.tpot_ms),
            f"{tpot}; {load} in flight",
        )
        yield (
            "First token after",
            milliseconds(speed.ttft_ms),
            between(milliseconds(speed.ttft_ms_low), milliseconds(speed.ttft_ms_high)),
        )
        yield (
            "Output tokens/s",
            whole(speed.output_tokens_per_second),
            f"a replica; at most {whole(speed.saturation_output_tokens_per_second)}",
        )
    yield from _price(plan)


def _price(plan: Plan) -> Iterator[tuple[str, str, str]]:
    cost = plan.cost
    if cost is None:
        if plan.usd_per_hour is not None:
            yield "Price", f"{dollars(plan.usd_per_hour)}/h", "of all GPUs"
        return
    dated = f", going rate of {cost.price_as_of}" if cost.price_as_of else ""
    yield "Price", f"{dollars(cost.usd_per_hour)}/h", f"of all GPUs{dated}"
    if cost.usd_per_million_output_tokens is not None:
        yield (
            "A million output tokens",
            dollars(cost.usd_per_million_output_tokens),
            "all that is paid, at the load asked for",
        )


def _no_plan(result: NoPlan, pictured: Pictured) -> str:
    said = f"{result.variant} does not fit"
    reason = result.refusals[0].message if result.refusals else "Nothing is known that would."
    top = join(
        verdict_mark(yes=False, said="Does not fit"),
        tag("h1", said),
        tag("p", reason, class_="lead"),
    )
    sections = [
        missing_section(result.refusals),
        _nearest(result.nearest),
        *_memory_of(result.nearest),
        refusals_section(result.refusals, opened=True),
        question_section(pictured.command_line),
    ]
    return page(said, top, [part for part in sections if part], FOOT)


def _memory_of(nearest: Nearest | None) -> Iterator[Markup]:
    if nearest is not None:
        yield memory_section(nearest.plan, f"Memory with {nearest.change}")


def _nearest(nearest: Nearest | None) -> Markup:
    heading = "Nearest that fits"
    if nearest is None:
        return section(
            "nearest", heading, "No single change of the question is known that would fit."
        )
    plan = nearest.plan
    kept = (
        f"context {plan.max_model_len:,} tokens, {plan.memory.max_concurrency:.2f} requests of full"
        " length at once"
    )
    return section(
        "nearest",
        heading,
        tag("p", "Ask the same with ", tag("code", str(nearest.change))),
        tag("p", f"{verdict(plan)}: {kept}."),
        tiles(list(_key_figures(plan))),
    )
