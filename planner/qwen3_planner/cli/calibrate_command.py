"""``qwen3 calibrate``: measurements in, an overlay for later plans out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from qwen3_planner.cli.calibrations import OFF, overlay_named
from qwen3_planner.cli.exit_codes import ExitCode
from qwen3_planner.cli.parameters import Named, Suggested
from qwen3_planner.cli.question_options import Asked, question_options, read_question
from qwen3_planner.cli.writing import Listing, as_json, as_yaml, width, write
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from qwen3_planner.calibrate.story import Input, Learned
    from qwen3_planner.cli.question_options import Asking


@click.command
@click.argument("FILES", metavar="[FILE]...", nargs=-1)
@click.option("--model", type=Suggested("models"), help="Where no FILE names it, or by a path.")
@click.option(
    "--hardware",
    type=Suggested("accelerators"),
    multiple=True,
    metavar="HARDWARE",
    help="What it ran on, as for qwen3 plan; local with --measure.",
)
@click.option("-f", "--filename", metavar="RESOURCE.yaml", help="The Qwen3Deployment that ran.")
@click.option("--measure", is_flag=True, help="Measure the GPU of this machine (needs PyTorch).")
@click.option("--python", metavar="PATH", help="With --measure: an interpreter that has PyTorch.")
@click.option(
    "-o",
    "--output",
    type=Named(Listing),
    default=Listing.TABLE,
    help="Form of what was learned.  [default: table]",
)
@question_options
@click.option("--debug", is_flag=True, expose_value=False, hidden=True)
def calibrate(  # noqa: PLR0913 - options of a command
    *,
    files: tuple[str, ...],
    model: str | None,
    hardware: tuple[str, ...],
    filename: str | None,
    measure: bool,
    python: str | None,
    output: Listing,
    **options: Any,  # noqa: ANN401 - each is converted by its own type above
) -> int:
    """Learn from what was measured: a start-up log, a benchmark, or the GPU itself.

    FILE is a start-up log of vLLM or SGLang, a result of vllm bench serve, guidellm or llama-bench,
    an overlay, or - for stdin. How the engine ran is read from the log; what that does not say,
    say with the options of qwen3 plan. What contradicts it is an error.

    Shown is planned beside measured. With --calibration FILE (or QWEN3_CALIBRATION) it is added to
    that overlay, which later plans take up and name as their source.

    \b
    A log, on a card that it does not name:
      qwen3 calibrate vllm.log --hardware 2xH100-SXM-80GB --calibration mine.yaml
    What runs in a cluster, and its benchmark:
      kubectl logs deploy/qwen3 | qwen3 calibrate - bench.json --hardware 1xL40S-48GB
    What the operator read of a running engine:
      kubectl get q3d qwen3 -o jsonpath='{.status.measured.calibration}' | qwen3 calibrate - ...
    A card that nobody has measured yet:
      qwen3 calibrate --measure --calibration mine.yaml
    Then:
      qwen3 plan Qwen3-32B --hardware 2xH100-SXM-80GB --calibration mine.yaml

    Exit status: 0 learned, 2 bad input, 1 a defect.
    """  # noqa: D301 - \b is click's mark for lines to keep
    from qwen3_planner.calibrate.story import read_inputs  # noqa: PLC0415 - not needed for help

    asked = Asked(**options)
    overlay = overlay_named(asked.calibration)
    if not files and not measure:
        reason = "name a log or a result, - for stdin, or give --measure"
        raise SpecError("FILE", "(missing)", reason)
    if measure and files:
        reason = "files are of an engine, --measure of the card alone: give one at a time"
        raise SpecError("--measure", "(given)", reason)
    learned = (
        _measured(hardware, python)
        if measure
        else _taken_or_learned(read_inputs(files), model, hardware, filename, asked)
    )
    for note in learned.notes:
        click.echo(f"note: {note}", err=True)
    if overlay is None:
        click.echo("note: nothing is kept; --calibration FILE keeps it for plans", err=True)
    else:
        from qwen3_planner.calibrate.overlay import merge_into  # noqa: PLC0415 - as above

        merge_into(overlay, learned.rows, "--calibration")
        click.echo(f"kept in {overlay}", err=True)
    write(_said(learned, output))
    return ExitCode.PLAN


def _taken_or_learned(
    inputs: tuple[Input, ...],
    model: str | None,
    hardware: tuple[str, ...],
    filename: str | None,
    asked: Asked,
) -> Learned:
    """Take what is learned already as it is, and learn from the other inputs."""
    from qwen3_planner.calibrate.story import Learned  # noqa: PLC0415 - as above

    taken = tuple(row for each in inputs for row in each.reading.rows)
    others = tuple(each for each in inputs if not each.reading.rows)
    if not others:
        return Learned(taken, ())
    learned = _learned(others, model, hardware, filename, asked)
    return Learned((*taken, *learned.rows), learned.notes)


def _learned(
    inputs: tuple[Input, ...],
    model: str | None,
    hardware: tuple[str, ...],
    filename: str | None,
    asked: Asked,
) -> Learned:
    from qwen3_planner.calibrate.facts import joined, with_facts  # noqa: PLC0415 - as above
    from qwen3_planner.calibrate.naming import (  # noqa: PLC0415 - as above
        check_card,
        hardware_typed,
        model_typed,
    )
    from qwen3_planner.calibrate.story import learn  # noqa: PLC0415 - as above
    from qwen3_planner.catalog.loading import load_catalog  # noqa: PLC0415 - as above

    catalog = load_catalog()
    facts = joined(each.reading for each in inputs)
    if filename is None:
        model = model_typed(model, facts, catalog)
    where = hardware_typed(hardware, facts, catalog)
    asking = read_question(model, where, filename, replace(asked, calibration=OFF))
    _refuse_several(asking)
    check_card(asking.inventory, facts, catalog)
    request = with_facts(asking.request, facts)
    return learn(request, asking.inventory, asking.catalog, inputs, _today())


def _refuse_several(asking: Asking) -> None:
    if len(asking.alternatives) != 1:
        typed = ", ".join(name for name, _ in asking.alternatives) or "any"
        raise SpecError("--hardware", typed, "it ran on one kind of hardware: name that")


def _measured(hardware: tuple[str, ...], python: str | None) -> Learned:
    from qwen3_planner.calibrate.measuring import measure_card  # noqa: PLC0415 - rare
    from qwen3_planner.calibrate.story import Learned  # noqa: PLC0415 - as above
    from qwen3_planner.catalog.loading import load_catalog  # noqa: PLC0415 - as above
    from qwen3_planner.cli.reading import read_hardware  # noqa: PLC0415 - as above

    catalog = load_catalog()
    named = [read_hardware(each, catalog) for each in hardware or ("local",)]
    rows = {row.name: row for inventory in named for row in inventory.accelerators}
    if len(rows) != 1:
        raise SpecError("--hardware", ", ".join(rows), "one card is measured at a time: name it")
    (accelerator,) = rows.values()
    found = measure_card(accelerator, python, _today())
    return Learned((found.row,), found.notes)


def _said(learned: Learned, output: Listing) -> str:
    if output is Listing.TABLE:
        from qwen3_planner.report.calibration_text import calibration_text  # noqa: PLC0415 - as above

        return calibration_text(learned.rows, width())
    from qwen3_planner.corrections.document import to_document  # noqa: PLC0415 - as above

    document = to_document(learned.rows)
    return as_json(document) if output is Listing.JSON else as_yaml(document)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
