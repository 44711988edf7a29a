"""The GPU of this machine measured in a child process: bandwidth, matrix products, attention.

The planner needs no PyTorch; whichever interpreter has one does (``--python``: the engine's own).
"""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from qwen3_planner.catalog.measurements import Compared, DeviceRow, Origin
from qwen3_planner.errors import SpecError
from qwen3_planner.performance.machine import FLOPS_PER_BYTE, GIGA, TERA

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Accelerator

INSIDE = Path(__file__).with_name("inside_torch.py")

SECONDS = 600
"""Longer than importing PyTorch and a dozen seconds of work take on a slow disk."""

USUAL_MEMORY, USUAL_COMPUTE, USUAL_ATTENTION = 0.90, 0.75, 0.45
"""Shares of the data sheet's rates that such cards usually reach in these very operations: a copy,
a square product of 8192, causal attention over 4096 tokens. Assumed; fitted efficiencies hold for
a card that reaches them, so only the deviation is taken up."""

OTHER_CARD = 0.05
"""Relative: memory that differs by more is of another card."""

WIDEST = 4.0
"""Factor by which no working card deviates."""


class Measured(NamedTuple):
    """What was measured of a card.

    Attributes:
        row: entry of an overlay.
        notes: what the user should know.
    """

    row: DeviceRow
    notes: tuple[str, ...]


def measure_card(
    accelerator: Accelerator,
    python: str | None,
    date: str,
    *,
    device: str = "cuda",
    smaller: int = 1,
) -> Measured:
    """Measure the first GPU and compare it with its data sheet.

    Args:
        accelerator: what it is.
        python: interpreter that has PyTorch; None: this one.
        date: ISO date of today.
        device: of PyTorch.
        smaller: divides the sizes.

    Raises:
        SpecError: there is no PyTorch or no GPU, it fails, or is another card.
    """
    found = _asked(python or sys.executable, device, smaller)
    total = int(found["total_bytes"])
    usable = accelerator.usable_memory_mib << 20
    if total and abs(total / usable - 1.0) > OTHER_CARD:
        reason = f"the GPU here is {found['device']} with {total / 2**30:.1f} GiB"
        raise SpecError("--hardware", accelerator.name, reason, ("local",))
    return Measured(row_of(accelerator, found, date), (_note(found),))


def row_of(accelerator: Accelerator, found: dict[str, Any], date: str) -> DeviceRow:
    """Turn measured rates into an entry. Pure.

    Raises:
        SpecError: a rate is none that such a card reaches.
    """
    bandwidth = accelerator.memory_gb_per_s * GIGA
    stated = accelerator.bf16_tflops or accelerator.fp16_tflops
    flops = stated * TERA if stated else bandwidth * FLOPS_PER_BYTE[accelerator.device_class]
    rates = (
        ("memory bandwidth", "GB/s", GIGA, bandwidth * USUAL_MEMORY, "memory_bytes_per_s"),
        ("matrix products", "TFLOP/s", TERA, flops * USUAL_COMPUTE, "compute_flops"),
        ("attention", "TFLOP/s", TERA, flops * USUAL_ATTENTION, "attention_flops"),
    )
    figures = tuple(
        Compared(name, unit, usual / scale, float(found[key]) / scale)
        for name, unit, scale, usual, key in rates
    )
    for figure in figures:
        if not 1 / WIDEST < figure.factor < WIDEST:
            reason = (
                f"{figure.figure}: {figure.measured:,.4g} {figure.unit} were reached, such cards"
                f" reach about {figure.planned:,.4g}: it is another card, or busy"
            )
            raise SpecError("--hardware", accelerator.name, reason)
    text = json.dumps(found, sort_keys=True)
    name = f"{found['device']}, torch {found['torch']}"
    return DeviceRow(
        accelerator=accelerator.name,
        origin=Origin(name, "torch", sha256(text.encode()).hexdigest(), date),
        figures=figures,
        memory_factor=figures[0].factor,
        compute_factor=figures[1].factor,
        attention_factor=figures[2].factor,
    )


def _asked(python: str, device: str, smaller: int) -> dict[str, Any]:
    """Run the measurement in an interpreter that has PyTorch."""
    argv = [python, "-I", str(INSIDE), device, str(smaller)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603 - an interpreter that the user names
    except OSError as error:
        reason = f"cannot be started: {error.strerror or error}"
        raise SpecError("--python", python, reason) from None
    except subprocess.TimeoutExpired:
        reason = f"did not measure the GPU within {SECONDS} s: is it busy?"
        raise SpecError("--measure", python, reason) from None
    try:
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise SpecError("--python", python, f"failed: {last}") from None
    if "error" in found:
        raise SpecError(*_complaint(str(found["error"]), str(found["detail"]), python))
    return found


def _complaint(error: str, detail: str, python: str) -> tuple[str, str, str]:
    if error == "no-torch":
        fix = "name an interpreter that has it, such as that of the engine: --python PATH"
        return "--measure", python, f"has no PyTorch ({detail}); {fix}"
    if error == "no-gpu":
        return "--measure", python, f"its PyTorch finds no GPU ({detail})"
    return "--measure", python, f"the measurement failed: {detail}"


def _note(found: dict[str, Any]) -> str:
    return (
        f"{found['device']} measured with {found['dtype']} and torch {found['torch']}; runs of an"
        " engine say more: qwen3 calibrate BENCHMARK"
    )
