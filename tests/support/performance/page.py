"""The page that shows how far the predicted speeds are off."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Any

from support.performance.promises import kept_out, speed_targets
from support.performance.rows import read_rows, residuals
from support.performance.table import Table, is_inside, sigmas
from support.performance.traits import TRAITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.catalog.figures import Efficiency

HEAD = """# How far predicted speeds are off

<!-- Written by `make speeds`; do not edit. -->

What the performance model says beside what was measured. Rows and their sources:
`tests/unit/planner/accuracy/performance/rows.json`. Each third row of a group (engine, class of
device, kind of model, weight format; in the order of the SHA-256 of their ids) was **kept out of
the fit**, and so was every row that was added later: only those are judged. How the model works:
[performance](../explanation/performance.md).
"""

MEASURED = {
    "tpot_ms": "ms per output token",
    "ttft_ms": "ms to first token",
    "output_tokens_per_s": "output tokens/s",
    "prompt_and_output_tokens_per_s": "(prompt + output) tokens/s",
    "decode_tokens_per_s": "generated tokens/s",
    "prompt_tokens_per_s": "prompt tokens/s",
}


def page(table: Sequence[Efficiency], said: dict[str, Any]) -> str:
    """Write the page.

    Args:
        table: the rows that ship.
        said: what ``fit.json`` holds.
    """
    parts = [
        HEAD,
        *_promises(table, said),
        *_groups(said),
        *_transfer(said),
        *_carried(),
        *_rows(table),
        *_left_out(table),
    ]
    return "\n".join(parts) + "\n"


def _promises(table: Sequence[Efficiency], said: dict[str, Any]) -> Iterator[str]:
    yield "## Promises\n"
    yield "| rows kept out of the fit | promised | reached | values | kept |"
    yield "|---|---|---|---|---|"
    for target in speed_targets(table, said):
        kept = "yes" if target.is_met else "**no**"
        sign = ">=" if target.at_least else "<="
        yield (
            f"| {target.name} | {sign} {target.limit:.0%} | {target.value or 0.0:.1%} |"
            f" {target.rows} | {kept} |"
        )


def _groups(said: dict[str, Any]) -> Iterator[str]:
    yield "\n## Errors by group\n"
    yield "| engine / device / kind / weights | figure | rows | median | largest |"
    yield "|---|---|---|---|---|"
    for key, group in said["groups"].items():
        for part in ("tested", "fitted"):
            for name, each in group[part].items():
                yield (
                    f"| {key} | {MEASURED[name]} | {each['values']} {part} |"
                    f" {each['median_error']:.1%} | {each['largest_error']:.0%} |"
                )


def _transfer(said: dict[str, Any]) -> Iterator[str]:
    yield "\n## What the model says of what it never saw\n"
    yield (
        "Each time all rows of one device (model, version, engine, layout) are left out, the whole"
        " fit is made anew of the others and judged on those left out, as a plan would take it."
        " *Inside* is the share of measured values that the plan's 90 % interval holds. Where a"
        " whole class of devices or an engine is left out, the figures are carried over.\n"
    )
    yield (
        "| left out | engine | times per token, tokens/s: values | median | largest | inside |"
        " first token, prompts: values | median | inside |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for each in said["left_out"]:
        cells = [f"{each['unseen']} {each['value']}", each["engine"]]
        for prefix in ("", "first_token_"):
            if f"{prefix}values" not in each:
                cells += ["-"] * (3 if prefix else 4)
                continue
            cells += [str(each[f"{prefix}values"]), f"{each[f'{prefix}median_error']:.1%}"]
            cells += [] if prefix else [f"{each['largest_error']:.0%}"]
            cells += [f"{each[f'{prefix}inside']:.0%}"]
        yield f"| {' | '.join(cells)} |"


def _carried() -> Iterator[str]:
    yield "\n## How classes of devices are told apart\n"
    yield (
        "Where an engine was not measured on a class, its figures on Hopper are carried over with"
        " these ratios.\n"
    )
    yield "| class | bandwidth reached | arithmetic reached | launching | why |"
    yield "|---|---|---|---|---|"
    for name, trait in TRAITS.items():
        yield (
            f"| {name} | {trait.memory:g} | {trait.compute:g} | {trait.layer:g} | {trait.source} |"
        )


def _rows(table: Sequence[Efficiency]) -> Iterator[str]:
    yield "\n## Every row that was kept out\n"
    yield "| row | figure | measured | computed | off by | inside |"
    yield "|---|---|---|---|---|---|"
    for row, name, value, sigma in kept_out(table):
        measured = row.measured[name]
        yield (
            f"| {row.id} | {MEASURED[name]} | {measured:.4g} | {measured * exp(value):.4g} |"
            f" {exp(value) - 1:+.1%} | {'yes' if is_inside(value, sigma) else 'no'} |"
        )


def _left_out(table: Sequence[Efficiency]) -> Iterator[str]:
    yield "\n## Neither fitted nor judged\n"
    yield (
        "Computed as if as many clients kept on asking as there were prompts: runs that send all"
        " prompts at once end with few of them still running, and so reach less.\n"
    )
    yield "| row | figure | measured | computed | off by | inside | reason |"
    yield "|---|---|---|---|---|---|---|"
    judge = Table({}, tuple(table), {})
    for row in read_rows():
        about = judge.of(row) if row.is_excluded else None
        if about is None:
            continue
        spread = sigmas(row, about)
        for name, value in residuals(row, about).items():
            measured = row.measured[name]
            yield (
                f"| {row.id} | {MEASURED[name]} | {measured:.4g} | {measured * exp(value):.4g} |"
                f" {exp(value) - 1:+.1%} | {'yes' if is_inside(value, spread[name]) else 'no'} |"
                f" {row.raw['note']} |"
            )
