"""A recommendation for people: a line for every option, the first ones in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.report.prices import age_warnings
from qwen3_planner.report.table import labelled, render, thousands, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from qwen3_planner.recommend.policy import Barred
    from qwen3_planner.recommend.recommendation import Option, Recommendation, Rejected

IN_FULL = 3
REJECTED_SHOWN = 6
HEADERS = ("#", "variant", "score", "quant", "GPUs", "context", "ms/token", "$/h")
_LEFT = {"variant", "quant"}
_OTHER = "*"


def recommend_text(found: Recommendation, today: date, width: int = 80) -> str:
    """Say a recommendation as lines of at most ``width`` columns where words allow.

    Args:
        found: the value.
        today: by which the age of prices is judged.
        width: columns of the terminal.
    """
    rates = [option.rate for option in found.options if option.rate is not None]
    warnings = [*found.warnings, *age_warnings(rates, (), today)]
    blocks = [
        [_title(found)],
        list(_table(found.options)),
        *(list(_in_full(n, o, width)) for n, o in enumerate(found.options[:IN_FULL], 1)),
        list(_rejected(found.rejected, width)),
        list(_unsuited(found.unsuited, width)),
        list(_barred(found.barred, found.wish.policy.region, width)),
        _warnings(warnings, width),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _title(found: Recommendation) -> str:
    needs = " and ".join(need.value for need in found.wish.needs)
    users = "one request at a time" if found.wish.users == 1 else f"{found.wish.users:,} at once"
    if not found.options:
        return f"Nothing does for {needs}, {users}"
    return f"For {needs}, {users}"


def _table(options: Sequence[Option]) -> Iterator[str]:
    if not options:
        return
    deciding = next((o.score.benchmark for o in options if o.score is not None), "")
    rows = [_row(rank, option, deciding) for rank, option in enumerate(options, 1)]
    right = [name for name in HEADERS if name not in _LEFT]
    yield from (f"  {line}" for line in render(HEADERS, rows, right=right))
    if deciding:
        others = any(_OTHER in row[2] for row in rows)
        of_others = f"; {_OTHER} on another benchmark of the need" if others else ""
        yield f"  score: {deciding}{of_others}"


def _row(rank: int, option: Option, deciding: str) -> tuple[str, ...]:
    plan = option.plan
    score = "-"
    if option.score is not None:
        other = "" if option.score.benchmark == deciding else _OTHER
        score = f"{option.score.score:g}{other}"
    speed = "-" if plan.performance is None else f"{plan.performance.tpot_ms:.3g}"
    usd = "-" if option.usd_per_hour is None else f"{option.usd_per_hour:.2f}"
    context = thousands(plan.max_model_len)
    return (
        str(rank),
        option.variant.removeprefix("Qwen3-"),
        score,
        plan.quantization,
        str(plan.gpus),
        context,
        speed,
        usd,
    )


def _in_full(rank: int, option: Option, width: int) -> Iterator[str]:
    plan = option.plan
    each = "" if plan.replicas == 1 else f"{plan.replicas} replicas, each "
    gpus = f"{plan.layout.gpus_per_replica} x {plan.placement.accelerator}"
    mode = "" if option.plan.reading is not None else f", {option.mode}"
    head = f"{rank}. {option.variant}{mode}: {each}{plan.quantization}, {plan.layout} on"
    yield from wrapped(f"{head} {gpus}, {plan.engine} {plan.engine_version}", width, "", "   ")
    for reason in option.reasons:
        yield from wrapped(reason, width, "   + ", "     ")
    for lack in option.gives_up:
        yield from wrapped(lack, width, "   - ", "     ")


def _rejected(rejected: Sequence[Rejected], width: int) -> Iterator[str]:
    if not rejected:
        return
    yield "Not these"
    for one in rejected[:REJECTED_SHOWN]:
        score = "" if one.score is None else f" ({one.score.benchmark} {one.score.score:g})"
        yield from wrapped(f"{one.variant}{score}: {one.rule}", width, "  ", "    ")
        yield from wrapped(one.message, width, "    ")
        if one.fix:
            yield from wrapped(one.fix, width, "    try  ", "         ")
    if len(rejected) > REJECTED_SHOWN:
        yield f"  and {len(rejected) - REJECTED_SHOWN} more: -o json lists all"


def _unsuited(unsuited: Sequence[Rejected], width: int) -> Iterator[str]:
    if not unsuited:
        return
    counts: dict[str, int] = {}
    for one in unsuited:
        reason = one.message.removeprefix(f"{one.variant} ").rstrip(".")
        counts[reason] = counts.get(reason, 0) + 1
    said = "; ".join(f"{count} {_verb(reason, count)}" for reason, count in counts.items())
    yield from wrapped(f"Left out: {said}.", width)


def _verb(reason: str, count: int) -> str:
    """Say of several what is said of one: the first word is a verb in the third person."""
    first, _, rest = reason.partition(" ")
    plural = {"is": "are"}.get(first, first.removesuffix("s"))
    return reason if count == 1 else f"{plural} {rest}"


def _barred(barred: Sequence[Barred], region: str, width: int) -> Iterator[str]:
    if not barred:
        return
    yield f"Kept from {region} by export rules"
    for one in barred:
        rule = one.rule
        text = f"{rule.name}: {rule.status}, {one.why}. As of {rule.as_of}; {rule.source}"
        note = f". {rule.note[:1].upper()}{rule.note[1:]}" if rule.note else ""
        yield from labelled(f"  {one.accelerator}", f"{text}{note}", width, 18)


def _warnings(warnings: Sequence[str], width: int) -> list[str]:
    if not warnings:
        return []
    lines = (line for text in warnings for line in wrapped(text, width, "  ! ", "    "))
    return ["Warnings", *lines]
