"""``qwen3 sweep``: many cases, one row each."""

from __future__ import annotations

import os
import sys
from itertools import islice
from typing import TYPE_CHECKING

import click

from qwen3_planner.cli.exit_codes import ExitCode
from qwen3_planner.cli.parameters import Whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.sweep.answering import Row
    from qwen3_planner.sweep.cases import Fields

BATCH = 16
"""Cases of one task: a few tens of milliseconds of work."""

RAY_BATCH = 256
"""The same on Ray, whose tasks cost more: a million cases are four thousand tasks."""

LOCAL_RAY = "local"


@click.command
@click.argument("cases", metavar="CASES")
@click.option("-o", "--output", required=True, help="Rows: OUT.jsonl, OUT.csv or OUT.parquet.")
@click.option("--workers", type=Whole(), help="Processes.  [default: one a core]")
@click.option(
    "--ray",
    metavar="[ADDRESS]",
    is_flag=False,
    flag_value=LOCAL_RAY,
    help="Run on a Ray cluster; without an address, on one started here; auto: on the running one.",
)
@click.option(
    "--batch", type=Whole(), help=f"Cases of one task.  [default: {BATCH}, {RAY_BATCH} on Ray]"
)
@click.option("--debug", is_flag=True, expose_value=False, hidden=True)
def sweep(
    *, cases: str, output: str, workers: int | None, ray: str | None, batch: int | None
) -> int:
    """Plan many cases; interrupted, the same command goes on where it was.

    CASES is a file: .jsonl or .csv (one case a line), or .yaml with a grid, whose product is
    planned. Fields are the options of qwen3 plan; model and hardware are needed.

    \b
    qwen3 sweep grid.yaml -o rows.jsonl
    qwen3 sweep cases.csv -o rows.parquet --ray

    Exit status: 0, or 2 where a case was wrong in itself: its row says why.
    """  # noqa: D301 - \b is click's mark for lines to keep
    from qwen3_planner.sweep.cases import read_cases  # noqa: PLC0415 - not needed for help
    from qwen3_planner.sweep.keeping import (  # noqa: PLC0415 - as above
        append,
        errors_in,
        finish,
        keeper_of,
        rows_done,
    )

    asked = read_cases(cases)
    keeper = keeper_of(output)
    done = rows_done(keeper, asked)
    if done:
        click.echo(f"{done:,} of {asked.count:,} cases are done already", err=True)
    left = islice(asked.read(), done, None)
    wrong = 0
    with click.progressbar(length=asked.count, label="cases", file=sys.stderr) as bar:
        bar.update(done)
        for rows in append(keeper, _answers(left, workers, ray, batch)):
            wrong += errors_in(rows)
            bar.update(len(rows))
    finish(keeper)
    if wrong:
        cases_are = "case is" if wrong == 1 else "cases are"
        click.echo(f"{wrong:,} {cases_are} wrong: the column error says why", err=True)
        return ExitCode.BAD_INPUT
    return ExitCode.PLAN


def _answers(
    cases: Iterator[Fields], workers: int | None, ray: str | None, batch: int | None
) -> Iterator[list[Row]]:
    from qwen3_planner.sweep.running import (  # noqa: PLC0415 - not needed for help
        batches_of,
        in_processes,
        in_this_process,
        on_ray,
    )

    if ray is not None:
        return on_ray(batches_of(cases, batch or RAY_BATCH), ray)
    count = workers or len(os.sched_getaffinity(0))
    batches = batches_of(cases, batch or BATCH)
    return in_this_process(batches) if count == 1 else in_processes(batches, count)
