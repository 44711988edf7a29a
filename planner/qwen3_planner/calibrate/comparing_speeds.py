"""Benchmarks beside what is predicted for the very server, and what plans take up of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.calibrate.comparing import uncalibrated
from qwen3_planner.corrections.learning import Run, speed_row
from qwen3_planner.corrections.subjects import subject_of
from qwen3_planner.errors import SpecError
from qwen3_planner.performance.load import Load
from qwen3_planner.question import understand
from qwen3_planner.solving import solve
from qwen3_planner.speed import server_of

if TYPE_CHECKING:
    from qwen3_planner.calibrate.reading import Reading
    from qwen3_planner.catalog.measurements import Origin, SpeedRow
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import Layout
    from qwen3_planner.question import Question
    from qwen3_planner.request import PlanRequest

TIMES_APART = 5.0
"""Factor above which a speed is of something else than what is planned."""


def speed_learned(
    request: PlanRequest,
    inventory: Inventory,
    catalog: Catalog,
    reading: Reading,
    origin: Origin,
) -> tuple[SpeedRow, tuple[str, ...]]:
    """Compare a benchmark with what is predicted for its server, and learn from it.

    Returns:
        What was learned, and what the user should know.

    Raises:
        SpecError: there is no plan for such a server, nothing is known of its engine's speed, or
            the speeds are of something else.
    """
    question = understand(request, inventory, uncalibrated(catalog))
    solution = solve(question, inventory)
    if solution.best is None:
        why = solution.refused[0].refusal.message if solution.refused else "nothing fits"
        hardware = ", ".join(row.name for row in inventory.accelerators)
        raise SpecError("--hardware", hardware, f"such a server has no plan: {why}")
    fit = solution.best.fit
    server = server_of(question, fit, catalog.efficiencies)
    if server is None:
        reason = "no speed is predicted for it (it makes no tokens, or nothing was ever measured)"
        raise SpecError("--model", question.model.name, reason)
    subject = subject_of(question, fit.candidate, fit.setting.batch)
    runs = [
        Run(Load(run.input_tokens, run.output_tokens, run.concurrency), run.measured)
        for run in reading.runs
    ]
    row = speed_row(subject.setup, subject.weights, server, runs, origin)
    _refuse_other_server(row, reading)
    return row, tuple(_taken(request, fit.candidate.layout, question))


def _refuse_other_server(row: SpeedRow, reading: Reading) -> None:
    if 1 / TIMES_APART < row.decode_factor < TIMES_APART:
        return
    told = max(row.figures, key=lambda figure: abs(figure.factor - 1.0))
    reason = (
        f"{told.figure}: {told.measured:,.4g} {told.unit} were measured where"
        f" {told.planned:,.4g} are planned: model, card, layout or format are others"
    )
    raise SpecError("FILE", reading.runs[0].place, reason)


def _taken(request: PlanRequest, layout: Layout, question: Question) -> list[str]:
    """Say what the benchmark does not state and was taken as planned."""
    notes = []
    if request.engine_version is None:
        notes.append(
            f"no input names the version: {question.engine.value} {question.version} is taken"
            " (--engine-version)"
        )
    if request.parallelism.tensor is None and layout.gpus_per_replica > 1:
        notes.append(f"no input names the layout: {layout} is taken, as planned (--tensor)")
    return notes
