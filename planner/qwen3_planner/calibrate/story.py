"""calibrate: every input read, joined into one set-up, compared with its plan, and learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qwen3_planner.calibrate.comparing import (
    memory_learned,
    notes_of,
    planned_start,
    require_version,
)
from qwen3_planner.calibrate.comparing_speeds import speed_learned
from qwen3_planner.calibrate.recognizing import read_source
from qwen3_planner.catalog.measurements import Origin
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.calibrate.reading import Reading
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.corrections.document import Row
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.request import PlanRequest


class Input(NamedTuple):
    """One input as read.

    Attributes:
        reading: what it says.
        name: of the file, without its folder.
        sha256: of its bytes.
    """

    reading: Reading
    name: str
    sha256: str


class Learned(NamedTuple):
    """What came of all inputs.

    Attributes:
        rows: entries of an overlay.
        notes: what the user should know.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def read_inputs(typed: Sequence[str]) -> tuple[Input, ...]:
    """Read every input.

    Raises:
        SpecError: one cannot be read, or two are the same.
    """
    inputs: list[Input] = []
    for each in typed:
        reading, name, digest = read_source(each)
        if any(known.sha256 == digest for known in inputs):
            raise SpecError("FILE", each, "holds the same as another that is given: give it once")
        inputs.append(Input(reading, name.rpartition("/")[2], digest))
    return tuple(inputs)


def learn(
    request: PlanRequest,
    inventory: Inventory,
    catalog: Catalog,
    inputs: Sequence[Input],
    date: str,
) -> Learned:
    """Compare each input with its plan and learn from it.

    Args:
        request: how the engine ran, as far as inputs and user say.
        inventory: what it ran on, one kind of card.
        catalog: of which a calibration is left aside.
        inputs: as read; a start and runs of the same server go together.
        date: ISO date of today.

    Raises:
        SpecError: an input contradicts the others, or the plan, or tells nothing.
    """
    rows: list[Row] = []
    notes = list(notes_of([each.reading for each in inputs]))
    for reading, name, sha256 in inputs:
        origin = Origin(name, reading.format, sha256, date)
        if reading.runs:
            speed, taken = speed_learned(request, inventory, catalog, reading, origin)
            rows.append(speed)
            notes += [note for note in taken if note not in notes]
        else:
            require_version(request)
            start = planned_start(request, inventory, catalog, reading)
            rows.append(memory_learned(start, reading, origin))
    return Learned(tuple(rows), tuple(notes))
